"""Which process wrote what: runs with a lease, and what a dead one left open (TRUST B10)."""

from __future__ import annotations

import logging
import secrets
import sqlite3

from larouter.store.admission import RECOUNT
from larouter.store.writer import Writer, now_ms

HEARTBEAT_S = 5

logger = logging.getLogger(__name__)


class Run:
    """One `serve` (or one command-line call that writes) and its lease."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.id = f"run_{secrets.token_hex(8)}"
        now = now_ms()
        writer.run(
            lambda connection: connection.execute(
                "INSERT INTO run (id, started_ms, heartbeat_ms) VALUES (?,?,?)",
                (self.id, now, now),
            )
        )

    def renew(self) -> None:
        self._writer.run(
            lambda connection: connection.execute(
                "UPDATE run SET heartbeat_ms=? WHERE id=?", (now_ms(), self.id)
            )
        )

    def end(self) -> None:
        self._writer.run(
            lambda connection: connection.execute(
                "UPDATE run SET heartbeat_ms=?, ended_ms=? WHERE id=?",
                (now_ms(), now_ms(), self.id),
            )
        )

    def recover(self) -> int:
        """Turn what dead runs left pending into `unknown`, charged at the hold; return how many.

        Only `serve` calls this, before it listens, holding the data folder's lock: on SQLite
        every other run is therefore dead.
        """
        count = self._writer.run(self._recover)
        if count:
            logger.warning("%d calls were cut off by the last stop; their usage is unknown", count)
        return count

    def _recover(self, connection: sqlite3.Connection) -> int:
        now = now_ms()
        connection.execute(
            "INSERT INTO ledger_entry (attempt_id, kind, cost_nusd, created_ms) "
            "SELECT id, 'settle', hold_nusd, ? FROM attempt "
            "WHERE state='pending' AND run_id<>? AND hold_nusd > 0",
            (now, self.id),
        )
        # What nobody knows is charged at the hold, to each budget too.
        connection.execute(
            "UPDATE hold SET spent = amount WHERE spent IS NULL AND attempt_id IN "
            "(SELECT id FROM attempt WHERE state='pending' AND run_id<>?)",
            (self.id,),
        )
        connection.execute(RECOUNT)
        connection.execute(
            "UPDATE request SET status=500, error='server_stopped', ended_ms=? "
            "WHERE status IS NULL AND id IN "
            "(SELECT request_id FROM attempt WHERE state='pending' AND run_id<>?)",
            (now, self.id),
        )
        left = connection.execute(
            "UPDATE attempt SET state='unknown', cost_nusd=hold_nusd, ended_ms=? "
            "WHERE state='pending' AND run_id<>?",
            (now, self.id),
        ).rowcount
        # A crash between two attempts of one request leaves the request open, with none pending.
        connection.execute(
            "UPDATE request SET status=500, error='server_stopped', ended_ms=? "
            "WHERE status IS NULL AND id NOT IN "
            "(SELECT request_id FROM attempt WHERE state='pending')",
            (now,),
        )
        connection.execute(
            "UPDATE run SET ended_ms=heartbeat_ms WHERE ended_ms IS NULL AND id<>?", (self.id,)
        )
        return left

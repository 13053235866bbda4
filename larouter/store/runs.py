"""Which process wrote what: runs with a lease, and what a dead one left open (TRUST B10)."""

from __future__ import annotations

import logging
import secrets

from larouter.store.admission import RECOUNT
from larouter.store.rollups import Rollups, Share
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

HEARTBEAT_S = 5

_LOST = """SELECT r.started_ms, a.project_id, r.tier, a.model, coalesce(r.bearer_id, ''),
 a.hold_nusd FROM attempt a JOIN request r ON r.id = a.request_id
 WHERE a.state='pending' AND a.run_id<>?"""
_END_OPEN = """UPDATE request SET status=500, error='server_stopped', ended_ms=?
 WHERE status IS NULL AND id NOT IN (SELECT request_id FROM attempt WHERE state='pending')
 RETURNING started_ms, project_id, tier, coalesce(model, ''), coalesce(bearer_id, '')"""

logger = logging.getLogger(__name__)


class Run:
    """One `serve` (or one command-line call that writes) and its lease."""

    def __init__(self, writer: Writer, rollups: Rollups) -> None:
        self._writer = writer
        self._rollups = rollups
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

    def _recover(self, connection: Connection) -> int:
        now = now_ms()
        lost = connection.execute(_LOST, (self.id,)).fetchall()
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
        left = connection.execute(
            "UPDATE attempt SET state='unknown', cost_nusd=hold_nusd, ended_ms=? "
            "WHERE state='pending' AND run_id<>?",
            (now, self.id),
        ).rowcount
        # A crash between two attempts of one request leaves the request open, with none pending.
        ended = connection.execute(_END_OPEN, (now,)).fetchall()
        connection.execute(
            "UPDATE run SET ended_ms=heartbeat_ms WHERE ended_ms IS NULL AND id<>?", (self.id,)
        )
        for started_ms, *share, hold in lost:
            sums = (0, 0, 0, 0, 0, hold or 0, int(hold is None), 0)
            self._rollups.add(started_ms, Share(*share), sums)
        for started_ms, *share in ended:
            self._rollups.add(started_ms, Share(*share), (1, 0, 0, 0, 0, 0, 0, 0))
        return left

"""Which process wrote what: runs with a lease, and what a dead one left open (TRUST B10)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from larouter.store.admission import recount
from larouter.store.rollups import Rollups, Share
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

HEARTBEAT_S = 5
LEASE_MS = 6 * HEARTBEAT_S * 1_000
"""Where several processes share a database, one that has not been heard of for so long is dead."""

_EVER_MS = 2**62
_DEAD = "(SELECT id FROM run WHERE id <> ? AND (ended_ms IS NOT NULL OR heartbeat_ms < ?))"
_LEFT = f"state='pending' AND run_id IN {_DEAD}"
_LOST = f"""SELECT r.started_ms, a.project_id, r.tier, a.model, coalesce(r.bearer_id, ''),
 a.hold_nusd FROM attempt a JOIN request r ON r.id = a.request_id
 WHERE a.{_LEFT}"""  # noqa: S608 - the words above
_ENTER = f"""INSERT INTO ledger_entry (attempt_id, kind, cost_nusd, created_ms)
 SELECT id, 'settle', hold_nusd, ? FROM attempt WHERE {_LEFT} AND hold_nusd > 0"""  # noqa: S608
_CHARGE = f"""UPDATE hold SET spent = amount WHERE spent IS NULL AND attempt_id IN
 (SELECT id FROM attempt WHERE {_LEFT})"""  # noqa: S608
_CLOSE = f"""UPDATE attempt SET state='unknown', cost_nusd=hold_nusd, ended_ms=?
 WHERE {_LEFT}"""  # noqa: S608
# A crash between two attempts of one request leaves the request open, with none pending.
_END_OPEN = f"""UPDATE request SET status=500, error='server_stopped', ended_ms=?
 WHERE status IS NULL AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.request_id = request.id
  AND (a.state = 'pending' OR a.run_id NOT IN {_DEAD}))
 RETURNING started_ms, project_id, tier, coalesce(model, ''), coalesce(bearer_id, '')"""  # noqa: S608
_END_RUNS = f"""UPDATE run SET ended_ms=heartbeat_ms
 WHERE ended_ms IS NULL AND id IN {_DEAD}"""  # noqa: S608

logger = logging.getLogger(__name__)


class Run:
    """One `serve` (or one command-line call that writes) and its lease."""

    def __init__(
        self,
        writer: Writer,
        rollups: Rollups,
        *,
        is_shared: bool = False,
        clock: Callable[[Connection], int] = lambda connection: now_ms(),
    ) -> None:
        """`is_shared`: other processes may be at work beside it; else all others are dead.
        `clock` gives the time that all of them go by."""
        self._writer = writer
        self._rollups = rollups
        self._is_shared = is_shared
        self._clock = clock
        self.id = f"run_{secrets.token_hex(8)}"

        def job(connection: Connection) -> None:
            now = clock(connection)
            connection.execute(
                "INSERT INTO run (id, started_ms, heartbeat_ms) VALUES (?,?,?)",
                (self.id, now, now),
            )

        writer.run(job)

    def renew(self) -> None:
        """Say that it lives; it may have slept for so long that another took it for dead."""
        self._writer.run(
            lambda connection: connection.execute(
                "UPDATE run SET heartbeat_ms=?, ended_ms=NULL WHERE id=?",
                (self._clock(connection), self.id),
            )
        )

    def end(self) -> None:
        def job(connection: Connection) -> None:
            now = self._clock(connection)
            connection.execute(
                "UPDATE run SET heartbeat_ms=?, ended_ms=? WHERE id=?", (now, now, self.id)
            )

        self._writer.run(job)

    def recover(self) -> int:
        """Turn what dead runs left pending into `unknown`, charged at the hold; return how many.

        Only `serve` calls this: before it listens, and, where others may die beside it, from time
        to time. On SQLite it holds the data folder's lock, so that every other run is dead.
        """
        count = self._writer.run(self._recover)
        if count:
            logger.warning("%d calls were cut off by the last stop; their usage is unknown", count)
        return count

    def _recover(self, connection: Connection) -> int:
        now = self._clock(connection)
        dead = (self.id, now - LEASE_MS if self._is_shared else _EVER_MS)
        lost = connection.execute(_LOST, dead).fetchall()
        connection.execute(_ENTER, (now, *dead))
        # What nobody knows is charged at the hold, to each budget too.
        connection.execute(_CHARGE, dead)
        if lost or not self._is_shared:
            recount(connection, now)
        left = connection.execute(_CLOSE, (now, *dead)).rowcount
        ended = connection.execute(_END_OPEN, (now, *dead)).fetchall()
        connection.execute(_END_RUNS, dead)
        for started_ms, *share, hold in lost:
            sums = (0, 0, 0, 0, 0, hold or 0, int(hold is None), 0)
            self._rollups.add(started_ms, Share(*share), sums)
        for started_ms, *share in ended:
            self._rollups.add(started_ms, Share(*share), (1, 0, 0, 0, 0, 0, 0, 0))
        return left

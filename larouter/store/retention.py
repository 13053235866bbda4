"""Lets go of requests older than they are to be kept; their sums stay for ever (TRUST S11).

Before anything is deleted, a mark is set: from this quarter of an hour on, requests are whole. Sums
are only made anew and compared from there on. What a request took of a budget's period is added to
that period's `opening` first, so the books add up at every moment. A request with a call that is
under way, or whose outcome nobody knows yet, stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from larouter.store.rollups import KEPT_SINCE, QUARTER_MS, kept_since
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

DAY_MS = 86_400_000
PAGE = 25
"""Requests looked at in one go."""
LONGEST_S = 0.015
"""Of one transaction: after that the page under way is its last, and others have their turn."""

_MARK = """INSERT INTO setting (name, value) VALUES (?,?)
 ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_NEXT = "SELECT id, started_ms, ended_ms FROM request WHERE id > ? ORDER BY id LIMIT ?"
_OPEN = """SELECT DISTINCT request_id FROM attempt
 WHERE request_id IN ({}) AND state IN ('pending', 'unknown')"""
_TOOK = """SELECT h.budget_id, h.start_ms, sum(h.spent) FROM hold h
 JOIN attempt a ON a.id = h.attempt_id WHERE a.request_id IN ({})
 GROUP BY h.budget_id, h.start_ms"""
_FOLD = "UPDATE budget_window SET opening = opening + ? WHERE budget_id = ? AND start_ms = ?"
_DELETE = (
    "DELETE FROM hold WHERE attempt_id IN (SELECT id FROM attempt WHERE request_id IN ({}))",
    "DELETE FROM ledger_entry"
    " WHERE attempt_id IN (SELECT id FROM attempt WHERE request_id IN ({}))",
    "DELETE FROM feedback WHERE request_id IN ({})",
    "DELETE FROM attempt WHERE request_id IN ({})",
    "DELETE FROM request WHERE id IN ({})",
)
# The newest period of a budget says which one it is now, however the clock stands (TRUST B12).
_WINDOWS = """DELETE FROM budget_window WHERE end_ms <= ?
 AND start_ms < (SELECT max(w.start_ms) FROM budget_window w
  WHERE w.budget_id = budget_window.budget_id)
 AND NOT EXISTS (SELECT 1 FROM hold h
  WHERE h.budget_id = budget_window.budget_id AND h.start_ms = budget_window.start_ms)"""
_ALERTS = """DELETE FROM alert WHERE created_ms < ?
 AND NOT EXISTS (SELECT 1 FROM budget_window w
  WHERE w.budget_id = alert.budget_id AND w.start_ms = alert.start_ms)"""
_OLD_RESPONSES = "SELECT project_id, id FROM response WHERE created_ms < ? LIMIT ?"
_RESPONSE = (
    "DELETE FROM response_item WHERE project_id = ? AND response_id = ?",
    "DELETE FROM response WHERE project_id = ? AND id = ?",
)


class Purged(NamedTuple):
    """How much went, and whether that was all."""

    requests: int
    responses: int
    is_done: bool


class Retention:
    """Purges through the writer, a little at a time."""

    def __init__(
        self, writer: Writer, days: int | None, *, clock: Callable[[], int] = now_ms
    ) -> None:
        """`days` None: nothing is let go of by itself."""
        self._writer = writer
        self.days = days
        self._clock = clock

    def purge(
        self,
        days: int,
        *,
        pause: Callable[[], object] = lambda: None,
        within_s: float | None = None,
    ) -> Purged:
        """Let go of what is older than so many days. Between two transactions comes `pause`; after
        `within_s` seconds what is left is left for another time."""
        before = self._clock() - days * DAY_MS
        before -= before % QUARTER_MS
        began = time.monotonic()
        requests = responses = 0
        after: str | None = ""
        while after is not None:
            if within_s is not None and time.monotonic() - began > within_s:
                return Purged(requests, responses, is_done=False)
            after, gone = self._writer.run(_requests(before, after))
            requests += gone
            pause()
        while gone := self._writer.run(_responses(before)):
            responses += gone
            pause()
        self._writer.run(_periods(before))
        return Purged(requests, responses, is_done=True)


def _requests(before: int, after: str) -> Callable[[Connection], tuple[str | None, int]]:
    """Purge for a moment, from the request after this one on. Ids begin with their time: where
    no old one is found, there is none behind it."""

    def job(connection: Connection) -> tuple[str | None, int]:
        _mark(connection, before)
        ends = time.monotonic() + LONGEST_S
        last, gone = after, 0
        while True:
            page = connection.execute(_NEXT, (last, PAGE)).fetchall()
            old = [row for row in page if row[1] < before]
            if not old:
                return None, gone
            gone += _let_go(connection, [id for id, _, ended_ms in old if ended_ms is not None])
            last = page[-1][0]
            if time.monotonic() > ends:
                return last, gone

    return job


def _let_go(connection: Connection, ids: Sequence[str]) -> int:
    if not ids:
        return 0
    still = {id for (id,) in connection.execute(_OPEN.format(_marks(ids)), ids)}
    ids = [id for id in ids if id not in still]
    if not ids:
        return 0
    marks = _marks(ids)
    for budget, start_ms, took in connection.execute(_TOOK.format(marks), ids).fetchall():
        connection.execute(_FOLD, (took, budget, start_ms))
    for statement in _DELETE:
        connection.execute(statement.format(marks), ids)
    return len(ids)


def _responses(before: int) -> Callable[[Connection], int]:
    def job(connection: Connection) -> int:
        old = connection.execute(_OLD_RESPONSES, (before, PAGE)).fetchall()
        for statement in _RESPONSE:
            connection.executemany(statement, old)
        return len(old)

    return job


def _periods(before: int) -> Callable[[Connection], None]:
    def job(connection: Connection) -> None:
        connection.execute(_WINDOWS, (before,))
        connection.execute(_ALERTS, (before,))

    return job


def _mark(connection: Connection, before: int) -> None:
    """It only moves forward: what was let go of does not come back when more is to be kept."""
    if kept_since(connection) < before:
        connection.execute(_MARK, (KEPT_SINCE, str(before)))


def _marks(ids: Sequence[str]) -> str:
    return ",".join("?" * len(ids))

"""A budget whose newest period lies in the future, as the clock was set back (TRUST B12).

Nobody can tell whether the clock was wrong then or is wrong now. So the budget goes on counting in
that period: nothing is spent twice. But when one whole period has passed by the clock of now, the
budget renews as it would have: what was counted in the future is put back to where it was really
spent, and a period begins anew. A clock that was months ahead for an hour costs at most two
periods, not months; one that was a day ahead, nothing.
"""

from __future__ import annotations

import logging

from larouter.budget import window_at
from larouter.core.budget import Budget
from larouter.store.sql import Connection

_NOTE = """INSERT INTO setting (name, value) VALUES (?,?)
 ON CONFLICT (name) DO UPDATE SET value = excluded.value"""
_AHEAD = "SELECT start_ms FROM budget_window WHERE budget_id=? AND start_ms > ? ORDER BY start_ms"
_TAKEN = "SELECT count(*) FROM budget_window WHERE budget_id=? AND start_ms=?"
_MOVE = (
    "UPDATE hold SET start_ms=? WHERE budget_id=? AND start_ms=?",
    "UPDATE alert SET start_ms=? WHERE budget_id=? AND start_ms=?",
    "UPDATE budget_window SET start_ms=? WHERE budget_id=? AND start_ms=?",
)

logger = logging.getLogger(__name__)


def renewal_after(connection: Connection, budget: Budget, start_ms: int, at_ms: int) -> int:
    """When the budget renews, though its newest period begins only at `start_ms`: at the end of
    the first whole period since the clock was seen to be back."""
    back_ms = _back_since(connection, budget, start_ms)
    if back_ms is None or at_ms < back_ms:
        back_ms = at_ms
        connection.execute(_NOTE, (_name(budget), f"{start_ms}:{back_ms}"))
        logger.warning(
            "the clock was set back: the budget %r goes on counting in its period from %d on",
            budget.name, start_ms,
        )  # fmt: skip
    under_way = window_at(budget.period, budget.zone, back_ms)
    return window_at(budget.period, budget.zone, under_way.end_ms).end_ms


def put_back(connection: Connection, budget: Budget, at_ms: int, end_ms: int) -> None:
    """Date every period that lies ahead to when the clock was set back; they end at `end_ms`."""
    ahead = [start_ms for (start_ms,) in connection.execute(_AHEAD, (budget.id, at_ms)).fetchall()]
    begins_ms = _back_since(connection, budget, ahead[-1]) or at_ms
    for start_ms in ahead:
        while connection.execute(_TAKEN, (budget.id, begins_ms)).fetchone()[0]:
            begins_ms += 1
        for statement in _MOVE:
            connection.execute(statement, (begins_ms, budget.id, start_ms))
        connection.execute(
            "UPDATE budget_window SET end_ms=? WHERE budget_id=? AND start_ms=?",
            (end_ms, budget.id, begins_ms),
        )
    connection.execute("DELETE FROM setting WHERE name=?", (_name(budget),))
    logger.warning("the budget %r has been put right after the clock was set back", budget.name)


def _back_since(connection: Connection, budget: Budget, start_ms: int) -> int | None:
    """When the clock was seen before the beginning of this period; None: never yet."""
    row = connection.execute("SELECT value FROM setting WHERE name=?", (_name(budget),)).fetchone()
    start, _, since = row[0].partition(":") if row else ("", "", "")
    return int(since) if start == str(start_ms) else None


def _name(budget: Budget) -> str:
    return f"clock_back:{budget.id}"

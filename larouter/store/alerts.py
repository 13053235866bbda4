"""Alerts: raised with what they are about in one transaction, and marked as seen.

With an alert its letters are written: one for each webhook that is to hear of it. So none is lost
and none is made twice, whenever the process dies (`store.postman` sends them).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from larouter.budget import NEVER_MS
from larouter.core.money import decimal_text
from larouter.core.unusual import HOUR_MS, Unusual
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

BLOCKED = 0
"""The mark of an alert that says: something cost more than it could, look at it."""
TOLD_WITHIN_MS = 3_600_000
"""Of what is older nobody is told any more."""
MACHINE = "machine"
"""Instead of a project's name: this LARouter as a whole."""

_RAISE = """INSERT INTO alert (budget_id, start_ms, mark, spent, cap, created_ms)
 VALUES (?,?,?,?,?,?) ON CONFLICT (budget_id, start_ms, mark) DO NOTHING RETURNING id"""
_RAISE_UNUSUAL = """INSERT INTO alert (start_ms, mark, spent, cap, created_ms, of_project)
 VALUES (?,0,?,?,?,?) ON CONFLICT (of_project, start_ms) WHERE budget_id IS NULL DO NOTHING
 RETURNING id"""
_ABOUT = """SELECT b.project_id, p.name, b.name, b.metric, b.period, b.hard, w.end_ms
 FROM budget b JOIN budget_window w ON w.budget_id = b.id
 LEFT JOIN project p ON p.id = b.project_id WHERE b.id = ? AND w.start_ms = ?"""
# The machine's webhooks hear of everything, a project's of nothing but its own.
_LETTERS = """INSERT INTO webhook_delivery (webhook_id, event, body, created_ms, state, tries)
 SELECT id, ?, ?, ?, 'waiting', 0 FROM webhook
 WHERE removed_ms IS NULL AND stopped_ms IS NULL
  AND (project_id IS NULL OR project_id = CAST(? AS TEXT))"""
_SEE = """UPDATE alert SET seen_ms = ? WHERE seen_ms IS NULL AND (id = ? OR (id < ? AND EXISTS
 (SELECT 1 FROM alert a WHERE a.id = ? AND a.budget_id = alert.budget_id
  AND a.start_ms = alert.start_ms)))"""
_TELL = "UPDATE alert SET told_ms = ? WHERE told_ms IS NULL AND id > ? RETURNING id, created_ms"
_NEWEST = "SELECT coalesce(max(id), 0) FROM alert WHERE told_ms IS NOT NULL"
_SEE_ALL = "UPDATE alert SET seen_ms = ? WHERE seen_ms IS NULL AND id <= ?"


def raise_budget(
    connection: Connection, budget_id: int, start_ms: int, mark: int, spent: int, cap: int,
    at_ms: int,
) -> None:  # fmt: skip
    """A budget has passed a mark, or is blocked. Only the first time in a period is told."""
    row = connection.execute(_RAISE, (budget_id, start_ms, mark, spent, cap, at_ms)).fetchone()
    if row is None:
        return
    project_id, project, name, metric, period, hard, end_ms = connection.execute(
        _ABOUT, (budget_id, start_ms)
    ).fetchone()
    data = {
        "alert_id": row[0],
        "project": project or MACHINE,
        "budget": {"id": budget_id, "name": name},
        "metric": metric,
        "period": period,
        "hard": bool(hard),
        "percent": mark or None,
        **amounts("spent", metric, spent),
        **amounts("cap", metric, cap),
        "starts_ms": start_ms,
        "renews_ms": None if end_ms >= NEVER_MS else end_ms,
    }
    kind = "budget.blocked" if mark == BLOCKED else "budget.threshold"
    write_letters(connection, project_id, kind, data, at_ms)


def raise_unusual(
    connection: Connection, project_id: str | None, found: Unusual, at_ms: int
) -> bool:
    """A project, or (None) this machine, spends more than is usual. False: that was told today."""
    row = connection.execute(
        _RAISE_UNUSUAL, (found.day_ms, found.spent, found.limit, at_ms, project_id or "")
    ).fetchone()
    if row is None:
        return False
    name = connection.execute("SELECT name FROM project WHERE id = ?", (project_id,)).fetchone()
    data = {
        "alert_id": row[0],
        "project": name[0] if name else MACHINE,
        "metric": "cost",
        "period": "hourly",
        **amounts("spent", "cost", found.spent),
        **amounts("cap", "cost", found.limit),
        "starts_ms": at_ms - HOUR_MS,
        "renews_ms": None,
    }
    write_letters(connection, project_id, "spend.unusual", data, at_ms)
    return True


def write_letters(
    connection: Connection, project_id: str | None, kind: str, data: dict[str, Any], at_ms: int
) -> None:
    """One for each webhook that hears of this project; None: of the machine alone."""
    connection.execute(_LETTERS, (new_event(), letter(kind, data, at_ms), at_ms, project_id))


def new_event() -> str:
    """An id that no other LARouter and no other data folder has: receivers know letters by it."""
    return f"evt_{secrets.token_hex(12)}"


def letter(kind: str, data: dict[str, Any], at_ms: int) -> str:
    """The body of a webhook in the form of the Standard Webhooks specification."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return msgspec.json.encode(
        {"type": kind, "timestamp": moment.replace("+00:00", "Z"), "data": data}
    ).decode()


def amounts(name: str, metric: str, amount: int) -> dict[str, Any]:
    """Money as decimal text and as the exact integer (TRUST B1); what is counted, as it is."""
    if metric != "cost":
        return {name: amount}
    return {name: decimal_text(amount), f"{name}Nusd": amount}


class Alerts:
    """What the admin does with alerts. They are read in `store.reports`."""

    def __init__(self, writer: Writer, *, clock: Callable[[], int] = now_ms) -> None:
        self._writer = writer
        self._clock = clock
        self._told = 0
        """Up to this alert somebody was told of all."""

    def claim_new(self) -> list[int]:
        """The alerts of the last hour that nobody was told of yet: they are ours to tell, and no
        other process's, nor ours again."""
        now, told = self._clock(), self._told

        def job(connection: Connection) -> tuple[list[Any], int]:
            rows = connection.execute(_TELL, (now, told)).fetchall()
            return rows, connection.execute(_NEWEST).fetchone()[0]

        rows, self._told = self._writer.run(job)
        return sorted(id for id, created_ms in rows if created_ms > now - TOLD_WITHIN_MS)

    def see(self, ids: Sequence[int]) -> int:
        """Mark them as seen, and the lower marks of the same budget and period; return how many
        that changed."""
        now = self._clock()
        return self._writer.run(
            lambda connection: sum(
                connection.execute(_SEE, (now, id, id, id)).rowcount for id in ids
            )
        )

    def see_all(self, newest: int) -> int:
        """Those up to this id: what came since then nobody has seen."""
        now = self._clock()
        return self._writer.run(
            lambda connection: connection.execute(_SEE_ALL, (now, newest)).rowcount
        )

"""How an attempt ended, as plain values: written into the database, or kept aside until it can be.

`apply` may be called again with the same settlement, at once or after a restart: only the first
time changes anything. In a database that was restored, another request's attempt may have the
number by now: that one is left alone.
"""

from __future__ import annotations

from msgspec import Struct

from larouter.core.catalog import Nanodollars
from larouter.core.chat import Usage
from larouter.store.admission import give_back, held_of
from larouter.store.rollups import Rollups, Share
from larouter.store.sql import Connection

_CLOSE_ATTEMPT = """UPDATE attempt SET state=?, provider_id=?, cost_nusd=?, input=?, cache_read=?,
 cache_write_5m=?, cache_write_1h=?, output=?, audio=?, image=?, first_ms=?, ended_ms=?
 WHERE id=? AND request_id=? AND state='pending'"""
_INSERT_ENTRY = (
    "INSERT INTO ledger_entry (attempt_id, kind, cost_nusd, created_ms) VALUES (?,?,?,?)"
)
# Of several attempts it is not always the last one that answers (`core/escalation.py`).
_CLOSE_REQUEST = """UPDATE request SET status=?, error=?, ended_ms=?, stage=?, reason=?, model=?,
 degraded=?, baseline_nusd=? WHERE id=?"""
_OVERRUN = "UPDATE attempt SET overrun = 1 WHERE id = ?"
_FAILED = 400


class Settlement(Struct, frozen=True, kw_only=True):
    """One attempt's end. The names are those of the tables."""

    attempt_id: int
    state: str
    provider_id: str | None
    cost: Nanodollars | None
    usage: Usage
    first_ms: int | None
    ended_ms: int
    final: bool
    request_id: str
    started_ms: int
    """Of the request."""
    status: int
    error: str | None
    stage: str
    reason: str
    degraded: str | None
    baseline: Nanodollars
    share: Share


def apply(connection: Connection, settled: Settlement, rollups: Rollups) -> bool:
    """Write it down; False: it was before."""
    usage, cost, ended_ms = settled.usage, settled.cost, settled.ended_ms
    closed = connection.execute(
        _CLOSE_ATTEMPT,
        (
            settled.state, settled.provider_id, cost, usage.input, usage.cache_read,
            usage.cache_write_5m, usage.cache_write_1h, usage.output, usage.audio, usage.image,
            settled.first_ms, ended_ms, settled.attempt_id, settled.request_id,
        ),
    )  # fmt: skip
    if closed.rowcount == 0:
        return False
    # The rows alone know what it holds: a budget that was made or removed meanwhile is another one
    # than those that `reserve` knew.
    held = held_of(connection, settled.attempt_id)
    if held and give_back(connection, settled, held):
        connection.execute(_OVERRUN, (settled.attempt_id,))
    if cost:
        connection.execute(_INSERT_ENTRY, (settled.attempt_id, "settle", cost, ended_ms))
    final = settled.final
    if final:
        connection.execute(
            _CLOSE_REQUEST,
            (
                settled.status, settled.error, ended_ms, settled.stage, settled.reason,
                settled.share.model, settled.degraded, settled.baseline, settled.request_id,
            ),
        )  # fmt: skip
    rollups.add(
        settled.started_ms,
        settled.share,
        (
            int(final), int(final and settled.status < _FAILED), usage.prompt, usage.cache_read,
            usage.output, cost or 0, int(cost is None), settled.baseline,
        ),
    )  # fmt: skip
    return True

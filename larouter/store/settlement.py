"""How an attempt ended, as plain values: written into the database, or kept aside until it can be.

`apply` may be called again with the same settlement, at once or after a restart: only the first
time changes anything. In a database that was restored, another request's attempt may have the
number by now: that one is left alone.

An end may also come after others took its process for dead and charged the attempt at its hold
(`store/runs.py`): an entry then corrects that one, unless somebody has said meanwhile what became
of it (TRUST B9).
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from larouter.core.catalog import Nanodollars
from larouter.core.chat import Usage
from larouter.store.admission import give_back, held_of
from larouter.store.rollups import Rollups, Share
from larouter.store.sql import Connection

_CLOSE_ATTEMPT = """UPDATE attempt SET state=?, provider_id=?, cost_nusd=?, input=?, cache_read=?,
 cache_write_5m=?, cache_write_1h=?, output=?, audio=?, image=?, first_ms=?, ended_ms=?
 WHERE id=? AND request_id=? AND state=?"""
# Both were closed in one transaction when the process was taken for dead: what it found out by
# itself to be unknown stays so.
_TAKEN_FOR_DEAD = """SELECT a.cost_nusd FROM attempt a JOIN request r ON r.id = a.request_id
 WHERE a.id=? AND a.request_id=? AND a.state='unknown' AND r.error='server_stopped'
 AND r.ended_ms = a.ended_ms"""
_INSERT_ENTRY = (
    "INSERT INTO ledger_entry (attempt_id, kind, cost_nusd, created_ms) VALUES (?,?,?,?)"
)
# Of several attempts it is not always the last one that answers (`core/escalation.py`).
_CLOSE_REQUEST = """UPDATE request SET status=?, error=?, ended_ms=?, stage=?, reason=?, model=?,
 degraded=?, baseline_nusd=? WHERE id=?"""
_STILL_OPEN = f"{_CLOSE_REQUEST} AND status IS NULL"
_CLOSED_FOR_DEAD = """SELECT tier, coalesce(model, '') FROM request
 WHERE id=? AND error='server_stopped'"""
_OVERRUN = "UPDATE attempt SET overrun = 1 WHERE id = ?"
_FAILED = 400


class _Charged(NamedTuple):
    """What an attempt was charged before, and whether its price is unknown (0 or 1)."""

    cost: Nanodollars
    unpriced: int


_NOTHING = _Charged(0, 0)


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
    charged: _Charged | None = None
    if not _close(connection, settled, "pending"):
        charged = _charged_for_dead(connection, settled)
        if charged is None or not _close(connection, settled, "unknown"):
            return False
    usage, cost = settled.usage, settled.cost
    # The rows alone know what it holds: a budget that was made or removed meanwhile is another one
    # than those that `reserve` knew.
    held = held_of(connection, settled.attempt_id)
    if held and give_back(connection, settled, held, is_charged=charged is not None):
        connection.execute(_OVERRUN, (settled.attempt_id,))
    before = charged or _NOTHING
    if difference := (cost or 0) - before.cost:
        kind = "settle" if charged is None else "correct"
        connection.execute(_INSERT_ENTRY, (settled.attempt_id, kind, difference, settled.ended_ms))
    counts = settled.final and _close_request(connection, settled, rollups)
    rollups.add(
        settled.started_ms,
        settled.share,
        (
            int(counts), int(counts and settled.status < _FAILED), usage.prompt, usage.cache_read,
            usage.output, difference, int(cost is None) - before.unpriced,
            settled.baseline if counts else 0,
        ),
    )  # fmt: skip
    return True


def _close(connection: Connection, settled: Settlement, state: str) -> bool:
    """End an attempt that is in this state."""
    usage = settled.usage
    closed = connection.execute(
        _CLOSE_ATTEMPT,
        (
            settled.state, settled.provider_id, settled.cost, usage.input, usage.cache_read,
            usage.cache_write_5m, usage.cache_write_1h, usage.output, usage.audio, usage.image,
            settled.first_ms, settled.ended_ms, settled.attempt_id, settled.request_id, state,
        ),
    )  # fmt: skip
    return closed.rowcount > 0


def _charged_for_dead(connection: Connection, settled: Settlement) -> _Charged | None:
    """None: its process was not taken for dead, or nothing more is known of it now."""
    if settled.state == "unknown":
        return None
    attempt = (settled.attempt_id, settled.request_id)
    row = connection.execute(_TAKEN_FOR_DEAD, attempt).fetchone()
    return row and _Charged(row[0] or 0, int(row[0] is None))


def _close_request(connection: Connection, settled: Settlement, rollups: Rollups) -> bool:
    """End the request as it ended for its client. False: it has ended otherwise."""
    ended = (
        settled.status, settled.error, settled.ended_ms, settled.stage, settled.reason,
        settled.share.model, settled.degraded, settled.baseline, settled.request_id,
    )  # fmt: skip
    if connection.execute(_STILL_OPEN, ended).rowcount:
        return True
    row = connection.execute(_CLOSED_FOR_DEAD, (settled.request_id,)).fetchone()
    if row is None:
        return False
    connection.execute(_CLOSE_REQUEST, ended)
    # It was counted as one that failed.
    tier, model = row
    rollups.add(
        settled.started_ms,
        settled.share._replace(tier=tier, model=model),
        (-1, 0, 0, 0, 0, 0, 0, 0),
    )
    return True

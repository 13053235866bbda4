"""What became of an attempt whose outcome nobody knew, once somebody does (TRUST B9)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import NamedTuple

from larouter.core.catalog import Nanodollars
from larouter.core.chat import Usage
from larouter.core.errors import Conflict, NotFound
from larouter.core.price_table import read_table
from larouter.store.rollups import Rollups, Share
from larouter.store.sql import Connection

_FIND = """SELECT a.state, a.cost_nusd, a.started_ms, a.service, p.price, r.started_ms,
 a.project_id, r.tier, a.model, coalesce(r.bearer_id, '')
 FROM attempt a JOIN request r ON r.id = a.request_id
 LEFT JOIN price_version p ON p.id = a.price_version WHERE a.id = ?"""
_CHANGE = """UPDATE attempt SET state=?, cost_nusd=?, input=?, cache_read=?, output=?
 WHERE id=? AND state='unknown'"""
_ENTRY = """INSERT INTO ledger_entry (attempt_id, kind, cost_nusd, created_ms)
 VALUES (?,'correct',?,?)"""
_HOLDS = """SELECT h.budget_id, h.start_ms, h.spent, b.metric FROM hold h
 JOIN budget b ON b.id = h.budget_id WHERE h.attempt_id = ? ORDER BY h.budget_id"""


class Corrected(NamedTuple):
    """What an attempt was charged, and is charged now; None: the price is unknown."""

    before: Nanodollars | None
    now: Nanodollars | None


def resolve(
    connection: Connection,
    rollups: Rollups,
    attempt_id: int,
    usage: Usage | None,
    now_ms: int,
) -> Corrected:
    """Charge an `unknown` attempt for what it took, at the price of then; `usage` None: it never
    reached the provider. History is not rewritten: an entry corrects the one before.

    Raises `NotFound`, and `Conflict` for an attempt whose outcome is known.
    """
    row = connection.execute(_FIND, (attempt_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no attempt att_{attempt_id}.", code="attempt_not_found")
    state, before, began_ms, service, price, started_ms, *share = row
    if state != "unknown":
        raise Conflict(f"The attempt att_{attempt_id} is {state}: nothing is unknown about it.")
    cost: Nanodollars | None = 0
    if usage is not None:
        at = datetime.fromtimestamp(began_ms / 1000, UTC)
        found = read_table(json.loads(price)) if price else None
        cost = found.cost(usage, at=at, service=service) if found else None
    used = usage or Usage()
    connection.execute(
        _CHANGE,
        ("released" if usage is None else "settled", cost, used.input, used.cache_read,
         used.output, attempt_id),
    )  # fmt: skip
    difference = (cost or 0) - (before or 0)
    if difference:
        connection.execute(_ENTRY, (attempt_id, difference, now_ms))
    for budget, start_ms, spent, metric in connection.execute(_HOLDS, (attempt_id,)).fetchall():
        requests = 0 if usage is None else spent
        took = {"cost": cost or 0, "tokens": used.prompt + used.output, "requests": requests}[
            metric
        ]
        connection.execute(
            "UPDATE hold SET spent=? WHERE attempt_id=? AND budget_id=?",
            (took, attempt_id, budget),
        )
        connection.execute(
            "UPDATE budget_window SET spent = spent + ? WHERE budget_id=? AND start_ms=?",
            (took - spent, budget, start_ms),
        )
    unpriced = int(cost is None) - int(before is None)
    rollups.add(
        started_ms,
        Share(*share),
        (0, 0, used.prompt, used.cache_read, used.output, difference, unpriced, 0),
    )
    return Corrected(before, cost)

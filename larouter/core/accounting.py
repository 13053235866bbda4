"""What is written down about a request and its attempts, worked out from what became of them."""

from __future__ import annotations

from datetime import UTC, datetime

from larouter.core.account import Attempt, Outcome, Project, RequestRecord
from larouter.core.catalog import Catalog, Model, Nanodollars, Price
from larouter.core.chat import ChatRequest
from larouter.core.errors import (
    BadRequest,
    LARouterError,
    Unavailable,
    UpstreamError,
    UpstreamRefused,
)
from larouter.core.route import Decision, Numbers

CLIENT_LEFT = 499
"""What the row of a request says whose client did not wait for the answer (nginx's number)."""


def record_of(
    request_id: str,
    project: Project,
    request: ChatRequest,
    decision: Decision | None,
    started_ms: int,
) -> RequestRecord:
    """The row of a request; without a decision: it was refused."""
    return RequestRecord(
        id=request_id,
        project=project,
        asked=request.model,
        tier=decision.tier if decision else "-",
        stage=decision.stage if decision else "-",
        score=decision.score if decision else 0.0,
        reason=decision.reason if decision else "",
        stream=request.stream,
        rid=request.rid,
        started_ms=started_ms,
        numbers=decision.numbers if decision else Numbers(),
    )


CLASSIFYING_NUSD: Nanodollars = 0
"""What deciding has cost, to be taken off what was saved by it. Every stage, the judge too, runs
on this machine and calls no provider, so there is nothing to take off: a stage that costs money
would be an attempt of its own in the ledger, and be added up here."""


def saved(baseline: Nanodollars, cost: Nanodollars) -> Nanodollars:
    """What routing has saved, net of what it cost to decide."""
    return baseline - cost - CLASSIFYING_NUSD


def dearest(catalog: Catalog) -> Model | None:
    """The first model of the dearest tier: what savings are measured against where nobody has
    chosen another."""
    for tier in reversed(catalog.tiers):
        for name in tier.models:
            if name in catalog.models:
                return catalog.models[name]
    return None


def baseline_of(
    request: RequestRecord, outcome: Outcome, cost: Nanodollars | None, price: Price | None
) -> Nanodollars:
    """What the same answer would have cost from the model that savings are measured against.

    Of a request that named its model nothing was saved, and what nobody answered would have cost
    nothing. The tokens are those of the answer; another model may have counted them otherwise.
    """
    if outcome.status >= 400:
        return 0
    if request.stage == "explicit" or price is None:
        return cost or 0
    at = datetime.fromtimestamp(request.started_ms / 1000, UTC)
    return price.cost(outcome.usage, at=at) or 0


def failed(attempt: Attempt, error: LARouterError, *, left: bool, final: bool) -> Outcome:
    """What becomes of an attempt that brought nothing (TRUST B9); `left`: the client did."""
    if isinstance(error, UpstreamRefused):
        state = "failed"
    elif isinstance(error, (Unavailable, BadRequest)) or (
        isinstance(error, UpstreamError) and not error.sent
    ):
        state = "released"
    else:
        state = "failed" if attempt.model.is_local else "unknown"
    if left:
        return Outcome(state=state, status=CLIENT_LEFT, error="client_left", final=final)
    return Outcome(state=state, status=error.status, error=error.code, final=final)

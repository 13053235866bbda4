"""What is written down about a request and its attempts, worked out from what became of them."""

from __future__ import annotations

from larouter.core.account import Attempt, Outcome, Project, RequestRecord
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

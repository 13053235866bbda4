"""When a local answer is no good: whom to ask next, in what words that is said, how long to listen.

`core/faults.py` finds the fault, `gateway.py` asks; `Decision.escalations` says who may be asked.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.faults import Heard
from larouter.core.route import Decision

FAULTS = {
    "empty": "the local answer was empty",
    "refused": "the local model refused",
    "cut": "the local answer was cut off",
    "malformed": "the local answer was not in the form that was asked for",
    "degenerate": "the local answer went round in circles",
    "unsure": "the local model was unsure",
    "broken": "the local answer broke off",
}
"""What can be wrong with an answer, in words for people."""

HOLD_TOKENS = 16
"""Tokens of a stream that a project lets wait: enough for a sentence's beginning."""
HOLD_S = 0.4
"""Seconds that they wait at most; nobody notices a shorter wait."""


def is_judged(decision: Decision, model: Model, request: ChatRequest) -> bool:
    """Is the answer of `model` looked at? Of several answers (`n`) the client picks one itself."""
    return bool(decision.escalations) and model.is_local and request.n == 1


def listening(request: ChatRequest, clock: Callable[[], float]) -> Callable[[Heard], bool]:
    """How long to listen to a stream before it is passed on: to its first word, or longer where
    the project says so."""
    until = clock() + HOLD_S

    def enough(heard: Heard) -> bool:
        if heard.answer.tokens() >= HOLD_TOKENS:
            return True
        is_over = not request.policy.hold_first_tokens or clock() >= until
        return is_over and heard.has_begun

    return enough


def raised(decision: Decision, fault: str) -> Decision:
    """The decision to ask one tier up."""
    first = decision.escalations[0].model
    return replace(
        decision,
        choices=decision.escalations,
        escalations=(),
        stage="escalated",
        reason=f"{FAULTS[fault]}: asked {_named(first)} instead; {decision.reason}",
    )


def kept(decision: Decision, fault: str) -> Decision:
    """The decision when nobody one tier up answered, so that the first answer stands."""
    first = decision.escalations[0].model
    reason = f"{FAULTS[fault]}, and {_named(first)} did not answer; {decision.reason}"
    return replace(decision, escalations=(), reason=reason)


def _named(model: Model) -> str:
    return model.title or model.key

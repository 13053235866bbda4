"""Who is judged, how long it is listened to, and the words for it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from larouter.core.escalation import (
    FAULTS,
    HOLD_S,
    HOLD_TOKENS,
    is_judged,
    kept,
    listening,
    raised,
)
from larouter.core.events import Folded, TextDelta
from larouter.core.faults import Heard
from larouter.core.policy import Policy
from larouter.core.route import Choice, Decision
from tests.fakes import CLOUD, LOCAL, OTHER, Clock, a_request, with_fields

DECISION = Decision(
    choices=(Choice(model=LOCAL),), tier="SIMPLE", stage="rules", score=0.3, reason="said",
    escalations=(Choice(model=OTHER), Choice(model=CLOUD)),
)  # fmt: skip
HOLDING = with_fields(a_request(), policy=Policy(hold_first_tokens=True))


@pytest.mark.parametrize(
    ("decision", "model", "n", "expected"),
    [
        (DECISION, LOCAL, 1, True),
        (DECISION, CLOUD, 1, False),
        (DECISION, LOCAL, 2, False),
        (replace(DECISION, escalations=()), LOCAL, 1, False),
    ],
)
def test_who_is_judged(decision, model, n, expected):
    assert is_judged(decision, model, with_fields(a_request(), n=n)) is expected


def _heard(*texts):
    return Heard(answer=Folded(map(TextDelta, texts)))


def test_a_stream_is_listened_to_until_its_first_word():
    enough = listening(a_request(), Clock())

    assert not enough(_heard())
    assert not enough(_heard("\n"))
    assert enough(_heard("\n", "Four"))
    assert enough(_heard(*["\n"] * HOLD_TOKENS))


def test_or_to_its_first_tokens_for_a_while():
    clock = Clock()
    enough = listening(HOLDING, clock)

    assert not enough(_heard("Four"))
    assert enough(_heard(*["Four"] * HOLD_TOKENS))
    clock.advance(HOLD_S)
    assert enough(_heard("Four"))
    assert not enough(_heard())


@pytest.mark.parametrize("fault", FAULTS)
def test_the_reason_says_what_was_wrong_and_who_is_asked(fault):
    decision = raised(DECISION, fault)

    assert decision.reason == f"{FAULTS[fault]}: asked other/other instead; said"
    assert decision.stage == "escalated"
    assert decision.choices == DECISION.escalations
    assert decision.escalations == ()


def test_the_reason_says_that_nobody_answered():
    decision = kept(DECISION, "cut")

    assert decision.reason == ("the local answer was cut off, and other/other did not answer; said")
    assert decision.choices == DECISION.choices
    assert decision.stage == "rules"

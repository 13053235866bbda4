"""What no model of a tier can take goes up; nothing else does (TRUST A4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from larouter.core.errors import BadRequest, ContextExceeded
from tests.fakes import a_catalog, a_request, with_fields
from tests.routing.house import GENIUS, SMALL, SMART, TINY, names, routed

SEEING = replace(SMART, abilities=frozenset({"images"}), context=1_000_000)
WISE = replace(GENIUS, abilities=frozenset({"images"}), context=2_000_000)
BLIND = replace(SMALL, abilities=frozenset({"tools"}), context=8_000)
TINIER = replace(TINY, abilities=frozenset({"tools"}), context=8_000)
HOUSE = a_catalog(
    TINIER, BLIND, SEEING, WISE,
    starter="tiny", SIMPLE=("small",), COMPLEX=("smart",), FRONTIER=("genius",),
)  # fmt: skip
_PICTURE = with_fields(a_request(), needs=frozenset({"images"}))
_LONG = with_fields(a_request(), size=1_000_000)


@pytest.mark.parametrize("request_", [_PICTURE, _LONG])
def test_the_next_dearer_tier_takes_what_no_cheaper_model_can(request_):
    decision = routed(request_, catalog=HOUSE)

    assert names(decision)[0] == "smart"
    assert (decision.tier, decision.stage) == ("COMPLEX", "gate")
    assert decision.reason.startswith("said; no cheaper model can take this request")


def test_a_tier_that_is_not_ready_is_passed_over():
    decision = routed(_PICTURE, catalog=HOUSE, without={"smart": "no-key"})

    assert (names(decision), decision.tier) == (["genius"], "FRONTIER")


@pytest.mark.parametrize(("request_", "error"), [(_PICTURE, BadRequest), (_LONG, ContextExceeded)])
def test_without_a_key_the_reason_is_told(request_, error):
    missing = {"smart": "no-key", "genius": "no-key"}

    with pytest.raises(error):
        routed(request_, catalog=HOUSE, without=missing)


def test_a_tier_that_was_asked_for_by_name_is_not_left():
    with pytest.raises(BadRequest):
        routed(with_fields(_PICTURE, model="simple"), catalog=HOUSE)


def test_larger_models_wait_for_a_prompt_that_turns_out_too_long():
    decision = routed(catalog=HOUSE)

    assert [(choice.model.id, choice.if_too_long) for choice in decision.choices] == [
        ("small", False), ("tiny", False), ("smart", True), ("genius", True),
    ]  # fmt: skip
    assert decision.stage == "rules"


def test_a_picture_goes_to_no_model_that_is_known_to_be_blind():
    blind = replace(SMART, abilities=frozenset({"tools"}))
    catalog = a_catalog(TINIER, blind, starter="tiny", SIMPLE=("tiny",), COMPLEX=("smart",))

    with pytest.raises(BadRequest, match="images"):
        routed(with_fields(_PICTURE, model="smart"), catalog=catalog)

"""Who may be asked when a local answer is no good."""

from __future__ import annotations

from decimal import Decimal

import pytest

from larouter.core.catalog import Price
from tests.routing.house import GENIUS, HOUSE, SMART, asking, changed, routed


def _above(policy=None, /, *, model="auto", **situation):
    fields = situation.pop("fields", {})
    decision = routed(asking(policy or {}, model=model, **fields), **situation)
    return [choice.model.id for choice in decision.escalations]


def test_local_models_one_tier_up():
    assert _above() == ["large", "lesser"]
    assert _above(verdict="HEARTBEAT") == ["small"]
    assert _above(verdict="MODERATE") == []


@pytest.mark.parametrize(
    ("escalation", "expected"),
    [("off", []), ("local", ["large", "lesser"]), ("cloud", ["large", "lesser", "smart"])],
)
def test_as_far_as_the_project_agrees(escalation, expected):
    assert _above({"escalation": escalation}) == expected


def test_the_nearest_tier_that_has_one():
    without = {"large": "not-downloaded", "lesser": "not-downloaded", "small": "not-downloaded"}

    assert _above(verdict="HEARTBEAT", without={"small": "not-downloaded"}) == ["large", "lesser"]
    assert _above({"escalation": "cloud"}, verdict="HEARTBEAT", without=without) == ["smart"]
    assert _above(
        {"escalation": "cloud"}, verdict="HEARTBEAT", without={**without, "smart": "no-key"}
    ) == ["genius"]


def test_the_starter_is_below_all_tiers():
    without = {"small": "not-downloaded", "large": "not-downloaded"}

    decision = routed(asking({}), without={**without, "lesser": "not-downloaded"})

    assert decision.choices[0].model.id == "tiny"
    assert decision.escalations == ()


def test_a_cloud_answer_is_the_last_word():
    assert _above({"escalation": "cloud"}, verdict="COMPLEX") == []


@pytest.mark.parametrize(
    "policy",
    [
        {"mode": "local-only"},
        {"providers": frozenset({"openai"})},
        {"max_cost": 1},
        {"privacy": frozenset({"secrets"})},
    ],
)
def test_no_policy_is_got_round(policy):
    above = _above(
        {"escalation": "cloud", **policy},
        private=lambda request: "secrets",
    )

    assert above == ["large", "lesser"]


def test_an_allowed_provider_may_be_asked():
    policy = {"escalation": "cloud", "providers": frozenset({"google"})}

    assert _above(policy) == ["large", "lesser", "smart"]


def test_a_model_that_was_named_answers_alone():
    assert _above({"escalation": "cloud"}, model="small") == []
    assert _above({"escalation": "cloud"}, model="local/small") == []


def test_a_tier_that_was_named_may_be_left_for_a_free_model():
    assert _above(model="SIMPLE") == ["large", "lesser"]


def test_the_result_of_a_tool_stays_with_its_model():
    fields = {"answers": ("call_1",)}

    assert _above(fields=fields, caller=lambda request: "local/small") == []


def test_numbers_are_no_answer_to_judge():
    assert _above(fields={"needs": frozenset({"embeddings"})}) == []


def test_what_cannot_do_it_is_not_asked():
    catalog = changed(GENIUS, price=Price(input=Decimal(0), output=Decimal(0), source="x"))
    catalog = changed(SMART, catalog=catalog, abilities=frozenset({"images"}))
    fields = {"needs": frozenset({"tools"})}

    assert _above({"escalation": "cloud"}, catalog=catalog, fields=fields) == [
        "large", "lesser", "genius",
    ]  # fmt: skip


def test_pins_are_a_projects_own_tiers():
    pins = {"MODERATE": ("local/tiny",)}

    assert _above({"pins": pins}) == ["tiny"]
    assert _above({"pins": {**pins, "SIMPLE": ("tiny",)}}) == []
    assert HOUSE.tiers[2].models == ("large", "lesser")

"""From a request and a verdict to the models that may answer, best first."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists, sampled_from, sets

from larouter.core.errors import LARouterError
from larouter.core.pace import Forecast
from larouter.core.policy_rules import parse_rule
from larouter.core.route import Numbers
from tests.fakes import a_catalog, a_request, with_fields
from tests.routing.house import (
    HOUSE,
    SMALL,
    SMART,
    TINY,
    a_verdict,
    asking,
    changed,
    first,
    names,
    routed,
)


def test_auto_is_what_the_classifier_says():
    decision = routed(verdict="FRONTIER")

    assert first(decision) == ("genius", None)
    assert (decision.tier, decision.stage) == ("FRONTIER", "rules")
    assert decision.score == 0.3
    assert decision.reason == "said; needs a strong model: 30% likely, limit 50%"
    assert decision.verdict is not None


@pytest.mark.parametrize("name", ["auto", "AUTO", "Auto"])
def test_auto_is_written_in_any_case(name):
    assert first(routed(a_request(model=name))) == ("small", None)


@pytest.mark.parametrize("name", ["simple", "SIMPLE", "Simple", "sImPlE"])
def test_a_tier_is_written_in_any_case(name):
    decision = routed(a_request(model=name), verdict="FRONTIER")

    assert first(decision) == ("small", None)
    assert (decision.tier, decision.stage, decision.score) == ("SIMPLE", "explicit", 0.25)
    assert decision.reason == "tier SIMPLE was asked for"


@pytest.mark.parametrize("tier", ["complex", "COMPLEX"])
def test_the_header_forces_a_tier(tier):
    assert routed(a_request(model="auto", tier=tier)).tier == "COMPLEX"
    assert routed(a_request(model="simple", tier=tier)).tier == "COMPLEX"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("smart", "google/smart-2026"),
        ("google/smart", "google/smart-2026"),
        ("google/smart-2026", "google/smart-2026"),
        ("openai/smart", "openai/smart"),
        ("openai/org/name:tag", "openai/org/name:tag"),
        ("local/large", "local/large"),
    ],
)
def test_a_model_is_named_by_its_id_or_its_provider(name, key):
    decision = routed(a_request(model=name))

    assert [choice.model.key for choice in decision.choices] == [key]
    assert (decision.tier, decision.stage) == ("-", "explicit")
    assert decision.reason == f"{key} was asked for by name"


def test_a_missing_model_is_stood_in_for_by_the_next_cheaper_tier():
    decision = routed(verdict="FRONTIER", without={"genius": "no-key"})

    assert names(decision) == ["smart", "large", "lesser", "small", "tiny"]
    assert {choice.degraded for choice in decision.choices} == {"no-key"}
    assert decision.reason == "said; needs a strong model: 30% likely, limit 50%; Genius has no key"
    assert [(gate.model, gate.why) for gate in decision.gates] == [("anthropic/genius", "no-key")]


def test_without_any_key_the_machine_answers():
    decision = routed(verdict="FRONTIER", without={"genius": "no-key", "smart": "no-key"})

    assert first(decision) == ("large", "no-key")


def test_a_cheap_tier_is_stood_in_for_by_free_models_only():
    decision = routed(a_request(model="heartbeat"), without={"tiny": "not-downloaded"})

    assert names(decision) == ["small", "large", "lesser"]
    assert first(decision) == ("small", "not-downloaded")


@pytest.mark.parametrize("verdict", ["HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER"])
def test_a_fallback_is_never_of_a_dearer_price(verdict):
    rank = [tier.name for tier in HOUSE.tiers].index(verdict)
    dearer = {name for tier in HOUSE.tiers[rank + 1 :] for name in tier.models}

    choices = routed(verdict=verdict).choices

    assert not [c for c in choices if c.model.id in dearer and not c.model.price.is_free]


def test_a_tiers_second_model_is_still_its_own():
    decision = routed(verdict="MODERATE", without={"large": "not-downloaded"})

    assert names(decision)[:2] == ["lesser", "small"]
    assert [choice.degraded for choice in decision.choices] == [None] + 2 * ["not-downloaded"]
    assert "Large" not in decision.reason


def test_the_starter_comes_last():
    catalog = a_catalog(TINY, SMALL, SMART, starter="tiny", SIMPLE=("small",), COMPLEX=("smart",))

    assert names(routed(catalog=catalog)) == ["small", "tiny"]
    assert first(routed(catalog=catalog, without={"small": "engine-down"})) == (
        "tiny", "engine-down",
    )  # fmt: skip


def test_a_catalogue_may_have_no_starter():
    catalog = a_catalog(SMALL, SIMPLE=("small",))

    assert names(routed(catalog=catalog)) == ["small"]


def test_a_model_that_cannot_do_it_is_passed_over():
    catalog = changed(SMALL, abilities=frozenset({"logprobs"}))
    tools = a_request(tools=[{"type": "function", "function": {"name": "f"}}])

    decision = routed(tools, catalog=catalog)

    assert first(decision) == ("tiny", "policy")
    assert decision.reason.endswith("; Small cannot do tools")


def test_a_prompt_that_does_not_fit_goes_to_a_model_that_it_fits():
    catalog = changed(SMALL, context=160)  # ten of them beside an answer of typical length
    long = with_fields(a_request(), size=121)

    assert first(routed(long, catalog=catalog)) == ("tiny", "context")
    assert first(routed(with_fields(long, size=120), catalog=catalog)) == ("small", None)


def test_what_a_policy_keeps_out_is_stood_in_for_and_the_stage_says_so():
    decision = routed(asking({"mode": "local-only"}), verdict="COMPLEX")

    assert first(decision) == ("large", "local-only")
    assert (decision.tier, decision.stage) == ("COMPLEX", "policy")
    assert "Smart is not on this machine, and the mode is local-only" in decision.reason


def test_what_is_private_stays_here_and_the_stage_says_so():
    request = asking({"privacy": frozenset({"card"})})

    hard = routed(request, verdict="COMPLEX", private=lambda asked: "card")
    easy = routed(request, verdict="SIMPLE", private=lambda asked: "card")

    assert first(hard) == ("large", "local-only")
    assert hard.stage == "privacy"
    assert hard.reason.startswith("a card number keeps this conversation on this machine; said")
    assert (first(easy), easy.stage) == (("small", None), "rules")
    assert hard.numbers.private
    assert {choice.model.is_local for choice in (*hard.choices, *easy.choices)} == {True}


def test_private_text_is_looked_for_once_and_only_where_a_project_wants_it():
    looked = []

    def private(request):
        looked.append(request)

    plain = routed(a_request(), private=private)
    routed(asking({"mode": "local-only"}), private=private)
    assert looked == []
    by_kind = routed(asking({"privacy": frozenset({"email"})}), verdict="COMPLEX", private=private)
    routed(asking({"patterns": ("ACME-####",)}), verdict="COMPLEX", private=private)

    assert len(looked) == 2
    assert not plain.numbers.private
    assert first(by_kind) == ("smart", None)


def test_in_cloud_only_an_easy_request_goes_to_the_first_tier_that_has_a_cloud():
    decision = routed(asking({"mode": "cloud-only"}), verdict="SIMPLE")

    assert (names(decision)[0], decision.tier, decision.stage) == ("smart", "COMPLEX", "policy")
    assert decision.reason.startswith(
        "said; no cheaper model can take this request; needs a strong"
    )
    assert all(not choice.model.is_local for choice in decision.choices)


def test_a_budget_that_is_spent_leaves_what_is_free():
    spent = routed(asking(over_budget=True), verdict="COMPLEX")
    left = routed(asking({"when_spent": "local"}), verdict="COMPLEX")

    assert first(spent) == ("large", "budget")
    assert first(left) == ("smart", None)


def test_a_rule_goes_before_the_slider():
    policy = {"rules": (parse_rule("if tag = legal then COMPLEX"),), "quality": 0.0}
    legal = a_verdict("MODERATE", tags=frozenset({"legal"}), need_strong=0.1)

    decision = routed(asking(policy), verdict=legal)

    assert (first(decision), decision.tier) == (("smart", None), "COMPLEX")
    assert decision.stage == "policy"
    assert decision.reason == "rule: if tag = legal then COMPLEX; said"


def test_a_slider_moves_what_is_close_to_the_border():
    close = a_verdict("MODERATE", need_strong=0.4)

    up = routed(asking({"quality": 0.8}), verdict=close)

    assert (first(up), up.tier, up.stage) == (("smart", None), "COMPLEX", "policy")
    assert up.reason == (
        "COMPLEX instead of MODERATE: needs a strong model: 40% likely, "
        "over your limit of 20%; said"
    )


def test_a_model_that_rests_is_stood_in_for():
    decision = routed(
        verdict="COMPLEX", rests=lambda key: 4.2 if key == "google/smart-2026" else 0.0
    )

    assert first(decision) == ("large", "provider-down")
    assert decision.reason.endswith("Smart failed several times in a row and rests for 4 s")


def test_a_decision_keeps_the_numbers_that_it_was_made_from():
    verdict = a_verdict(
        "MODERATE", need_strong=0.42, probabilities=(0.0, 0.1, 0.6, 0.2, 0.1),
        tags=frozenset({"legal", "code"}), language="de",
    )  # fmt: skip
    request = with_fields(
        a_request(), needs=frozenset({"tools", "json_schema"}), size=4_000, n=2, max_output=9_999
    )

    assert routed(request, verdict=verdict).numbers == Numbers(
        tier="MODERATE", probabilities=(0.0, 0.1, 0.6, 0.2, 0.1), need_strong=0.42,
        prompt_tokens=1_000, output_tokens=1_000, max_output=9_999,
        needs=("json_schema", "tools"), tags=("code", "legal"), language="de", turns=1,
    )  # fmt: skip


def test_a_named_model_has_numbers_too():
    numbers = routed(with_fields(a_request(model="smart"), size=400)).numbers

    assert (numbers.tier, numbers.prompt_tokens, numbers.output_tokens) == ("", 100, 500)


COMPLEX_SLOW = {"google/smart-2026": (3.0, 60.0), "local/large": (0.4, 4.0)}


def _forecast(measured):
    """What was measured, by the model's key: seconds to the first token, and in total."""

    def forecast(model, prompt, output):
        found = measured.get(model.key)
        return Forecast(found[0], found[1], True) if found else None

    return forecast


def test_a_stand_in_that_is_much_sooner_and_good_enough_answers_first():
    likely = a_verdict("COMPLEX", probabilities=(0.0, 0.1, 0.8, 0.1, 0.0), need_strong=0.6)

    decision = routed(verdict=likely, forecast=_forecast(COMPLEX_SLOW))

    assert first(decision) == ("large", "loading")
    assert (decision.choices[1].model.id, decision.choices[1].degraded) == ("smart", None)
    assert decision.stage == "rules"
    assert decision.reason.endswith("Smart would take about 60 s, Large about 4.0 s")


def test_the_reason_says_when_the_first_word_is_expected():
    decision = routed(verdict="MODERATE", forecast=_forecast(COMPLEX_SLOW))

    assert decision.reason.endswith("Large is hot: first word in about 0.4 s")


@pytest.mark.parametrize("verdict", ["HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER"])
@given(
    mode=sampled_from(("balanced", "cheapest", "best", "local-only")),
    quality=floats(0, 1),
    missing=sets(sampled_from(sorted(HOUSE.models))),
    seconds=lists(floats(0, 100), min_size=6, max_size=6),
)
def test_nothing_but_the_slider_ever_leaves_a_tier_upwards_for_money(
    verdict, mode, quality, missing, seconds
):
    """TRUST A4, whatever is missing and however slow the others are."""
    measured = {
        model.key: (total / 2, total)
        for model, total in zip(HOUSE.models.values(), seconds, strict=True)
    }
    request = asking({"mode": mode, "quality": quality})
    without = dict.fromkeys(missing, "no-key")

    with suppress(LARouterError):
        decision = routed(request, verdict=verdict, without=without, forecast=_forecast(measured))
        found = HOUSE.tier(decision.tier)
        assert found is not None
        dearer = {name for tier in HOUSE.tiers[found.rank + 1 :] for name in tier.models}
        assert not [
            choice for choice in decision.choices
            if choice.model.id in dearer and not choice.model.price.is_free
        ]  # fmt: skip
        assert decision.stage != "gate"

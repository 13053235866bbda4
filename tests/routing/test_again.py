"""Recorded requests decided once more: as they were, under another policy, in another world."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from larouter.core.catalog import FREE, Model, Price
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.policy_rules import parse_rule
from larouter.core.replay import Recorded
from larouter.core.route import Numbers, Verdict
from larouter.routing import Situation, route
from larouter.routing.again import Again
from tests.fakes import a_catalog, a_request

PRICE = Price(input=Decimal(2), output=Decimal(10))
SMALL = Model(id="small", name="small", provider="local", price=FREE, context=4_000)
LARGE = Model(id="large", name="large", provider="openai", price=PRICE, max_output=1_000)
BEST = Model(id="best", name="best", provider="anthropic", price=PRICE, max_output=1_000)
CATALOG = a_catalog(SMALL, LARGE, BEST, LOW=("small",), MID=("large",), TOP=("best",))
PROVIDERS = {"openai": PRICE, "anthropic": PRICE, "local": FREE}
UNSURE = Numbers(
    tier="LOW", probabilities=(0.6, 0.3, 0.1), need_strong=0.4, prompt_tokens=100, turns=1
)


def _row(model="local/small", *, numbers=UNSURE, **facts):
    defaults = {
        "id": "req_1", "project": "p", "asked": "auto", "tier": "LOW", "stage": "learned",
        "started_ms": 0,
    }  # fmt: skip
    return Recorded(model=model, numbers=numbers, **{**defaults, **facts})


def _again(policy=DEFAULT_POLICY, *, bias=0.0, catalog=CATALOG, missing=lambda model: None):
    return Again(catalog, PROVIDERS, missing, {"p": (policy, bias)})


def _where(row, policy=DEFAULT_POLICY, **world):
    remade = _again(policy, **world).decide(row)
    return remade and (remade.tier, remade.model.id)


def test_what_was_decided_is_decided_again():
    verdict = Verdict(
        tier="MID", score=0.6, need_strong=0.7, confidence=0.8, stage="learned", reason="said",
        probabilities=(0.1, 0.7, 0.2), tags=frozenset({"code"}), language="de",
    )  # fmt: skip
    situation = Situation(
        catalog=lambda: CATALOG, providers=PROVIDERS, missing=lambda model: None,
        classify=lambda request: verdict,
    )  # fmt: skip
    decision = route(a_request("hello", max_tokens=50), situation)

    row = _row("openai/large", tier=decision.tier, stage=decision.stage, numbers=decision.numbers)

    assert (decision.numbers.tier, decision.numbers.language) == ("MID", "de")
    assert decision.numbers.max_output == 50
    assert _where(row) == ("MID", "large")


def test_a_policy_moves_it():
    assert _where(_row()) == ("LOW", "small")
    assert _where(_row(), Policy(quality=0.9)) == ("MID", "large")
    assert _where(_row(), Policy(mode="cloud-only"))[1] != "small"


def test_a_bias_moves_it():
    assert _where(_row(), bias=1.0) == ("MID", "large")


def test_a_project_that_is_gone_has_the_default_policy():
    again = Again(CATALOG, PROVIDERS, lambda model: None, {})

    remade = again.decide(_row())
    assert remade is not None
    assert remade.model is SMALL


def test_a_policy_that_was_in_force_is_not_counted_twice():
    row = _row("openai/large", tier="MID", stage="policy")

    assert _where(row) == ("LOW", "small")
    assert _where(row, Policy(quality=0.9)) == ("MID", "large")


def test_an_old_row_has_the_tier_that_it_got():
    numbers = replace(UNSURE, tier="")

    assert _where(_row("openai/large", tier="MID", numbers=numbers)) == ("MID", "large")


def test_a_tier_that_is_gone_becomes_the_dearest():
    assert _where(_row(numbers=replace(UNSURE, tier="GONE"))) == ("TOP", "best")


def test_a_named_model_keeps_to_it_within_policy():
    row = _row("openai/large", stage="explicit", tier="-", asked="openai/large")

    assert _where(row, Policy(mode="cheapest")) == ("-", "large")
    assert _where(row, Policy(mode="local-only")) is None


def test_a_named_model_that_is_gone_answers_nothing():
    assert _where(_row("x/gone", stage="explicit", tier="-", asked="x/gone")) is None


def test_a_named_tier_stays():
    by_header = _row("anthropic/best", stage="explicit", tier="TOP")
    by_name = replace(by_header, asked="top")

    assert _where(by_header, Policy(mode="cheapest")) == ("TOP", "best")
    assert _where(by_name, Policy(mode="cheapest")) == ("TOP", "best")


def test_a_name_that_was_routed_as_auto_is_so_again():
    assert _where(_row(asked="gpt-of-old")) == ("LOW", "small")


def test_the_result_of_a_tool_follows_the_request_before_it():
    again = _again(Policy(quality=0.9))
    result = _row(stage="sticky", numbers=Numbers(prompt_tokens=200, turns=3))

    first = again.decide(_row())
    elsewhere = again.decide(replace(result, project="q"))

    assert [remade.model for remade in (first, elsewhere) if remade] == [LARGE, SMALL]
    assert again.decide(result) is first


def test_the_result_of_a_tool_with_nothing_before_it_keeps_its_tier():
    numbers = Numbers(prompt_tokens=200, turns=3)

    assert _where(_row("openai/large", stage="sticky", tier="MID", numbers=numbers)) == (
        "MID", "large"
    )  # fmt: skip
    assert _where(_row("x/y", stage="sticky", tier="-", numbers=numbers)) == ("TOP", "best")


def test_a_conversation_that_stayed_and_was_judged_is_judged_again():
    assert _where(_row("openai/large", stage="sticky", tier="MID")) == ("LOW", "small")


def test_needs_and_length_still_count():
    blind = a_catalog(
        Model(id="small", name="small", provider="local", price=FREE,
              abilities=frozenset({"tools"}), context=4_000),
        LARGE, LOW=("small",), MID=("large",),
    )  # fmt: skip
    sees = _row(numbers=replace(UNSURE, probabilities=(0.9, 0.1), needs=("images",)))
    long = _row(numbers=replace(UNSURE, probabilities=(0.9, 0.1), prompt_tokens=100_000))

    assert _where(sees, catalog=blind) == ("MID", "large")
    assert _where(long, catalog=blind) == ("MID", "large")


def test_what_was_private_stays_private_where_privacy_is_wanted():
    private = _row(numbers=replace(UNSURE, need_strong=0.9, tier="MID", private=True))

    assert _where(private) == ("MID", "large")
    assert _where(private, Policy(privacy=frozenset({"email"})))[1] == "small"
    open_one = replace(private, numbers=replace(private.numbers, private=False))
    assert _where(open_one, Policy(privacy=frozenset({"email"}))) == ("MID", "large")


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ("if tag = legal then TOP", ("TOP", "best")),
        ("if language = de then TOP", ("TOP", "best")),
        ("if turns > 4 then TOP", ("TOP", "best")),
        ("if tokens > 99 then TOP", ("TOP", "best")),
        ("if tag = code then TOP", ("LOW", "small")),
    ],
)
def test_rules_are_asked(rule, where):
    numbers = replace(UNSURE, tags=("legal",), language="de", turns=5)

    assert _where(_row(numbers=numbers), Policy(rules=(parse_rule(rule),))) == where


def test_a_limit_of_price_counts_the_client_s_own_limit():
    policy = Policy(max_cost=2_000_000)
    row = _row("openai/large", numbers=replace(UNSURE, tier="MID", need_strong=0.9))
    short = replace(row, numbers=replace(row.numbers, max_output=50))

    assert _where(row, policy) == ("MID", "small")
    assert _where(short, policy) == ("MID", "large")


def test_what_is_missing_now_cannot_answer():
    def missing(model):
        return None if model.is_local else "no-key"

    assert _where(_row(numbers=replace(UNSURE, tier="TOP")), missing=missing) == ("TOP", "small")
    assert _where(_row(), missing=lambda model: "no-key") is None


def test_a_catalogue_without_tiers_decides_nothing():
    bare = a_catalog(LARGE)

    assert _where(_row(), catalog=bare) is None
    assert _where(_row(stage="explicit", tier="-", asked="large"), catalog=bare) == ("-", "large")

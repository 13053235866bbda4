"""What a policy forbids, row by row."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from larouter.core.budget import Beyond, bound_of
from larouter.core.catalog import FREE, Model, Price
from larouter.core.policy import DEFAULT_POLICY
from larouter.routing.policies import POLICIES, RULED_LOCAL, limits_of, most_cost, own_models
from tests.fakes import a_request, with_fields
from tests.routing.house import GENIUS, HOUSE, LARGE, SMALL, SMART, a_case, asking

OWN = Model(id="own", name="own", provider="ollama", price=FREE)
ROWS = {row.name: row for row in POLICIES}


@pytest.mark.parametrize(
    ("name", "policy", "more", "kept_out"),
    [
        ("privacy", {}, {"private": "card"}, {"smart", "own"}),
        ("local-only", {"mode": "local-only"}, {}, {"smart", "own"}),
        ("cloud-only", {"mode": "cloud-only"}, {}, {"small"}),
        ("providers", {"providers": frozenset({"google"})}, {}, {"own", "genius"}),
        ("providers", {"providers": frozenset()}, {}, {"own", "smart", "genius"}),
        ("max-cost", {"max_cost": 10**7}, {}, {"smart", "genius"}),
    ],
)
def test_a_row_keeps_out_what_it_names(name, policy, more, kept_out):
    case = a_case(asking(policy), **more)
    row = ROWS[name]

    assert row.applies(case)
    assert limits_of(case) == (row,)
    for model in (SMALL, SMART, OWN, *([GENIUS] if "genius" in kept_out else [])):
        words = row.refuses(model, case)
        assert (words is not None) == (model.id in kept_out), model.id


def test_a_new_project_has_no_limits():
    assert limits_of(a_case()) == ()
    assert not RULED_LOCAL.applies(a_case())


def test_a_budget_that_is_not_spent_keeps_nobody_out():
    assert limits_of(a_case(asking({"when_spent": "local"}))) == ()


def test_a_budget_that_is_spent_keeps_out_what_costs():
    case = a_case(asking(over_budget=True))

    assert limits_of(case) == (ROWS["budget"],)
    assert ROWS["budget"].refuses(SMART, case)
    assert ROWS["budget"].refuses(SMALL, case) is None


@pytest.mark.parametrize(
    ("kind", "said"), [("id", "an identity number"), ("x", "something private")]
)
def test_what_is_private_is_named(kind, said):
    words = ROWS["privacy"].refuses(SMART, a_case(private=kind))

    assert words == f"is not on this machine, which {said} may not leave"


def test_a_rule_may_keep_a_request_here():
    assert RULED_LOCAL.refuses(SMALL, a_case()) is None
    assert RULED_LOCAL.refuses(SMART, a_case()) is not None


def test_the_upper_bound_of_a_call():
    request = with_fields(a_request(), size=1_000, n=2)  # $5 and $25 for a million tokens

    assert most_cost(bound_of(SMALL, request)) == 0
    assert most_cost(bound_of(SMART, request)) == 1_000 * 5_000 + 2 * 1_000 * 25_000
    assert (
        most_cost(bound_of(SMART, with_fields(request, max_output=10)))
        == 5_000_000 + 2 * 10 * 25_000
    )
    assert most_cost(bound_of(replace(SMART, max_output=None), request)) is None
    assert most_cost(bound_of(replace(SMART, price=Price()), request)) is None
    searching = bound_of(SMART, request, beyond=Beyond(tool="web_search"))
    assert most_cost(searching) is None


def test_a_price_that_nobody_knows_is_over_every_limit():
    case = a_case(asking({"max_cost": 10**9}))

    assert "no known upper price" in (
        ROWS["max-cost"].refuses(replace(SMART, max_output=None), case) or ""
    )
    assert ROWS["max-cost"].refuses(SMART, case) is None


def test_the_limit_and_the_bound_are_told_in_dollars():
    request = asking({"max_cost": 1_000_000}, size=1_000)

    assert ROWS["max-cost"].refuses(SMART, a_case(request)) == (
        "may cost up to $0.03, over the $0.001 for a request"
    )


def test_a_pin_goes_before_the_catalogue():
    [*_, moderate, complex_, _] = HOUSE.tiers
    pins = {"COMPLEX": ("large", "openai/x", "nobody/y"), "MODERATE": ("gone",)}
    case = a_case(asking({"pins": pins}))

    assert [model.key for model in own_models(complex_, case)] == ["local/large", "openai/x"]
    assert own_models(moderate, case)[0] is LARGE
    assert own_models(complex_, a_case()) == (SMART,)
    assert DEFAULT_POLICY.pins == {}


def test_the_words_have_prices_as_decimals():
    dear = replace(SMART, price=Price(input=Decimal("0.5"), output=Decimal("0.5")), max_output=1)

    assert most_cost(bound_of(dear, with_fields(a_request(), size=1))) == 1_000

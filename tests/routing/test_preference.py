"""Who goes first among those that may answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from larouter.core.catalog import Price
from larouter.core.pace import Forecast
from larouter.routing.line import Candidate
from larouter.routing.need import Need, need_of
from larouter.routing.preference import chance_above, predicted_cost, ranked
from tests.routing.house import (
    DEAR,
    GENIUS,
    HOUSE,
    LARGE,
    SMALL,
    SMART,
    TINY,
    a_case,
    a_verdict,
    asking,
)

CHEAPER = replace(SMART, id="cheaper", name="cheaper", price=replace(DEAR, output=DEAR.input))
UNPRICED = replace(SMART, id="unpriced", name="unpriced", price=Price())
OWN, LESS, STARTER = (
    Candidate(LARGE, 2, True), Candidate(SMALL, 1, False), Candidate(TINY, -1, False),
)  # fmt: skip
ENOUGH = (0.1, 0.85, 0.05, 0.0, 0.0)
"""A small model most likely suffices."""


def _seconds(**totals):
    def forecast(model, prompt, output):
        total = totals.get(model.id)
        return None if total is None else Forecast(total / 2, total, True)

    return forecast


def _need(tier="MODERATE", **more):
    verdict = a_verdict(tier, **more)
    return need_of(verdict, asking().policy, 0.0, HOUSE)


def _first(*candidates, need=None, policy=None, **totals):
    case = a_case(asking(policy), forecast=_seconds(**totals))
    return ranked(candidates, need or _need(probabilities=ENOUGH), case).order[0].model.id


def test_without_a_measurement_the_declared_order_stays():
    assert _first(OWN, LESS, STARTER) == "large"
    assert _first(OWN, LESS, small=1.0) == "large"
    assert _first(OWN, LESS, large=60.0) == "large"


def test_a_hot_small_model_goes_before_a_cold_one_where_it_suffices():
    case = a_case(forecast=_seconds(large=45.0, small=2.0))

    ranking = ranked((OWN, LESS, STARTER), _need(probabilities=ENOUGH), case)

    assert ranking.order == (LESS, OWN, STARTER)
    assert ranking.forecast == Forecast(1.0, 2.0, True)
    assert ranking.overtook == (OWN, Forecast(22.5, 45.0, True))


def test_where_it_does_not_suffice_it_is_waited_for():
    hard = _need(probabilities=(0.0, 0.3, 0.6, 0.1, 0.0))

    assert _first(OWN, LESS, need=hard, large=45.0, small=2.0) == "large"
    assert _first(OWN, LESS, need=hard, large=400.0, small=2.0) == "small"


def test_nobody_changes_models_for_a_moment():
    assert _first(OWN, LESS, large=9.0, small=0.5) == "large"
    assert _first(OWN, LESS, large=15.0, small=6.0) == "large"


def test_the_starter_is_no_good_however_quick_it_is():
    assert _first(OWN, STARTER, large=60.0, tiny=0.5) == "large"


def test_best_waits_longer_and_cheapest_counts_the_money():
    close = _need(probabilities=(0.0, 0.8, 0.2, 0.0, 0.0))
    waits = {"large": 60.0, "small": 2.0}

    assert _first(OWN, LESS, need=close, **waits) == "small"
    assert _first(OWN, LESS, need=close, policy={"mode": "best"}, **waits) == "large"
    assert _first(OWN, LESS, need=close, policy={"quality": 0.9}, **waits) == "large"


def test_a_tier_asked_for_by_name_is_not_left_for_being_slow():
    need = Need.named(HOUSE.tiers[2], HOUSE)
    second = Candidate(SMALL, 2, True)

    assert _first(OWN, LESS, need=need, large=90.0, small=1.0) == "large"
    assert _first(OWN, second, need=need, large=90.0, small=1.0) == "small"


def test_a_free_cloud_and_a_dear_one_are_weighed_by_their_price():
    own, other = Candidate(SMART, 3, True), Candidate(CHEAPER, 3, True)

    assert _first(own, other, smart=30.0, cheaper=29.0) == "smart"
    assert _first(own, other, smart=30.0, cheaper=5.0) == "cheaper"


def test_an_unknown_price_neither_overtakes_nor_is_overtaken():
    known, unknown = Candidate(SMART, 3, True), Candidate(UNPRICED, 3, True)

    assert _first(unknown, known, unpriced=90.0, smart=1.0) == "unpriced"
    assert _first(known, unknown, smart=90.0, unpriced=1.0) == "smart"


def test_cheapest_asks_the_tiers_own_models_by_their_price():
    candidates = (
        Candidate(UNPRICED, 3, True), Candidate(SMART, 3, True), Candidate(CHEAPER, 3, True), LESS,
    )  # fmt: skip
    case = a_case(asking({"mode": "cheapest"}))

    order = ranked(candidates, _need("COMPLEX"), case).order

    assert [candidate.model.id for candidate in order] == ["cheaper", "smart", "unpriced", "small"]


def test_the_chance_that_more_is_needed():
    known = _need(probabilities=(0.1, 0.2, 0.3, 0.25, 0.15))
    guessed = _need(confidence=0.5, need_strong=0.6)

    assert chance_above(2, known, 5) == pytest.approx(0.4)
    assert chance_above(-1, known, 5) == pytest.approx(1.0)
    assert chance_above(2, guessed, 5) == chance_above(4, guessed, 5) == 0.0
    assert chance_above(1, guessed, 5) == 0.6
    assert chance_above(1, Need.named(HOUSE.tiers[2], HOUSE), 5) == 1.0


def test_a_predicted_price_is_that_of_a_fresh_prompt():
    assert predicted_cost(GENIUS, 1_000, 100) == 1_000 * 5_000 + 100 * 25_000
    assert predicted_cost(UNPRICED, 1_000, 100) is None

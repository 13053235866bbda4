"""What if: counted, priced and weighed over recorded requests, without asking anybody."""

from decimal import Decimal

import pytest

from larouter.core.catalog import FREE, Model, Price
from larouter.core.chat import Usage
from larouter.core.price import OffPeak
from larouter.core.replay import Ranks, Recorded, Remade, replay
from larouter.core.route import Numbers
from tests.fakes import a_catalog

SMALL = Model(id="small", name="small", provider="local", price=FREE)
LARGE = Model(id="large", name="large-1", provider="cloud",
              price=Price(input=Decimal(2), output=Decimal(10)))  # fmt: skip
OTHER = Model(id="other", name="other-1", provider="cloud",
              price=Price(input=Decimal(1), output=Decimal(5)))  # fmt: skip
BEST = Model(id="best", name="best-1", provider="cloud",
             price=Price(input=Decimal(10), output=Decimal(50)))  # fmt: skip
ODD = Model(id="odd", name="odd", provider="custom")
CATALOG = a_catalog(
    SMALL, LARGE, OTHER, BEST, LOW=("small",), MID=("large", "other"), TOP=("best", "large")
)
RANKS = Ranks(CATALOG)
USAGE = Usage(input=1_000, output=100)
COST = {"local/small": 0, "cloud/large-1": 3_000_000, "cloud/other-1": 1_500_000}


def _row(model="cloud/large-1", **facts):
    defaults = {
        "id": "req_1", "project": "p", "asked": "auto", "tier": "MID", "stage": "learned",
        "started_ms": 1_790_000_000_000, "usage": USAGE, "cost": COST.get(model, 0),
        "numbers": Numbers(probabilities=(0.5, 0.3, 0.2), need_strong=0.4),
    }  # fmt: skip
    return Recorded(model=model, **{**defaults, **facts})


def _always(model, tier="MID"):
    return lambda row: Remade(tier, model)


def _as_it_was(row):
    models = {model.key: model for model in CATALOG.models.values()}
    return Remade(row.tier, models.get(row.model, SMALL))


def _what_if(rows, decide, *, present=_as_it_was, **baselines):
    baselines = baselines or {"recorded": lambda row: None}
    return replay(rows, decide, present=present, ranks=RANKS, baselines=baselines)


def test_nothing_recorded_changes_nothing():
    found = _what_if([], _always(SMALL), recorded=lambda row: None)

    assert (found.requests, found.changed, found.moves) == (0, 0, ())
    assert found.savings[0].saving == 0
    assert found.savings[0].percent is None
    assert found.quality.requests == 0


def test_a_policy_that_decides_as_before_changes_nothing():
    found = _what_if([_row(), _row("local/small")], _as_it_was)

    assert (found.requests, found.changed, found.anyway, found.moves) == (2, 0, 0, ())
    assert found.savings[0].saving == 0


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        ("cloud/large-1", SMALL, "down"),
        ("local/small", LARGE, "up"),
        ("cloud/large-1", BEST, "sideways"),  # the dearest tier has both
        ("cloud/other-1", LARGE, "up"),
        ("local/gone", SMALL, "sideways"),  # a local model of no tier is small
        ("cloud/gone", BEST, "sideways"),  # a cloud's model of no tier is strong
        ("cloud/gone", ODD, "sideways"),
    ],
)
def test_a_request_goes_up_down_or_sideways(before, after, way):
    found = _what_if([_row(before)], _always(after))

    ways = {name: getattr(found, name) for name in ("up", "down", "sideways", "refused")}
    assert ways == {**dict.fromkeys(ways, 0), way: 1}
    assert found.changed == 1


def test_moves_are_counted_the_most_frequent_first():
    rows = [_row("local/small", tier="LOW"), _row(), _row()]

    found = _what_if(rows, _always(OTHER))

    assert [(move.count, move.from_tier, move.from_model, move.to_tier, move.to_model)
            for move in found.moves] == [
        (2, "MID", "cloud/large-1", "MID", "cloud/other-1"),
        (1, "LOW", "local/small", "MID", "cloud/other-1"),
    ]  # fmt: skip


def test_a_request_that_would_be_refused_is_counted_and_saves_nothing():
    found = _what_if([_row(), _row()], lambda row: None)

    assert (found.changed, found.refused, found.unpriced) == (2, 2, 0)
    assert found.moves[0].to_tier is None
    assert (found.savings[0].requests, found.savings[0].saving) == (0, 0)
    assert found.quality.requests == 0


def test_a_cost_is_the_other_model_s_for_the_same_tokens():
    found = _what_if([_row()] * 4, _always(OTHER))

    (saving,) = found.savings
    assert (saving.cost, saving.new_cost, saving.saving) == (12_000_000, 6_000_000, 6_000_000)
    assert saving.percent == 50.0
    assert (saving.saving_between.low, saving.saving_between.high) == (6_000_000, 6_000_000)
    assert (saving.percent_between.low, saving.percent_between.high) == (50, 50)


def test_a_model_that_stays_costs_what_was_charged():
    found = _what_if([_row(cost=7)], _always(LARGE), frontier=lambda row: LARGE)

    assert (found.savings[0].cost, found.savings[0].new_cost) == (7, 7)


def test_a_saving_lies_between_bounds_around_it():
    rows = [_row(usage=Usage(output=size), cost=size * 10_000) for size in range(1, 200)]

    (saving,) = _what_if(
        rows, lambda row: Remade("MID", (SMALL, LARGE)[row.usage.output % 2])
    ).savings

    assert saving.saving_between.low < saving.saving < saving.saving_between.high
    assert saving.percent_between.low < saving.percent < saving.percent_between.high


def test_a_dearer_policy_saves_less_than_nothing():
    (saving,) = _what_if([_row()], _always(BEST)).savings

    assert saving.saving == 3_000_000 - 15_000_000
    assert saving.percent == -400


def test_each_baseline_is_compared_on_its_own():
    found = _what_if(
        [_row("local/small"), _row()],
        _always(OTHER),
        frontier=lambda row: BEST,
        recorded=lambda row: None,
    )

    frontier, recorded = found.savings
    assert (frontier.baseline, frontier.cost, frontier.new_cost) == (
        "frontier", 30_000_000, 3_000_000
    )  # fmt: skip
    assert (recorded.baseline, recorded.cost, recorded.new_cost) == (
        "recorded", 3_000_000, 3_000_000
    )  # fmt: skip


def test_nothing_is_no_hundred_per_cent():
    (saving,) = _what_if([_row("local/small")], _always(LARGE)).savings

    assert (saving.percent, saving.percent_between) == (None, None)
    assert saving.saving == -3_000_000


def test_a_draw_without_any_cost_saves_nothing():
    rows = [_row("local/small"), _row()]

    (saving,) = _what_if(rows, _always(SMALL)).savings

    assert (saving.percent, saving.percent_between.low, saving.percent_between.high) == (
        100,
        0,
        100,
    )


@pytest.mark.parametrize(
    ("row", "model"), [(_row(), ODD), (_row("custom/odd", cost=None), SMALL)], ids=["new", "old"]
)
def test_an_unknown_price_is_left_out_and_counted(row, model):
    found = _what_if([row], _always(model))

    assert (found.requests, found.unpriced) == (1, 1)
    assert (found.savings[0].requests, found.savings[0].saving) == (0, 0)


def test_an_unknown_price_of_one_baseline_does_not_spoil_the_other():
    found = _what_if([_row()], _always(OTHER), frontier=lambda row: ODD, recorded=lambda row: None)

    assert [saving.requests for saving in found.savings] == [0, 1]
    assert found.unpriced == 1


def test_what_was_never_answered_counts_with_the_tokens_that_were_expected():
    row = _row(
        None, usage=Usage(), numbers=Numbers(prompt_tokens=500, output_tokens=10, need_strong=0.5)
    )

    found = _what_if([row], _always(LARGE))

    assert (found.unanswered, found.changed) == (1, 0)
    assert found.savings[0].new_cost == 500 * 2_000 + 10 * 10_000


def test_what_was_refused_and_still_is_is_no_change():
    found = _what_if([_row(None)], lambda row: None)

    assert (found.unanswered, found.refused, found.changed) == (1, 0, 0)


def test_a_price_is_that_of_the_hour():
    half = OffPeak(input=Decimal(1), output=Decimal(5), peak=((0, 1440),), days=frozenset({1}))
    model = Model(id="night", name="night", provider="cloud",
                  price=Price(input=Decimal(2), output=Decimal(10), off_peak=half))  # fmt: skip
    monday, tuesday = 1_790_000_000_000, 1_790_000_000_000 + 86_400_000

    costs = [_what_if([_row(started_ms=at)], _always(model)).savings[0].new_cost
             for at in (monday, tuesday)]  # fmt: skip

    assert costs == [3_000_000, 1_500_000]


def test_cached_tokens_stay_cached():
    price = Price(input=Decimal(2), output=Decimal(10), cache_read=Decimal("0.2"))
    model = Model(id="c", name="c", provider="cloud", price=price)

    found = _what_if([_row(usage=Usage(cache_read=1_000))], _always(model))

    assert found.savings[0].new_cost == 200_000


def test_a_model_that_was_named_is_counted():
    rows = [_row(stage="explicit", tier="-"), _row(stage="explicit", tier="MID"), _row()]

    assert _what_if(rows, _as_it_was).named == 1


def test_what_would_change_anyway_is_told():
    found = _what_if([_row(), _row()], _always(SMALL), present=_always(OTHER))

    assert found.anyway == 2
    assert _what_if([_row()], _always(SMALL), present=lambda row: None).anyway == 1


def test_quality_is_the_chance_that_a_small_model_gets_a_hard_prompt():
    found = _what_if([_row(), _row("local/small")], _always(SMALL))

    # Of the two, one moved: below their need is what lies above rank 0 of 2.
    assert found.quality.requests == 2
    assert found.quality.below_before == pytest.approx((0.0 + 0.5) / 2)
    assert found.quality.below_after == pytest.approx(0.5)
    assert found.quality.hard_before == pytest.approx(0.2)
    assert found.quality.hard_after == pytest.approx(0.4)


def test_what_nobody_judged_says_nothing_of_quality():
    rows = [_row(numbers=Numbers(prompt_tokens=5)), _row(None), _row()]

    assert _what_if(rows, _always(SMALL)).quality.requests == 1


def test_a_catalogue_without_tiers_ranks_everything_alike():
    ranks = Ranks(a_catalog(SMALL))

    assert (ranks.of("local/small"), ranks.of("cloud/any")) == (0, 0)

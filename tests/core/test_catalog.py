from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.catalog import FREE, UNKNOWN, Catalog, Model, Price, Tier
from larouter.core.chat import Usage

TIERS = tuple(
    Tier(name=name, rank=rank, title=name.title(), models=())
    for rank, name in enumerate(("SIMPLE", "FRONTIER"))
)


def price(fresh="1.25", output="10", read=None, write=None):
    figures = [None if text is None else Decimal(text) for text in (fresh, output, read, write)]
    return Price(input=figures[0], output=figures[1], cache_read=figures[2], cache_write=figures[3])


# Dollars for a million tokens and tokens in, nano-dollars out; worked out by hand.
@pytest.mark.parametrize(
    ("of", "usage", "nusd"),
    [
        (price(), Usage(), 0),
        (price(), Usage(input=1), 1_250),
        (price(), Usage(output=1), 10_000),
        (price(), Usage(input=1_000_000, output=1_000_000), 11_250_000_000),
        (price("0.15", "0.60"), Usage(input=1_234, output=567), 525_300),
        (price("3", "15"), Usage(input=21, output=393), 5_958_000),
        # Cached tokens at their own price, at the input's where there is none.
        (price(read="0.125"), Usage(input=100, cache_read=900), 237_500),
        (price(), Usage(input=100, cache_read=900), 1_250_000),
        (price("3", "15", "0.30", "3.75"), Usage(cache_write_5m=1_000), 3_750_000),
        (price("3", "15", "0.30", "3.75"), Usage(cache_write_1h=1_000), 3_750_000),
        (price("3", "15", "0.30"), Usage(cache_write_5m=1, cache_write_1h=1), 6_000),
        (price(read="0"), Usage(cache_read=1_000_000), 0),
        # Sound and pictures are input.
        (price(), Usage(audio=10, image=20), 37_500),
        # A fraction of a nano-dollar is rounded up, once, at the end.
        (price("0.0001", "0"), Usage(input=1), 1),
        (price("0.0001", "0"), Usage(input=10), 1),
        (price("0.0001", "0"), Usage(input=11), 2),
        (price("0.0001", "0.0001"), Usage(input=5, output=5), 1),
        (price("0.0001", "0.0001"), Usage(input=5, cache_read=3, image=2, output=1), 2),
        (price("0.028", "0.42"), Usage(input=3, output=7), 3_024),
        # As many tokens as a 64-bit sum of money allows.
        (price("1", "1"), Usage(output=9_223_372_036_854_775), 9_223_372_036_854_775_000),
        # What has no price for tokens may still have one for keeping them.
        (price("0", "0", write="1"), Usage(cache_write_1h=2), 2_000),
        (FREE, Usage(input=10**9, output=10**9), 0),
    ],
)
def test_a_cost_is_right_to_the_nanodollar(of, usage, nusd):
    assert of.cost(usage) == nusd


@pytest.mark.parametrize("of", [Price(), price(fresh=None), price(output=None)])
def test_an_unknown_price_is_an_unknown_cost(of):
    assert not of.is_known
    assert of.cost(Usage(input=1)) is None
    assert of.bound(1, 1) is None


def test_an_unknown_price_is_not_free():
    assert not Price().is_free


def test_what_runs_here_is_free():
    assert FREE.is_free
    assert FREE.is_known


dollars = st.decimals("0", "1000", places=6)
maybe_dollars = st.none() | dollars
prices = st.builds(
    Price, input=dollars, output=dollars, cache_read=maybe_dollars, cache_write=maybe_dollars
)
BUCKETS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio", "image")
tokens = st.integers(0, 10**7)
usages = st.builds(Usage, output=tokens, **dict.fromkeys(BUCKETS, tokens))


@given(prices, usages)
def test_no_split_of_the_prompt_costs_more_than_the_bound(of, usage):
    assert of.cost(usage) <= of.bound(usage.prompt, usage.output)


@given(prices, usages, tokens, tokens)
def test_a_smaller_call_keeps_within_the_bound_of_a_larger_one(of, usage, more_in, more_out):
    assert of.cost(usage) <= of.bound(usage.prompt + more_in, usage.output + more_out)


@given(prices, usages)
def test_a_cost_is_the_exact_sum_rounded_up_once(of, usage):
    def rate(own):
        return Fraction(of.input if own is None else own)

    exact = 1000 * (
        Fraction(of.input) * (usage.input + usage.audio + usage.image)
        + rate(of.cache_read) * usage.cache_read
        + rate(of.cache_write) * (usage.cache_write_5m + usage.cache_write_1h)
        + Fraction(of.output) * usage.output
    )

    cost = of.cost(usage)

    assert type(cost) is int
    assert 0 <= cost - exact < 1


@given(prices, usages, usages)
def test_two_costs_differ_from_their_sum_by_rounding_only(of, one, other):
    both = Usage(
        **{name: getattr(one, name) + getattr(other, name) for name in (*BUCKETS, "output")}
    )

    assert of.cost(one) + of.cost(other) - of.cost(both) in {0, 1}


def test_the_bound_takes_the_dearest_input():
    of = price("3", "15", "0.30", "3.75")

    assert of.bound(1000, 10) == 3_900_000


def test_a_price_is_not_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        setattr(FREE, "input", Decimal(1))  # noqa: B010 - mypy knows that it cannot be done

    assert FREE.input == 0


@pytest.mark.parametrize(("provider", "is_local"), [("local", True), ("ollama", False)])
def test_a_model_s_key_names_its_provider(provider, is_local):
    model = Model(id="short", name="org/long-name", provider=provider)

    assert (model.key, model.is_local) == (f"{provider}/org/long-name", is_local)


@pytest.mark.parametrize("name", ["frontier", "FRONTIER", "Frontier"])
def test_a_tier_is_found_in_any_case(name):
    assert Catalog(date="2026-11-22", tiers=TIERS).tier(name) == TIERS[1]


@pytest.mark.parametrize("name", ["", "middling", "gpt-5", "frontier "])
def test_what_is_no_tier_is_none(name):
    assert Catalog(date="2026-11-22", tiers=TIERS).tier(name) is None


NOW = Price(input=Decimal(2), output=Decimal(10), ends=date(2026, 11, 30))
SOON = Price(input=Decimal(4), output=Decimal(20), starts=date(2026, 12, 1))
DATED = Model(id="one", name="one", provider="google", price=NOW, prices=(NOW, SOON))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 11, 30), NOW),
        (date(2026, 12, 1), SOON),
        (date(2027, 6, 1), SOON),
    ],
)
def test_a_price_is_that_of_the_day(day, expected):
    assert DATED.price_at(day) is expected
    assert DATED.on(day).price is expected


def test_a_price_that_ended_is_unknown():
    model = Model(id="one", name="one", provider="google", price=NOW, prices=(NOW,))

    assert model.price_at(date(2026, 12, 1)) is UNKNOWN


def test_of_two_prices_the_one_that_began_last_holds():
    older = Price(input=Decimal(1), output=Decimal(1))
    model = Model(id="one", name="one", provider="google", prices=(SOON, older))

    assert model.price_at(date(2026, 12, 1)) is SOON
    assert model.price_at(date(2026, 11, 30)) is older


def test_a_model_without_dated_prices_keeps_its_own():
    model = Model(id="one", name="one", provider="google", price=SOON)

    assert model.on(date(2020, 1, 1)) is model


def test_a_catalogue_of_another_day_is_another_one_only_where_prices_differ():
    other = Model(id="two", name="two", provider="local", price=FREE)
    catalog = Catalog(date="2026-11-22", models={"one": DATED, "two": other})

    later = catalog.on(date(2026, 12, 1))

    assert later.models["one"].price is SOON
    assert later.models["two"] is other
    assert catalog.models["one"].price is NOW
    assert catalog.on(date(2026, 11, 30)) is catalog

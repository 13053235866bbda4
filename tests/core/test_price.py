"""Golden vectors: tokens and the list's dollars in, nano-dollars out, each worked out by hand.

One dollar for a million tokens is 1,000 nano-dollars for one.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import larouter
from larouter.core.catalog_toml import read_catalog
from larouter.core.chat import Usage
from larouter.core.price import FREE, UNKNOWN, OffPeak, Price, Step

SHIPPED = read_catalog(
    (Path(larouter.__file__).parent / "data" / "catalog.toml").read_text("utf-8"),
    today=date(2026, 11, 23),
)

WORKING = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)  # a Monday
NOON = WORKING.replace(hour=12, minute=0)
SUNDAY = WORKING - timedelta(days=1)


def dollars(**figures):
    return {name: Decimal(figure) for name, figure in figures.items()}


GOLDEN = [
    # OpenAI, GPT-6 Luna: 0.1 in, 0.5 out, 0.01 read, 0.125 kept 30 minutes, 0.25 kept 12 hours.
    # 1,000 x 100 + 200 x 500
    ("gpt-6-luna", Usage(input=1_000, output=200), None, 200_000),
    # 100 x 100 + 900 x 10 + 50 x 125 + 40 x 250 + 200 x 500
    ("gpt-6-luna", Usage(input=100, cache_read=900, cache_write_5m=50, cache_write_1h=40,
                         output=200), None, 135_250),
    # 272,000 is not above 272,000: 272,000 x 100 + 500
    ("gpt-6-luna", Usage(input=272_000, output=1), None, 27_200_500),
    # One more, and the whole request costs 0.2 and 0.75: 272,001 x 200 + 750
    ("gpt-6-luna", Usage(input=272_001, output=1), None, 54_400_950),
    # Cached tokens are tokens of the prompt: 1 x 200 + 300,000 x 20 + 10 x 750
    ("gpt-6-luna", Usage(input=1, cache_read=300_000, output=10), None, 6_007_700),
    # GPT-6.2 Sol above the step, 4 in, 15 out, 0.2 read, 5 kept:
    # 300,000 x 200 + 100 x 5,000 + 15,000
    ("gpt-6.2-sol", Usage(cache_read=300_000, cache_write_5m=100, output=1), None, 60_515_000),
    # GPT-6.2 Astra's price for long prompts was not read.
    ("gpt-6.2-astra", Usage(input=272_000, output=10), None, 2_176_400_000),
    ("gpt-6.2-astra", Usage(input=272_001, output=10), None, None),
    # Thought tokens are output, and are in it already: 10 x 2,000 + 500 x 10,000
    ("gpt-6.2-sol", Usage(input=10, output=500, reasoning=480), None, 5_020_000),
    # Anthropic, Opus 5.5: 4 in, 20 out, 0.2 read, 5 kept 5 minutes, 8 kept an hour; no step.
    ("claude-opus-5-5", Usage(input=21, output=393), None, 7_944_000),
    # 21 x 4,000 + 188,086 x 200 + 2,048 x 5,000 + 512 x 8,000 + 393 x 20,000
    ("claude-opus-5-5", Usage(input=21, cache_read=188_086, cache_write_5m=2_048,
                              cache_write_1h=512, output=393), None, 59_897_200),
    # 900,000 x 4,000 + 20,000
    ("claude-opus-5-5", Usage(input=900_000, output=1), None, 3_600_020_000),
    # Haiku 5.5 up to 100,000: 99,000 x 100 + 1,000 x 10 + 500; above, five times of everything.
    ("claude-haiku-5-5", Usage(input=99_000, cache_read=1_000, output=1), None, 9_910_500),
    # 99,000 x 500 + 1,000 x 50 + 1 x 1,000 + 2,500
    ("claude-haiku-5-5", Usage(input=99_000, cache_read=1_000, cache_write_1h=1, output=1), None,
     49_553_500),
    # Google, Gemini 4 Argon in November: 2 in, 10 out, 0.1 read, at any length.
    ("gemini-4-argon", Usage(input=46, output=195), None, 2_042_000),
    ("gemini-4-argon", Usage(input=500_000, cache_read=100_000, output=1), None, 1_010_010_000),
    # Gemini 2.5 Pro, 1.25 in, 10 out, 0.125 read; above 200,000: 2.5, 15, 0.25.
    ("gemini-2.5-pro", Usage(input=150_000, cache_read=50_000, output=8), None, 193_830_000),
    ("gemini-2.5-pro", Usage(input=150_001, cache_read=50_000, output=8), None, 387_622_500),
    # Gemini 2.5 Flash, sound at 1: 100 x 300 + 1,000 x 1,000 + 10 x 2,500
    ("gemini-2.5-flash", Usage(input=100, audio=1_000, output=10), None, 1_055_000),
    # An embedding of text, sound and a picture: 10 x 200 + 3 x 6,500 + 2 x 450
    ("gemini-embedding-2", Usage(input=10, audio=3, image=2), None, 22_400),
    # DeepSeek Flash at peak hours, 0.3 in, 1.2 out, 0.006 read: 100 x 300 + 900 x 6 + 50 x 1,200
    ("deepseek-flash", Usage(input=100, cache_read=900, output=50), WORKING, 95_400),
    # … and outside them half of it.
    ("deepseek-flash", Usage(input=100, cache_read=900, output=50), NOON, 47_700),
    ("deepseek-flash", Usage(input=100, cache_read=900, output=50), SUNDAY, 47_700),
    # Without a time the peak hours count.
    ("deepseek-flash", Usage(input=100, cache_read=900, output=50), None, 95_400),
    # DeepSeek Pro, 1.32 in, 3.96 out, 0.044 read: 7 x 1,320 + 1 x 44 + 3 x 3,960; half: 10,582
    ("deepseek-v4-pro", Usage(input=7, cache_read=1, output=3), WORKING, 21_164),
    ("deepseek-v4-pro", Usage(input=7, cache_read=1, output=3), NOON, 10_582),
]  # fmt: skip


@pytest.mark.parametrize(("name", "usage", "at", "nusd"), GOLDEN)
def test_a_cost_is_right_to_the_nanodollar(name, usage, at, nusd):
    assert SHIPPED.models[name].price.cost(usage, at=at) == nusd


@pytest.mark.parametrize(
    ("time", "is_peak"),
    [
        ("2026-11-23T00:59:59+00:00", False),
        ("2026-11-23T01:00:00+00:00", True),
        ("2026-11-23T03:59:59+00:00", True),
        ("2026-11-23T04:00:00+00:00", False),
        ("2026-11-23T06:00:00+00:00", True),
        ("2026-11-23T09:59:59+00:00", True),
        ("2026-11-23T10:00:00+00:00", False),
        ("2026-11-27T09:59:00+00:00", True),  # Friday
        ("2026-11-28T02:00:00+00:00", False),  # Saturday
        ("2026-11-22T23:30:00-02:30", True),  # Sunday evening there, Monday 02:00 in UTC
    ],
)
def test_the_hour_is_that_of_utc(time, is_peak):
    price = SHIPPED.models["deepseek-flash"].price

    cost = price.cost(Usage(input=1), at=datetime.fromisoformat(time))

    assert cost == (300 if is_peak else 150)


@pytest.mark.parametrize(
    ("service", "nusd"),
    # 3 x 2,000 + 1 x 10,000, times what the service takes
    [(None, 16_000), ("default", 16_000), ("auto", 16_000), ("Batch", 8_000), ("priority", 32_000),
     ("ultrafast", 48_000), ("flex", None), ("gold", None)],
)  # fmt: skip
def test_a_service_multiplies_or_is_unknown(service, nusd):
    price = SHIPPED.models["gpt-6.2-sol"].price

    assert price.cost(Usage(input=3, output=1), service=service) == nusd


def test_a_service_is_rounded_once():
    price = Price(**dollars(input="0.0001", output="0"), services=(("flex", Decimal("0.5")),))

    # 3 x 0.1 x 0.5 = 0.15
    assert price.cost(Usage(input=3), service="flex") == 1
    assert price.cost(Usage(input=30), service="flex") == 2


STEPPED = Price(
    **dollars(input="1", output="10", cache_read="0.1", cache_write="1.25"),
    steps=(
        Step(above=100, **dollars(input="2", output="5", cache_read="0.2", cache_write="2.5")),
        Step(above=200, **dollars(input="1.5", output="30", cache_read="0.1", cache_write="1.5")),
    ),
)
HOURLY = Price(
    **dollars(input="0.3", output="1.2"),
    off_peak=OffPeak(**dollars(input="0.15", output="0.6"), peak=((60, 240),)),
)
tokens = st.integers(0, 400)
times = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(st.builds(Usage, **dict.fromkeys(
    ("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio", "image", "output"),
    tokens)), times, tokens, tokens)  # fmt: skip
def test_no_call_of_this_size_or_smaller_costs_more_than_the_bound(usage, at, more_in, more_out):
    prompt, output = usage.prompt + more_in, usage.output + more_out

    for price in (STEPPED, HOURLY, SHIPPED.models["gemini-embedding-2"].price):
        cost, bound = price.cost(usage, at=at), price.bound(prompt, output)
        assert cost is not None
        assert bound is not None
        assert cost <= bound


def test_the_bound_knows_the_steps_that_can_be_reached():
    # 100 tokens stay below the first step: 100 x 1,250 + 10 x 10,000
    assert STEPPED.bound(100, 10) == 225_000
    # 101 may pass it: 101 x 2,500 + 10 x 10,000 of neither, but the dearer of the two
    assert STEPPED.bound(101, 10) == 101 * 2_500 + 10 * 5_000
    # 201: 201 x 1,500 + 10 x 30,000
    assert STEPPED.bound(201, 10) == 601_500


def test_the_bound_is_that_of_peak_hours():
    assert HOURLY.bound(10, 1) == 4_200


def test_the_bound_of_a_service():
    price = SHIPPED.models["gpt-6.2-sol"].price

    # An hour's keeping is the dearest of the prompt: 10 x 5,000 x 2
    assert price.bound(10, 0, service="priority") == 100_000
    assert price.bound(10, 0, service="gold") is None


def test_a_step_without_figures_is_unknown_once_it_can_be_reached():
    price = SHIPPED.models["gpt-6.2-astra"].price

    assert price.bound(272_000, 1) == 272_000 * 8_000 + 40_000
    assert price.bound(272_001, 1) is None
    assert price.is_known


def test_what_is_unknown_is_not_free():
    assert not UNKNOWN.is_free
    assert not UNKNOWN.is_known
    assert UNKNOWN.cost(Usage()) is None
    assert UNKNOWN.bound(0, 0) is None


def test_free_is_free_at_any_length_and_hour():
    nothing = dollars(input="0", output="0")

    assert FREE.is_free
    assert not Price(**nothing, steps=(Step(above=1, **dollars(input="1", output="0")),)).is_free
    assert not Price(**nothing, steps=(Step(above=1),)).is_free
    assert not Price(**nothing, **dollars(cache_write="1")).is_free


@pytest.mark.parametrize(
    ("starts", "ends", "day", "holds"),
    [
        (None, None, "2026-11-30", True),
        ("2026-12-01", None, "2026-11-30", False),
        ("2026-12-01", None, "2026-12-01", True),
        (None, "2026-11-30", "2026-11-30", True),
        (None, "2026-11-30", "2026-12-01", False),
    ],
)
def test_a_price_holds_from_its_first_day_to_its_last(starts, ends, day, holds):
    price = Price(
        starts=starts and date.fromisoformat(starts), ends=ends and date.fromisoformat(ends)
    )

    assert price.holds(date.fromisoformat(day)) is holds


def test_a_time_of_any_zone_is_understood():
    there = timezone(timedelta(hours=8))

    assert HOURLY.cost(Usage(input=1), at=WORKING.astimezone(there)) == 300


def test_auto_may_end_in_the_dearest_service_that_an_account_has():
    price = Price(
        input=Decimal(1), output=Decimal(1),
        services=(("batch", Decimal("0.5")), ("priority", Decimal("1.8")), ("fast", Decimal(6))),
    )  # fmt: skip
    cheap = Price(input=Decimal(1), output=Decimal(1), services=(("flex", Decimal("0.5")),))

    assert price.bound(10, 0, service="auto") == 18_000
    assert price.bound(10, 0) == price.bound(10, 0, service="default") == 10_000
    assert cheap.bound(10, 0, service="Auto") == 10_000


def test_a_service_is_known_or_not():
    price = SHIPPED.models["gpt-6.2-sol"].price

    assert price.serves("priority")
    assert price.serves("default")
    assert not price.serves("scale")

"""When a period begins and ends, around clock changes too (TRUST B12)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.budget import (
    NEVER_MS,
    amount_words,
    budget_words,
    check_zone,
    renewal_words,
    window_at,
)
from larouter.core.budget import Budget
from larouter.core.errors import BadRequest

HOUR = 3_600_000
BUDGET = Budget(id=1, project_id=None, name="Claude", cap=5_000_000_000, period="daily")


def ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("period", "zone", "at", "start", "hours"),
    [
        ("daily", "UTC", "2026-11-23T12:00Z", "2026-11-23T00:00Z", 24),
        ("daily", "UTC", "2026-11-23T00:00Z", "2026-11-23T00:00Z", 24),
        ("daily", "Europe/Berlin", "2026-11-22T23:30Z", "2026-11-22T23:00Z", 24),
        ("daily", "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00Z", 23),
        ("daily", "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", 25),
        ("daily", "Asia/Kathmandu", "2026-11-23T12:00Z", "2026-11-22T18:15Z", 24),
        # Midnight is skipped: the day begins when the clock jumps to one.
        ("daily", "America/Sao_Paulo", "2018-11-04T12:00Z", "2018-11-04T03:00Z", 23),
        # Midnight comes twice: the day begins with the first.
        ("daily", "America/Havana", "2026-11-01T12:00Z", "2026-11-01T04:00Z", 25),
        # A day that a country left out.
        ("daily", "Pacific/Apia", "2011-12-31T00:00Z", "2011-12-30T10:00Z", 24),
        ("weekly", "UTC", "2026-11-22T23:59Z", "2026-11-16T00:00Z", 168),
        ("weekly", "UTC", "2026-11-23T00:00Z", "2026-11-23T00:00Z", 168),
        ("weekly", "America/New_York", "2026-03-08T12:00Z", "2026-03-02T05:00Z", 167),
        ("monthly", "UTC", "2026-02-28T23:59Z", "2026-02-01T00:00Z", 28 * 24),
        ("monthly", "UTC", "2028-02-29T00:00Z", "2028-02-01T00:00Z", 29 * 24),
        ("monthly", "UTC", "2026-12-31T23:59Z", "2026-12-01T00:00Z", 31 * 24),
        ("monthly", "Europe/Berlin", "2026-10-31T22:59Z", "2026-09-30T22:00Z", 31 * 24 + 1),
    ],
)  # fmt: skip
def test_a_period_begins_at_midnight(period, zone, at, start, hours):
    window = window_at(period, zone, ms(at.replace("Z", "+00:00")))

    assert datetime.fromtimestamp(window.start_ms / 1000, UTC).strftime("%FT%H:%MZ") == start
    assert window.end_ms - window.start_ms == hours * HOUR


def test_a_total_has_one_period():
    assert window_at("total", "UTC", 5) == (0, NEVER_MS)


@given(
    st.sampled_from(["daily", "weekly", "monthly"]),
    st.sampled_from(
        ["UTC", "Europe/Berlin", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe"]
    ),
    st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - the strategy's own
)
def test_periods_leave_no_moment_out_and_count_none_twice(period, zone, at):
    at_ms = int(at.replace(tzinfo=UTC).timestamp() * 1000)

    window = window_at(period, zone, at_ms)

    assert window.start_ms <= at_ms < window.end_ms
    assert window_at(period, zone, window.start_ms) == window
    assert window_at(period, zone, window.end_ms - 1) == window
    assert window_at(period, zone, window.end_ms).start_ms == window.end_ms


@pytest.mark.parametrize("zone", ["", "Berlin", "../etc/passwd", "Europe/Berlin\0", "x" * 300])
def test_what_is_no_zone_is_refused(zone):
    with pytest.raises(BadRequest) as caught:
        check_zone(zone)

    assert caught.value.param == "zone"


def test_words():
    assert check_zone("Europe/Berlin") == "Europe/Berlin"
    assert amount_words("cost", 1_500_000_000) == "$1.5"
    assert amount_words("tokens", 12_000) == "12,000 tokens"
    assert budget_words(BUDGET) == "the budget 'Claude' of $5 a day"
    assert renewal_words(BUDGET, ms("2026-11-24T00:00+00:00")) == (
        "It renews at 2026-11-24 00:00 (UTC)."
    )
    assert renewal_words(BUDGET, NEVER_MS) == "It does not renew by itself."

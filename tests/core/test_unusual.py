"""Synthetic weeks: which hour would be told of, and which is as every hour."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from larouter.core.unusual import LEAST, QUARTER_MS, Unusual, last_hour, unusual

DOLLAR = 1_000_000_000
NOW = datetime(2026, 11, 23, 10, 50, tzinfo=UTC)


def ms(moment):
    return int(moment.timestamp() * 1000)


def history(hours, *, days=28, zone="UTC", skip=(), now=NOW):
    """`hours`: dollars by the hour of the day, on every day before today but some weekdays; each
    hour's in its four quarters."""
    quarters: dict[int, int] = {}
    today = now.astimezone(ZoneInfo(zone)).date()
    for back in range(1, days + 1):
        day = today - timedelta(days=back)
        if day.weekday() in skip:
            continue
        for hour, dollars in hours.items():
            start = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone))
            for quarter in range(4):
                quarters[ms(start) + quarter * QUARTER_MS] = int(dollars * DOLLAR) // 4
    return quarters


def spend(quarters, dollars, now=NOW):
    """In the quarter of now."""
    start = ms(now) - ms(now) % QUARTER_MS
    return {**quarters, start: quarters.get(start, 0) + int(dollars * DOLLAR)}


def verdict(quarters, dollars, zone="UTC", now=NOW):
    found = unusual(spend(quarters, dollars, now), zone, ms(now))
    return None if found is None else found.limit / DOLLAR


OFFICE = dict.fromkeys(range(9, 17), 0.4)


@pytest.mark.parametrize(
    ("dollars", "limit"), [(0.4, None), (1.9, None), (2.0, None), (2.01, 2.0), (40, 2.0)]
)
def test_steady_work_is_told_of_above_five_times_the_usual(dollars, limit):
    assert verdict(history(OFFICE), dollars) == limit


def test_at_night_twice_the_dearest_hour_of_a_usual_day_is_enough():
    night = NOW.replace(hour=3)

    assert verdict(history(dict.fromkeys(range(9, 17), 1.5), now=night), 3.0, now=night) is None
    assert verdict(history(dict.fromkeys(range(9, 17), 1.5), now=night), 3.1, now=night) == 3.0


def test_a_job_that_runs_every_night_is_usual_when_it_runs():
    at = NOW.replace(hour=3)
    nightly = history({3: 10, **OFFICE}, now=at)

    assert verdict(nightly, 12, now=at) is None
    # By day as much as that is not, if twice that is spent.
    assert verdict(history({3: 10, **OFFICE}), 12) is None
    assert verdict(history({3: 10, **OFFICE}), 20.5) == 20.0


def test_a_week_with_free_days_has_the_usual_of_its_working_days():
    saturday = datetime(2026, 11, 21, 10, 50, tzinfo=UTC)
    weeks = history(OFFICE, skip=(5, 6), now=saturday)

    assert verdict(weeks, 1.9, now=saturday) is None
    assert verdict(weeks, 2.1, now=saturday) == 2.0
    assert verdict(history(OFFICE, skip=(5, 6)), 1.9) is None


@pytest.mark.parametrize(("days", "told"), [(0, False), (1, False), (6, False), (7, True)])
def test_nothing_is_unusual_before_there_is_a_week_to_compare(days, told):
    assert (verdict(history(OFFICE, days=days), 500) is not None) is told


def test_days_without_spend_are_no_history():
    free = dict.fromkeys(history(OFFICE), 0)

    assert verdict(free, 500) is None
    assert verdict({}, 500) is None


def test_pennies_are_never_unusual():
    cheap = history(dict.fromkeys(range(9, 17), 0.001))

    assert verdict(cheap, 0.99) is None
    assert verdict(cheap, 1.0) is None
    assert verdict(cheap, 1.01) == LEAST / DOLLAR


def test_one_mad_day_changes_nothing():
    quarters = history(OFFICE)
    yesterday = ms(NOW.replace(minute=45) - timedelta(days=1))
    quarters[yesterday] += 900 * DOLLAR

    assert verdict(quarters, 2.1) == 2.0


def test_what_was_spent_over_four_weeks_ago_is_forgotten():
    quarters = history(dict.fromkeys(range(24), 9), now=NOW - timedelta(days=28, hours=11))
    recent = history(OFFICE)

    assert verdict({**quarters, **recent}, 2.1) == 2.0


def test_who_works_at_other_hours_each_day_is_known_by_the_day():
    quarters: dict[int, int] = {}
    for back in range(1, 29):
        start = ms((NOW - timedelta(days=back)).replace(hour=back % 24, minute=0))
        for quarter in range(4):
            quarters[start + quarter * QUARTER_MS] = DOLLAR // 2

    assert verdict(quarters, 3.9) is None
    assert verdict(quarters, 4.1) == 4.0


def test_an_hour_is_the_last_four_quarters():
    start = ms(NOW) - ms(NOW) % QUARTER_MS
    quarters = {start - back * QUARTER_MS: 10**back for back in range(6)}

    assert last_hour(quarters, ms(NOW)) == 1111


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_habits_move_with_the_clock_on_the_wall(zone):
    """28 days with a change of clocks among them (Berlin, New York): nine o'clock stays nine."""
    now = datetime(2026, 11, 10, 9, 50, tzinfo=ZoneInfo(zone))
    quarters = history({9: 1}, zone=zone, now=now)

    assert verdict(quarters, 4.9, zone, now) is None
    assert verdict(quarters, 5.1, zone, now) == 5.0
    assert verdict(quarters, 2.1, zone, now + timedelta(hours=2)) == 2.0


def test_it_belongs_to_the_day_in_which_the_hour_began():
    late = datetime(2026, 11, 23, 0, 20, tzinfo=UTC)
    quarters = spend(history(OFFICE, now=late), 50, late - timedelta(minutes=40))

    found = unusual(quarters, "UTC", ms(late))

    assert isinstance(found, Unusual)
    assert found.spent == 50 * DOLLAR
    assert found.day_ms == ms(datetime(2026, 11, 22, tzinfo=UTC))
    quarters = spend(quarters, 50, late + timedelta(hours=2))
    again = unusual(quarters, "UTC", ms(late + timedelta(hours=2)))
    assert isinstance(again, Unusual)
    assert again.day_ms == ms(datetime(2026, 11, 23, tzinfo=UTC))

"""Is the last hour dearer than usual? A rule that a person can check with a pencil. Pure.

It is when it came to more than a dollar, to more than five times what this hour of the day usually
costs, and to more than twice what the dearest hour of a usual day costs. The first keeps pennies
out; the second knows a job that runs every night; the third knows people, who are at work at other
hours every day.

"Usually" is the middle one of the days on which anything was spent, of the last 28: one mad day
among them changes nothing. With fewer than seven such days there is nothing to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from larouter.core.money import Nanodollars

QUARTER_MS = 900_000
HOUR_MS = 4 * QUARTER_MS
DAYS = 28
LEAST_DAYS = 7
LEAST = 1_000_000_000
TIMES_USUAL, TIMES_DEAREST = 5, 2

Quarters = Mapping[int, Nanodollars]
"""What was spent, by the begin of the quarter of an hour in Unix milliseconds, UTC."""


class Unusual(NamedTuple):
    """An hour that cost more than usual."""

    spent: Nanodollars
    limit: Nanodollars
    """Up to here it would have been usual."""
    day_ms: int
    """The midnight before it, where its project is."""


def last_hour(quarters: Quarters, now_ms: int) -> Nanodollars:
    """The quarter of now, which is not over yet, and the three before it."""
    return _hour(quarters, now_ms - now_ms % QUARTER_MS)


def unusual(quarters: Quarters, zone: str, now_ms: int) -> Unusual | None:
    """None: the last hour is nothing special, or nobody knows what would be usual."""
    spent = last_hour(quarters, now_ms)
    if spent <= LEAST:
        return None
    here = ZoneInfo(zone)
    newest = now_ms - now_ms % QUARTER_MS
    at = _local(newest, here)
    dearest = _dearest(quarters, here, at.date())
    if len(dearest) < LEAST_DAYS:
        return None
    usual = _middle([_hour(quarters, _same_time(at, day)) for day in dearest])
    limit = max(LEAST, TIMES_USUAL * usual, TIMES_DEAREST * _middle(list(dearest.values())))
    if spent <= limit:
        return None
    # The day in which the hour began: one that runs over midnight is told of once.
    began = _local(newest - HOUR_MS + QUARTER_MS, here)
    midnight = datetime(began.year, began.month, began.day, tzinfo=here)
    return Unusual(spent, limit, int(midnight.timestamp() * 1000))


def _dearest(quarters: Quarters, here: ZoneInfo, today: date) -> dict[date, Nanodollars]:
    """What the dearest hour cost of each day before today on which anything was spent."""
    found: dict[date, Nanodollars] = {}
    first = today - timedelta(days=DAYS)
    for start_ms, cost in quarters.items():
        day = _local(start_ms, here).date()
        if cost > 0 and first <= day < today:
            found[day] = max(found.get(day, 0), _hour(quarters, start_ms))
    return found


def _hour(quarters: Quarters, newest_ms: int) -> Nanodollars:
    return sum(quarters.get(newest_ms - back * QUARTER_MS, 0) for back in range(4))


def _same_time(at: datetime, day: date) -> int:
    """What the clock on the wall showed then: a change of clocks moves nobody's habits."""
    moment = datetime.combine(day, at.time(), at.tzinfo)
    return int(moment.timestamp() * 1000)


def _middle(amounts: list[Nanodollars]) -> Nanodollars:
    return sorted(amounts)[len(amounts) // 2]


def _local(ms: int, here: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(here)

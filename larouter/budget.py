"""When a budget's period begins and ends (TRUST B12). Pure.

A period is a half-open stretch of time [start, end) that begins at a midnight of a time zone and is
kept in UTC. Nothing has to be reset at midnight: which period it is, the time says.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from larouter.core.budget import Budget
from larouter.core.errors import BadRequest
from larouter.core.money import decimal_text

NEVER_MS = 1 << 53
"""The end of a period that has none."""
_UNITS = {"tokens": "tokens", "requests": "requests"}
_EACH = {"daily": "a day", "weekly": "a week", "monthly": "a month", "total": "in all"}


class Window(NamedTuple):
    """Unix milliseconds, UTC; the end is not inside."""

    start_ms: int
    end_ms: int


def window_at(period: str, zone: str, at_ms: int) -> Window:
    """The period that a moment is in. A week begins on Monday."""
    if period == "total":
        return Window(0, NEVER_MS)
    here = ZoneInfo(zone)
    today = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(here).date()
    if period == "daily":
        first, next_first = today, today + timedelta(days=1)
    elif period == "weekly":
        first = today - timedelta(days=today.weekday())
        next_first = first + timedelta(days=7)
    else:
        first = today.replace(day=1)
        next_first = (first + timedelta(days=32)).replace(day=1)
    return Window(_midnight_ms(first, here), _midnight_ms(next_first, here))


def check_zone(zone: str) -> str:
    """Raises `BadRequest` for a name that is no time zone."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(
            f"{zone[:60]!r} is no time zone; write one such as Europe/Berlin or UTC.", param="zone"
        ) from None
    return zone


def amount_words(metric: str, amount: int) -> str:
    """`$1.25`, or `200 requests`."""
    return f"${decimal_text(amount)}" if metric == "cost" else f"{amount:,} {_UNITS[metric]}"


def budget_words(budget: Budget) -> str:
    """`the budget 'Claude' of $5 a day`."""
    cap = amount_words(budget.metric, budget.cap)
    return f"the budget {budget.name!r} of {cap} {_EACH[budget.period]}"


def renewal_words(budget: Budget, end_ms: int) -> str:
    """When there is something again, in the budget's own time zone."""
    if end_ms >= NEVER_MS:
        return "It does not renew by itself."
    when = datetime.fromtimestamp(end_ms / 1000, UTC).astimezone(ZoneInfo(budget.zone))
    return f"It renews at {when:%Y-%m-%d %H:%M} ({budget.zone})."


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    """The first moment of a day. Where a clock change skips midnight, that is the moment of the
    change: the earlier offset is taken for what is not on the clock."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)

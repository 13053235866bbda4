"""Reads the prices of a catalogue: rows under `[[model.price]]`, and what electricity makes of a
local model (docs/catalog.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from typing import Any

from larouter.core.price import FIGURES, OffPeak, Price, Step
from larouter.core.toml_row import Row, exact_decimal, whole_number

_MOST_DOLLARS = 1_000_000
_MOST_TIMES = 100
_FACTS = (*FIGURES, "step", "off_peak", "services")
_KEYS = frozenset({*_FACTS, "source", "date", "from", "until", "note"})
_ELECTRICITY = ("watts", "dollars_per_kwh", "prompt_tokens_per_s", "tokens_per_s")
_MOST_ELECTRICITY = 1_000_000
_FINEST = Decimal("0.000001")
"""Of a dollar for a million tokens: a thousandth of a nano-dollar for one."""
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


def read_prices(row: Row) -> tuple[Price, ...]:
    """Return the prices of a model; two that begin on the same day are a fault."""
    what = f"the price of {row.what}"
    prices = tuple(_price(data, what) for data in row.tables("price"))
    if len({price.starts for price in prices}) < len(prices):
        raise ValueError(f"{what} begins twice on the same day")
    return prices


def read_electricity(row: Row) -> Price:
    """What a token of a local model costs: so many watts, for as long as one takes.

    By the token and not by the clock, so that a call has an upper bound (TRUST B5), and several at
    once are not charged for the same watts.
    """
    what = f"the electricity of {row.what}"
    given = Row(row.any("electricity"), what, frozenset({*_ELECTRICITY, "source", "date"}))
    watts, dollars, *speeds = (
        exact_decimal(given.any(name), f"{what}, {name},", _MOST_ELECTRICITY)
        for name in _ELECTRICITY
    )
    if not all(speeds):
        raise ValueError(f"{what} has a speed of nothing")
    # Watts for 1,000,000 / speed seconds, of which 3,600,000 are an hour of 1,000 watts.
    fresh, output = (
        (watts * dollars / (speed * Decimal("3.6"))).quantize(_FINEST, ROUND_UP) for speed in speeds
    )
    said = f"{watts} W at ${dollars} a kWh, {speeds[0]} tokens a second read, {speeds[1]} written"
    return Price(
        input=fresh,
        output=output,
        cache_read=Decimal(0),  # what the engine still holds takes no time
        source=f"electricity: {read_source(given, _ELECTRICITY)}",
        date=given.day("date").isoformat(),
        note=said,
    )


def read_source(row: Row, facts: tuple[str, ...]) -> str:
    """Where the facts of a row were read; a stated fact whose source is unknown is refused."""
    if not str(row.any("source", "")).strip():
        raise ValueError(f"{row.what} has no source")
    source = row.text("source")
    stated = [name for name in facts if name in row]
    if source == "unknown" and stated:
        raise ValueError(f"{row.what} states {stated[0]}, and its source is unknown")
    return source


def _price(data: Any, what: str) -> Price:
    row = Row(data, what, _KEYS)
    source = read_source(row, _FACTS)
    figures = _figures(row)
    starts, ends = row.maybe_day("from"), row.maybe_day("until")
    if starts and ends and ends < starts:
        raise ValueError(f"{what} ends before it begins")
    if "step" in row and "off_peak" in row:
        raise ValueError(f"{what} has steps and off-peak hours: no provider has both")
    return Price(
        **figures,
        steps=_steps(row, figures),
        off_peak=_off_peak(row, figures) if "off_peak" in row else None,
        services=_services(row),
        starts=starts,
        ends=ends,
        source=source,
        date=row.day("date").isoformat(),
        note=row.maybe_text("note") or "",
    )


def _figures(row: Row) -> dict[str, Decimal]:
    return {
        name: exact_decimal(row.any(name), row.what, _MOST_DOLLARS)
        for name in FIGURES
        if name in row
    }


def _steps(row: Row, base: Mapping[str, Decimal]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for data in row.tables("step"):
        step = Row(data, f"a step of {row.what}", frozenset({*FIGURES, "above"}))
        figures = _figures(step)
        # A figure that a step leaves out would silently become another one.
        if figures and figures.keys() != base.keys():
            raise ValueError(f"{step.what} has other figures than the price itself")
        above = whole_number(step.any("above"), f"above of {step.what}")
        if steps and above <= steps[-1].above:
            raise ValueError(f"the steps of {row.what} do not rise")
        steps.append(Step(above=above, **figures))
    return tuple(steps)


def _off_peak(row: Row, base: Mapping[str, Decimal]) -> OffPeak:
    off = Row(row.any("off_peak"), f"off_peak of {row.what}", frozenset({*FIGURES, "peak", "days"}))
    figures = _figures(off)
    if figures.keys() != base.keys():
        raise ValueError(f"{off.what} has other figures than the price itself")
    dearer = [name for name, figure in figures.items() if figure > base[name]]
    if dearer:
        raise ValueError(f"{off.what} has a dearer {dearer[0]} than the peak hours")
    days = off.any("days", [1, 2, 3, 4, 5])
    if not isinstance(days, list) or any(day not in range(1, 8) for day in days):
        raise ValueError(f"days of {off.what} are weekdays from 1, Monday, to 7")
    peak = tuple(_window(text, off.what) for text in off.words("peak"))
    if not peak:
        raise ValueError(f"{off.what} names no peak hours")
    return OffPeak(**figures, peak=peak, days=frozenset(days))


def _window(text: str, what: str) -> tuple[int, int]:
    """`01:00-04:00` in UTC, as minutes of the day."""
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError(f"{what} has hours that are not like 01:00-04:00: {text[:40]}")
    first_hour, first_minute, last_hour, last_minute = match.groups(default="")
    first = int(first_hour) * 60 + int(first_minute)
    last = int(last_hour) * 60 + int(last_minute) if last_hour else 24 * 60
    if last <= first:
        raise ValueError(f"{what} has hours that end before they begin: {text}")
    return first, last


def _services(row: Row) -> tuple[tuple[str, Decimal], ...]:
    given = row.any("services", {})
    if not isinstance(given, Mapping):
        raise ValueError(f"services of {row.what} is not a table")
    return tuple(
        (name.lower(), exact_decimal(times, f"the service {name} of {row.what}", _MOST_TIMES))
        for name, times in given.items()
    )

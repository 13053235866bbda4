"""A price as plain values, by the names of the catalogue's file: to keep, to send, to show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from larouter.core.price import FIGURES, OffPeak, Price, Rates, Step


def price_table(price: Price) -> dict[str, Any]:
    """Everything that a cost is worked out from, as it was printed, and where it was read."""
    table: dict[str, Any] = {
        **_figures(price),
        "steps": [_step(step) for step in price.steps],
        "off_peak": _off_peak(price.off_peak) if price.off_peak else None,
        "services": {name: str(times) for name, times in price.services},
        "from": str(price.starts) if price.starts else None,
        "until": str(price.ends) if price.ends else None,
        "source": price.source,
        "date": price.date,
        "note": price.note,
    }
    return {name: value for name, value in table.items() if value}


def read_table(table: Mapping[str, Any]) -> Price:
    """The price that `price_table` wrote down, so that an old call is charged as it was then."""
    off = table.get("off_peak")
    return Price(
        **_read_figures(table),
        steps=tuple(
            Step(above=row["above"], **_read_figures(row)) for row in table.get("steps", ())
        ),
        off_peak=_read_off_peak(off) if off else None,
        services=tuple((name, Decimal(x)) for name, x in table.get("services", {}).items()),
        starts=date.fromisoformat(table["from"]) if "from" in table else None,
        ends=date.fromisoformat(table["until"]) if "until" in table else None,
        source=table.get("source", "unknown"),
        date=table.get("date"),
        note=table.get("note", ""),
    )


def price_facts(price: Price) -> dict[str, str]:
    """The same as words, one for each line of a list."""
    table = price_table(price)
    facts: dict[str, str] = {}
    for step in table.pop("steps", []):
        above = f"above {step.pop('above')}"
        facts |= {f"{above}: {name}": text for name, text in (step or {"price": "unknown"}).items()}
    for name, value in table.pop("off_peak", {}).items():
        facts[f"off-peak: {name}"] = value if isinstance(value, str) else ", ".join(map(str, value))
    facts |= {f"service {name}": f"x {times}" for name, times in table.pop("services", {}).items()}
    return {**table, **facts}


def _figures(rates: Rates) -> dict[str, str]:
    return {name: str(figure) for name in FIGURES if (figure := getattr(rates, name)) is not None}


def _step(step: Step) -> dict[str, Any]:
    return {"above": step.above, **_figures(step)}


def _off_peak(off: OffPeak) -> dict[str, Any]:
    peak = [f"{_clock(first)}-{_clock(last)}" for first, last in off.peak]
    return {"peak": peak, "days": sorted(off.days), **_figures(off)}


def _read_figures(table: Mapping[str, Any]) -> dict[str, Decimal]:
    return {name: Decimal(table[name]) for name in FIGURES if name in table}


def _read_off_peak(table: Mapping[str, Any]) -> OffPeak:
    spans = (span.split("-") for span in table["peak"])
    return OffPeak(
        peak=tuple((_minute(first), _minute(last)) for first, last in spans),
        days=frozenset(table["days"]),
        **_read_figures(table),
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"

"""A statement as people and programs read it: drawn, named, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import render_template
from msgspec import Raw

from larouter.config import folder
from larouter.core.accounting import CLASSIFYING_NUSD, saved
from larouter.core.money import decimal_text
from larouter.store.statements import Line, Statement
from larouter.store.usage import Used
from larouter.web.amounts import cents, exact, places_for

WIDTH, HEIGHT = 1_000, 160
"""Of the chart, in units of its own."""

_GAP = 8
_STYLES = ("tokens", "base", "statement")


class Bar(NamedTuple):
    """One day of the chart."""

    x: int
    y: int
    width: int
    height: int
    words: str
    label: str
    """The day of the month, where there is room for it."""


class Months(NamedTuple):
    """The months around one; None: there is nothing to be seen in it yet."""

    before: str
    after: str | None


def context_of(statement: Statement, today: date) -> dict[str, Any]:
    """What the template `statements/_sheet.html` needs."""
    places = places_for(_amounts(statement))
    zone = ZoneInfo(statement.owner.zone)
    first = datetime.fromtimestamp(statement.since_ms / 1000, zone)

    def moment(ms: int) -> str:
        return f"{datetime.fromtimestamp(ms / 1000, zone):%Y-%m-%d %H:%M}"

    return {
        "statement": statement,
        "title": f"{first:%B %Y}",
        "is_over": statement.month < f"{today:%Y-%m}",
        "months": months_around(statement.month, today),
        "busy_days": [day for day in statement.days if day.used != Used()],
        "bars": list(bars_of(statement.days, places)),
        "is_by_cost": statement.total.cost_nusd > 0,
        "saved": saved(statement.total.baseline_nusd, statement.total.cost_nusd),
        "classifying": CLASSIFYING_NUSD,
        "dollars": lambda nusd: exact(nusd, places),
        "cents": cents,
        "moment": moment,
        "chart": (WIDTH, HEIGHT),
    }


def as_file(statement: Statement, today: date) -> str:
    """A page that needs nothing beside it: to keep, to send, to print."""
    styles = "\n".join(
        (folder("static") / "css" / f"{name}.css").read_text("utf-8") for name in _STYLES
    )
    styles = f"<style>{styles}</style>"
    return render_template("statements/file.html", styles=styles, **context_of(statement, today))


def months_around(month: str, today: date) -> Months:
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=32)).replace(day=1) if first.year < date.max.year else None
    before = first - timedelta(days=1) if first > date.min else first
    has_begun = after is not None and after <= today
    return Months(f"{before:%Y-%m}", f"{after:%Y-%m}" if has_begun else None)


def bars_of(days: list[Line], places: int) -> Iterator[Bar]:
    """What each day cost; where nothing cost anything, how many requests it had."""
    by_cost = any(day.used.cost_nusd > 0 for day in days)
    heights = [max(0, day.used.cost_nusd) if by_cost else day.used.calls for day in days]
    highest = max(heights, default=0) or 1
    step = WIDTH // max(1, len(days))
    for index, (day, value) in enumerate(zip(days, heights, strict=True)):
        # Whatever there was is seen.
        height = max(2, value * HEIGHT // highest) if value else 0
        words = f"{day.name}: {exact(day.used.cost_nusd, places)}, {day.used.calls:,} requests"
        number = int(day.name[-2:])
        label = str(number) if number == 1 or number % 5 == 0 else ""
        yield Bar(index * step + _GAP // 2, HEIGHT - height, step - _GAP, height, words, label)


def as_json(statement: Statement) -> dict[str, Any]:
    """The whole of it; every list of lines adds up to the total."""
    owner, total = statement.owner, statement.total
    return {
        "project": owner.name,
        "projectId": owner.id,
        "month": statement.month,
        "zone": owner.zone,
        "from": _utc(statement.since_ms),
        "to": _utc(statement.until_ms),
        "madeAt": _utc(statement.made_ms),
        "total": _line(Line("", total))
        | _money("baselineCost", total.baseline_nusd)
        | _money("classificationCost", CLASSIFYING_NUSD)
        | _money("saved", saved(total.baseline_nusd, total.cost_nusd)),
        "onThisMachine": _line(Line("", statement.here)),
        "days": [{"date": line.name, **_line(line)} for line in statement.days],
        "byTier": _named("tier", statement.tiers),
        "byModel": _named("model", statement.models),
        "byProvider": _named("provider", statement.providers),
        "byBearer": _named("bearerId", statement.bearers),
        "notExact": [
            {"state": row.state, "model": row.model, "calls": row.calls,
             **_money("cost", row.cost_nusd)}
            for row in statement.doubts
        ],
        "corrections": [
            {"at": _utc(row.at_ms), "attemptId": f"att_{row.attempt_id}", "model": row.model,
             **_money("cost", row.cost_nusd)}
            for row in statement.corrections
        ],
        "correctionCount": statement.corrected[0],
        **_money("corrected", statement.corrected[1]),
        "prices": [
            {"model": row.model, "since": _utc(row.since_ms), "calls": row.calls,
             "price": row.facts}
            for row in statement.prices
        ],
        "baselines": [
            {"since": _utc(row.at_ms), "model": row.model} for row in statement.baselines
        ],
        "isWhole": statement.is_whole,
    }  # fmt: skip


def _amounts(statement: Statement) -> Iterator[int]:
    """Everything that the sheet writes as an amount."""
    tables = (statement.days, statement.tiers, statement.models, statement.providers)
    for table in (*tables, statement.bearers):
        yield from (line.used.cost_nusd for line in table)
    yield from (statement.total.baseline_nusd, statement.corrected[1])
    yield from (row.cost_nusd for row in statement.doubts)
    yield from (row.cost_nusd for row in statement.corrections)


def _named(key: str, lines: list[Line]) -> list[dict[str, Any]]:
    return [{key: line.name or None, **_line(line)} for line in lines]


def _line(line: Line) -> dict[str, Any]:
    used = line.used
    return {
        "calls": used.calls,
        "succeededCalls": used.succeeded,
        "inputTokens": used.prompt,
        "cachedTokens": used.cached,
        "outputTokens": used.output,
        **_money("cost", used.cost_nusd),
        "unpricedCalls": used.unpriced,
    }


def _money(name: str, nusd: int) -> dict[str, Any]:
    return {name: Raw(decimal_text(nusd).encode()), f"{name}Nusd": nusd}


def _utc(ms: int) -> str:
    text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")

"""A provider's usage export, read row by row: which columns it has, and what they come to.

The exports differ by provider, by page and by year, so a column is known by any of the names that
it has had, in any order and case. Rows of a request each are kept by their id; rows that are sums
of a minute or a day are added up by day and model. A file of 100 MB is never held as a whole.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TextIO
from zoneinfo import ZoneInfo

MEASURES = ("requests", "prompt", "cached", "output", "cost")

_COLUMNS = {
    "id": ("request_id", "response_id", "completion_id", "message_id", "generation_id", "id"),
    "time": (
        "start_time_iso", "usage_date_utc", "utc_date", "starting_at", "usage_start_date",
        "usage_start_time", "date", "day", "usage_date", "created_at", "created", "timestamp",
        "aggregation_timestamp", "start_time",
    ),
    "model": ("model_version", "model", "snapshot_id", "model_name", "line_item"),
    "sku": ("sku_description", "sku"),
    "prompt": ("input_tokens", "prompt_tokens", "n_context_tokens_total"),
    "fresh": ("usage_input_tokens_no_cache", "uncached_input_tokens", "input_uncached_tokens",
              "input_cache_miss_tokens", "prompt_cache_miss_tokens"),
    "cached": ("usage_input_tokens_cache_read", "cache_read_input_tokens", "input_cached_tokens",
               "n_cached_context_tokens_total", "input_cache_hit_tokens",
               "prompt_cache_hit_tokens", "cached_tokens"),
    "write_5m": ("usage_input_tokens_cache_write_5m", "cache_creation_5m_input_tokens",
                 "cache_creation_input_tokens"),
    "write_1h": ("usage_input_tokens_cache_write_1h", "cache_creation_1h_input_tokens"),
    "output": ("usage_output_tokens", "output_tokens", "completion_tokens",
               "n_generated_tokens_total"),
    "requests": ("num_model_requests", "n_requests", "num_requests", "request_count", "requests"),
    "cost": ("amount_value", "cost_usd", "unrounded_cost", "cost", "total_cost"),
    "currency": ("amount_currency", "currency"),
    "type": ("type",),
    "amount": ("amount", "usage_amount"),
}  # fmt: skip
# DeepSeek's table of amounts, and Google's of products, have a row for each kind of token.
_TYPES = {
    "input_cache_hit_tokens": "cached",
    "input_cache_miss_tokens": "fresh",
    "input_tokens": "fresh",
    "prompt_tokens": "fresh",
    "output_tokens": "output",
    "completion_tokens": "output",
    "request_count": "requests",
}
_BESIDE_PROMPT = frozenset({"anthropic"})
"""Providers whose `input_tokens` are without what a cache held."""
_TOKENS = ("prompt", "fresh", "cached", "write_5m", "write_1h", "output", "requests")
_DATED = re.compile(r"[-@](latest|[0-9]{4}-?[0-9]{2}-?[0-9]{2}|preview.*)$")
_GEMINI = re.compile(r"gemini ([0-9.]+) ([a-z]+)(?: (lite))?")
_NUSD = 1_000_000_000
_LONG = 16
_LATE_MS = 10**12
"""A Unix time above this is in milliseconds."""


class ExportError(Exception):
    """The file is not what it should be; the words say what is missing."""


@dataclass(slots=True)
class Sums:
    """What some rows come to. None: the file does not say."""

    requests: int = 0
    prompt: int = 0
    cached: int = 0
    written: int = 0
    """Tokens that were written into a cache; among `prompt`."""
    output: int = 0
    cost_nusd: Decimal = field(default_factory=Decimal)
    cost_rows: int = 0
    time_ms: int | None = None
    """Of a single request; None where the file has dates alone."""
    model: str = ""


@dataclass(slots=True)
class Export:
    """All that a file says."""

    has: set[str] = field(default_factory=set)
    """Of `MEASURES`."""
    rows: int = 0
    days: dict[tuple[str, str], Sums] = field(default_factory=dict)
    """By day and model; of files whose rows have no id."""
    requests: dict[str, Sums] = field(default_factory=dict)
    """By the provider's id."""
    day_of: dict[str, str] = field(default_factory=dict)
    first: str = ""
    last: str = ""
    places: int = 0
    """Of the amount with the most of them: the others may have been rounded as far."""
    currency: str = "USD"

    def tolerance_nusd(self, rows: int) -> Decimal:
        """How far a sum of so many rounded amounts may be off."""
        return Decimal(_NUSD * rows) / 2 / Decimal(10) ** self.places


@lru_cache(maxsize=1_000)
def plain_model(name: str) -> str:
    """A model's name as everyone writes it: without its date, in small letters."""
    text = re.sub(r"[\s_.]+", "-", name.strip().lower().split(",")[0])
    return _DATED.sub("", text.rpartition("/")[2])


def read_export(file: TextIO, provider: str, zone: ZoneInfo, rate: Decimal | None) -> Export:
    """Read a CSV, or one with tabs or semicolons. Dates are days of `zone`; `rate` is what a unit
    of the file's currency is in dollars. Raises `ExportError`."""
    head = file.read(65_536)
    file.seek(0)
    first = head.lstrip("\ufeff").splitlines()[0] if head.strip() else ""
    mark = max(",;\t", key=first.count)
    rows = csv.reader(file, delimiter=mark)
    names = [_header(name) for name in next(rows, [])]
    columns = _columns(names)
    export = Export()
    seen = {name for name in _TOKENS if name in columns}
    for number, cells in enumerate(rows, 2):
        if any(cell.strip() for cell in cells):
            row = {name: cells[at].strip() for name, at in columns.items() if at < len(cells)}
            try:
                seen |= _add(export, row, provider, zone, rate)
            except ValueError as error:
                raise ExportError(f"Line {number}: {error}.") from error
    export.has |= {name for name in ("requests", "output") if name in seen}
    if seen & {"prompt", "fresh"}:
        export.has.add("prompt")
        export.has |= {"cached"} & seen
    if not export.has and export.currency != "USD":
        raise ExportError(f"Its amounts are in {export.currency}: with --rate they are compared.")
    if not export.has:
        raise ExportError(_NOTHING)
    return export


_NOTHING = (
    "No column of this file says tokens, requests or a cost that can be compared. Its first line "
    "must name the columns; docs/usage.md lists those that are read."
)


def _header(name: str) -> str:
    """`Cost ($)` is cost, `Usage start date` is usage_start_date."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower().lstrip("\ufeff")).strip("_")


def _columns(names: list[str]) -> dict[str, int]:
    found = {
        what: names.index(name)
        for what, known in _COLUMNS.items()
        for name in (next((name for name in known if name in names), None),)
        if name is not None
    }
    if "sku" in found:
        found.setdefault("model", found["sku"])
    for what, words in (("time", "a date"), ("model", "a model")):
        if what not in found:
            raise ExportError(
                f"This file has no column with {words}; it has: {', '.join(names)[:300]}. "
                "docs/usage.md lists the columns that are read."
            )
    return found


def _add(
    export: Export, row: Mapping[str, str], provider: str, zone: ZoneInfo, rate: Decimal | None
) -> set[str]:
    """Add a row; return which counts it has."""
    if not row.get("time"):
        raise ValueError("it has no date")
    day, time_ms = _moment(row["time"], zone)
    counts = {name: _count(row[name]) for name in _TOKENS if row.get(name)}
    kind = _TYPES.get(row.get("type", "").lower())
    model = plain_model(row.get("model", ""))
    if "sku" in row:
        model, kind = _product(row["sku"])
    if kind is not None and row.get("amount"):
        counts[kind] = counts.get(kind, 0) + _count(row["amount"])
    cost = row.get("cost", "")
    if not counts and not cost:
        # A day of nothing, as OpenAI's table of costs has it.
        return set()
    export.rows += 1
    export.first = min(export.first or day, day)
    export.last = max(export.last, day)
    sums = _place(export, row.get("id", ""), day, model)
    sums.time_ms, sums.model = time_ms, model
    written = counts.get("write_5m", 0) + counts.get("write_1h", 0)
    cached = counts.get("cached", 0)
    if "prompt" in counts and provider not in _BESIDE_PROMPT:
        sums.prompt += counts["prompt"]
    else:
        sums.prompt += counts.get("fresh", counts.get("prompt", 0)) + cached + written
    sums.cached += cached
    sums.written += written
    sums.output += counts.get("output", 0)
    sums.requests += counts.get("requests", 1 if row.get("id") else 0)
    if cost:
        _add_cost(export, sums, cost, row.get("currency", "") or "USD", rate)
    return set(counts) | ({"requests"} if row.get("id") else set())


def _add_cost(export: Export, sums: Sums, text: str, currency: str, rate: Decimal | None) -> None:
    amount = _amount(text)
    export.places = max(export.places, -int(amount.as_tuple().exponent))
    if currency.upper() != "USD":
        export.currency = currency.upper()
        if rate is None:
            return
        amount *= rate
    export.has.add("cost")
    sums.cost_nusd += amount * _NUSD
    sums.cost_rows += 1


def _place(export: Export, id: str, day: str, model: str) -> Sums:
    if id:
        export.day_of[id] = day
        return export.requests.setdefault(id, Sums())
    return export.days.setdefault((day, model), Sums())


def _count(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < _LONG:
        return int(text)
    number = _amount(text)
    if number != int(number) or number < 0:
        raise ValueError(f"{text[:40]!r} is no count")
    return int(number)


def _amount(text: str) -> Decimal:
    """`$1,234.50` as well as `8.9E-7`; `1.234,50` is not guessed at."""
    try:
        number = Decimal(text.strip().lstrip("$€£¥").replace(",", "").strip() or "0")
    except InvalidOperation:
        raise ValueError(f"{text[:40]!r} is no number") from None
    if not number.is_finite() or abs(number) > 10**15:
        raise ValueError(f"{text[:40]!r} is no number that can be added up")
    return number


@lru_cache(maxsize=10_000)
def _moment(text: str, zone: ZoneInfo) -> tuple[str, int | None]:
    """The day, and the moment where it is more than a date."""
    if re.fullmatch(r"[0-9]{9,13}(\.[0-9]+)?", text):
        seconds = float(text)
        seconds = seconds / 1000 if seconds > _LATE_MS else seconds
        at = datetime.fromtimestamp(seconds, UTC)
        return at.astimezone(zone).date().isoformat(), int(seconds * 1000)
    compact = re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2})", text)
    plain = "-".join(compact.groups()) if compact else text.replace("/", "-")
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", plain):
            return date.fromisoformat(plain).isoformat(), None
        at = datetime.fromisoformat(re.sub(r" ?UTC$", "+00:00", plain))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date such as 2026-11-01") from None
    # Without an offset it is the export's own zone.
    at = at if at.tzinfo else at.replace(tzinfo=zone)
    return at.astimezone(zone).date().isoformat(), int(at.timestamp() * 1000)


def _product(text: str) -> tuple[str, str | None]:
    """Google's `Generate content input token count gemini 4 argon short text`: model and kind."""
    words = text.lower().replace("-", " ")
    found = _GEMINI.search(words)
    model = "gemini-" + "-".join(filter(None, found.groups())) if found else text
    for word, kind in (("cached", "cached"), ("output", "output"), ("input", "fresh")):
        if word in words:
            return plain_model(model), kind if "token" in words else None
    return plain_model(model), None

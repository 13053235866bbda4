"""What a query of `/api/usage` asks for: when, and of which model, tier, provider or bearer."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from werkzeug.datastructures import MultiDict

from larouter.core.catalog import Catalog
from larouter.core.errors import BadRequest
from larouter.store.rollups import QUARTER_MS
from larouter.store.usage import EVER, Days, Moments, UsageReport, Wanted

PERIOD_DAYS = {"daily": 1, "weekly": 7, "monthly": 30, "all": None}
"""Whole days up to today."""

_WAYS = ("period", "month", "week", "from", "to")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_WEEK = re.compile(r"([0-9]{4})-W([0-9]{2})")
_LOST_PLUS = re.compile(r" (?=[0-9]{2}:?[0-9]{2}$)")
_LAST_YEAR = 9_000
"""Nearer than the end of all dates, where a time zone may have no words for a day."""
_NAMES = 20
_LONGEST = 300
_SAY = "from and to are dates such as 2026-11-01, or moments such as 2026-11-01T08:00:00+01:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of time, and how it was asked for."""

    span: Days | Moments
    period: str | None = None
    """One of `PERIOD_DAYS`; None: it was asked for otherwise."""
    name: str = "all"
    """For a file's name."""

    def ends(self) -> tuple[str | None, str | None]:
        """First and last date, or two moments in UTC, as an answer tells them; None: open."""
        if isinstance(self.span, Moments):
            return _moment_text(self.span.since_ms), _moment_text(self.span.until_ms)
        first, last = self.span
        return first or None, None if last == EVER.last else last


def read_stretch(
    arguments: Mapping[str, str], *, today: date, now_ms: int, default: str = "all"
) -> Stretch:
    """From `period`, or `month`, or `week`, or `from` and `to`. `today` is the project's.

    Raises `BadRequest` that names the parameter which makes no sense.
    """
    given = [name for name in _WAYS if name in arguments]
    if len(given) > 1 and given != ["from", "to"]:
        raise BadRequest(
            f"Give one of period, month, week, or from and to: not {' and '.join(given)}.",
            param=given[-1],
        )
    if "month" in arguments:
        return Stretch(span=read_month(arguments["month"]), name=arguments["month"])
    if "week" in arguments:
        return _week(arguments["week"])
    if "from" in arguments or "to" in arguments:
        return _between(arguments.get("from"), arguments.get("to"), today, now_ms)
    period = arguments.get("period", default)
    if period not in PERIOD_DAYS:
        raise BadRequest(f"period is one of {', '.join(PERIOD_DAYS)}.", param="period")
    count = PERIOD_DAYS[period]
    span = EVER if count is None else _days(today - timedelta(days=count - 1), today)
    return Stretch(span=span, period=period, name=period)


def read_month(text: str) -> Days:
    """A month of the calendar. Raises `BadRequest`."""
    found = _MONTH.fullmatch(text)
    year, month = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (year and 1 <= month <= 12):
        raise BadRequest("month is written as 2026-11.", param="month")
    last = calendar.monthrange(year, month)[1]
    return _days(date(year, month, 1), date(year, month, last))


def read_wanted(
    arguments: MultiDict[str, str], span: Days | Moments, project_id: str | None, catalog: Catalog
) -> Wanted:
    """With the filters `model`, `tier`, `provider` and `bearer`, each as often as one likes."""
    return Wanted(
        span=span,
        project_id=project_id,
        models=tuple(_model(name, catalog) for name in _names(arguments, "model")),
        tiers=tuple(name.upper() for name in _names(arguments, "tier")),
        providers=_names(arguments, "provider"),
        bearers=_names(arguments, "bearer"),
    )


def check_known(
    wanted: Wanted, found: UsageReport, tiers: Iterable[str], providers: Iterable[str]
) -> None:
    """Raises `BadRequest` for a tier or a provider that nobody knows, here or in what was used:
    it would be taken for nothing spent."""
    if found.total.calls or found.by_model:
        return
    # What was refused before it was decided has the tier "-".
    for param, names, known in (
        ("tier", wanted.tiers, {*tiers, "-"}), ("provider", wanted.providers, {*providers}),
    ):  # fmt: skip
        for name in names:
            if name not in known:
                raise BadRequest(
                    f"There is no {param} {name!r}, and none was used in this time. Known are "
                    f"{', '.join(sorted(known - {'-'}))}.",
                    param=param,
                )


def _week(text: str) -> Stretch:
    found = _WEEK.fullmatch(text)
    year, week = (int(found[1]), int(found[2])) if found else (0, 0)
    try:
        monday, sunday = (date.fromisocalendar(year, week, day) for day in (1, 7))
    except ValueError:
        raise BadRequest(
            "week is written as 2026-W47, by ISO 8601: from Monday on.", param="week"
        ) from None
    return Stretch(span=_days(monday, sunday), name=text)


def _between(since: str | None, until: str | None, today: date, now_ms: int) -> Stretch:
    dates = [text for text in (since, until) if text is not None and _DATE.fullmatch(text)]
    if len(dates) == len([text for text in (since, until) if text is not None]):
        first = "" if since is None else _date(since, "from").isoformat()
        last = (today if until is None else _date(until, "to")).isoformat()
        if first > last:
            raise BadRequest(f"from ({first}) is after to ({last}).", param="from")
        return Stretch(span=Days(first, last), name=f"{first or 'begin'}-to-{last}")
    if dates:
        raise BadRequest(f"{_SAY}: both of a kind.", param="to" if dates[0] == since else "from")
    begin = 0 if since is None else _quarter(since, "from")
    # Without an end: with the quarter that has just begun.
    end = now_ms - now_ms % QUARTER_MS + QUARTER_MS if until is None else _quarter(until, "to")
    if begin >= end:
        raise BadRequest("from must be at least a quarter of an hour before to.", param="from")
    return Stretch(span=Moments(begin, end), name="moments")


def _date(text: str, param: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{param} ({text}) is no day of the calendar.", param=param) from None


def _quarter(text: str, param: str) -> int:
    """The beginning of the quarter of an hour in which a moment lies, in Unix milliseconds."""
    try:
        # A plus sign that nobody wrote as %2B has become a space.
        moment = datetime.fromisoformat(_LOST_PLUS.sub("+", text))
    except ValueError:
        raise BadRequest(f"{_SAY}; {param} is neither.", param=param) from None
    if moment.year > _LAST_YEAR:
        raise BadRequest(f"{param} is too far away.", param=param)
    if moment.tzinfo is None:
        raise BadRequest(
            f"{param} needs its offset from UTC: {text[:19]}Z, or such as +01:00.", param=param
        )
    ms = int(moment.timestamp()) * 1000
    return max(0, ms - ms % QUARTER_MS)


def _days(first: date, last: date) -> Days:
    return Days(first.isoformat(), last.isoformat())


def _names(arguments: MultiDict[str, str], param: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(arguments.getlist(param)))
    if len(names) > _NAMES or not all(
        0 < len(name) <= _LONGEST and name.isprintable() for name in names
    ):
        raise BadRequest(
            f"{param} is a name of at most {_LONGEST} letters, {_NAMES} times at most.",
            param=param,
        )
    return names


def _model(name: str, catalog: Catalog) -> str:
    """`provider/model`; the catalogue knows what is meant by an id."""
    if name in catalog.models:
        return catalog.models[name].key
    if "/" not in name:
        raise BadRequest(
            f"There is no model {name!r} in the catalogue; write provider/model.", param="model"
        )
    return name


def _moment_text(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")

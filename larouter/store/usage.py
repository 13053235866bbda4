"""What was used, added up from the sums that are kept with the ledger.

A span is days, each in the zone of its project, or quarters of an hour between two moments. The
whole days between two moments are read from the sums of days, the rest from those of quarters:
so a year costs no more than its days, and two spans that touch always add up to the one of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from larouter.core.catalog import Nanodollars
from larouter.store.rollups import SUMS
from larouter.store.tables import ProjectRow, UsageDayRow, UsageQuarterRow

_GROUPS = ("by_model", "by_tier", "by_provider", "by_project", "by_bearer")
_DAY = timedelta(days=1)


class Days(NamedTuple):
    """From one date to another, both included."""

    first: str = ""
    """As 2026-11-01; `""`: from the beginning."""
    last: str = "9999-12-31"


EVER = Days()


class Moments(NamedTuple):
    """From one moment to before another, each the beginning of a quarter of an hour."""

    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which usage is asked for; an empty filter lets everything through."""

    span: Days | Moments = EVER
    project_id: str | None = None
    """None: of all projects."""
    models: tuple[str, ...] = ()
    """`provider/model`."""
    tiers: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    bearers: tuple[str, ...] = ()
    """By id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Sums over some requests. Money in nano-dollars."""

    calls: int = 0
    succeeded: int = 0
    prompt: int = 0
    """Tokens, cached ones included."""
    cached: int = 0
    output: int = 0
    cost_nusd: Nanodollars = 0
    unpriced: int = 0
    """Calls of a provider that have no known price and are not in the cost."""
    baseline_nusd: Nanodollars = 0
    """What the baseline's model would have cost."""

    def __add__(self, other: Used) -> Used:
        return Used(**{name: getattr(self, name) + getattr(other, name) for name in SUMS})


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """What `/api/usage` answers: the whole, and by name in the order of the names."""

    total: Used
    by_model: dict[str, Used]
    by_tier: dict[str, Used]
    by_provider: dict[str, Used]
    by_day: dict[str, Used]
    """Dates in the time zone of each project."""
    by_project: dict[str, Used]
    """By id."""
    by_bearer: dict[str, Used]
    """By id."""


class DayLine(NamedTuple):
    """What one project used on one day, in one tier, of one model."""

    day: str
    project: str
    """Its name."""
    tier: str
    model: str
    """`""`: none was called."""
    used: Used


def usage(session: Session, wanted: Wanted, zone: str) -> UsageReport:
    """`zone` is this machine's, for projects that have none of their own."""
    # The database adds up the many days; few rows are left to be told apart here.
    groups: dict[str, dict[str, Used]] = {name: {} for name in _GROUPS}
    total = Used()
    names = ("tier", "model", "project_id", "bearer_id")
    for (tier, model, project, bearer), used in added_up(session, wanted, names, zone).items():
        total += used
        # What reached no model has none, and no tier.
        keys = (model, tier if model else "", model.partition("/")[0], project, bearer)
        for group, key in zip(groups.values(), keys, strict=True):
            if key:
                group[key] = group.get(key, Used()) + used
    by_day = added_up(session, wanted, ("day",), zone)
    return UsageReport(
        total=total,
        by_day={day: by_day[(day,)] for (day,) in sorted(by_day)},
        **{name: {key: group[key] for key in sorted(group)} for name, group in groups.items()},
    )


def days(session: Session, wanted: Wanted, zone: str) -> list[DayLine]:
    """In the order of their fields."""
    names = {row.id: row.name for row in session.execute(select(ProjectRow.id, ProjectRow.name))}
    found = added_up(session, wanted, ("day", "project_id", "tier", "model"), zone)
    lines = [
        (day, names[project], project, tier, model, used)
        for (day, project, tier, model), used in found.items()
    ]
    lines.sort(key=lambda line: line[:5])
    return [DayLine(day, name, tier, model, used) for day, name, _, tier, model, used in lines]


def added_up(
    session: Session, wanted: Wanted, names: Sequence[str], zone: str
) -> dict[tuple[str, ...], Used]:
    """The sums for each combination of `names`: `day`, `project_id`, `tier`, `model` and
    `bearer_id`."""
    found: dict[tuple[str, ...], list[int]] = {}
    for piece in _pieces(session, wanted, zone):
        row = piece.row
        # A piece of quarters is of one day, which its rows do not say.
        said = [name for name in names if name != "day" or piece.day is None]
        columns = [getattr(row, name) for name in said]
        sums = [func.coalesce(func.sum(getattr(row, name)), 0) for name in SUMS]
        query = select(*columns, *sums).where(*piece.where, *_filters(row, wanted))
        for values in session.execute(query.group_by(*columns) if columns else query):
            known = dict(zip(said, values, strict=False))
            key = tuple(str(known.get(name, piece.day)) for name in names)
            added = [int(number) for number in values[len(said) :]]
            # Without columns there is a row also where there was nothing.
            if said or any(added):
                before = found.get(key)
                found[key] = added if before is None else [*map(int.__add__, before, added)]
    return {key: Used(**dict(zip(SUMS, sums, strict=True))) for key, sums in found.items()}


class _Piece(NamedTuple):
    """Rows of one table that lie in the span."""

    row: Any
    where: list[Any]
    day: str | None = None
    """Of quarters of an hour: the day that they are of."""


def _pieces(session: Session, wanted: Wanted, zone: str) -> Iterator[_Piece]:
    span = wanted.span
    if isinstance(span, Days):
        yield _Piece(UsageDayRow, [UsageDayRow.day >= span.first, UsageDayRow.day <= span.last])
        return
    query = select(ProjectRow.id, ProjectRow.zone)
    if wanted.project_id is not None:
        query = query.where(ProjectRow.id == wanted.project_id)
    by_zone: dict[str, list[str]] = {}
    for id, own in session.execute(query):
        by_zone.setdefault(own or zone, []).append(id)
    for name, projects in by_zone.items():
        yield from _pieces_in(span, ZoneInfo(name), projects)


def _pieces_in(span: Moments, zone: ZoneInfo, projects: list[str]) -> Iterator[_Piece]:
    """What is before the first whole day, the whole days, and what is after the last one."""
    since, until = span
    first, last = _date(since, zone), _date(until, zone)
    begin = first if _midnight_ms(first, zone) >= since else first + _DAY
    if begin > last:
        yield _quarters(span, first, projects)
        return
    yield _quarters(Moments(since, _midnight_ms(begin, zone)), first, projects)
    row = UsageDayRow
    inside = [row.day >= begin.isoformat(), row.day < last.isoformat()]
    yield _Piece(row, [row.project_id.in_(projects), *inside])
    yield _quarters(Moments(_midnight_ms(last, zone), until), last, projects)


def _quarters(span: Moments, day: date, projects: list[str]) -> _Piece:
    row = UsageQuarterRow
    inside = [row.start_ms >= span.since_ms, row.start_ms < span.until_ms]
    return _Piece(row, [row.project_id.in_(projects), *inside], day.isoformat())


def _filters(row: Any, wanted: Wanted) -> Iterator[Any]:
    if wanted.project_id is not None:
        yield row.project_id == wanted.project_id
    columns: Iterable[tuple[Any, tuple[str, ...]]] = (
        (row.model, wanted.models),
        (row.tier, wanted.tiers),
        (row.bearer_id, wanted.bearers),
    )
    for column, names in columns:
        if names:
            yield column.in_(names)
    if wanted.providers:
        # Not LIKE: in SQLite it takes capitals for small letters.
        yield or_(
            *(func.substr(row.model, 1, len(name) + 1) == f"{name}/" for name in wanted.providers)
        )


def _date(ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).date()


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    """When a day begins: at the first moment after midnight, where a clock leaps over it."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000

"""What one project used in one month of the calendar, and what it was charged at: its bill.

The amounts are those of the sums that are kept for ever, so every table adds up to the total. What
was estimated, corrected and charged at which price is read from the calls themselves, as far back
as these are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from larouter.core.catalog import Nanodollars
from larouter.core.errors import NotFound
from larouter.core.price_table import price_facts, read_table
from larouter.store.baselines import Chosen
from larouter.store.tables import (
    AttemptRow,
    EntryRow,
    PriceVersionRow,
    ProjectRow,
    RequestRow,
)
from larouter.store.usage import Days, Used, Wanted, added_up

MOST_CORRECTIONS = 100
"""Listed one by one; more are added up."""

_DOUBTFUL = ("estimated", "unknown")
_DAY_MS = 86_400_000


class Line(NamedTuple):
    """One line of a table; `""` is what has no such name."""

    name: str
    used: Used


class Doubt(NamedTuple):
    """Calls of a provider whose amounts are not exactly known."""

    state: str
    """estimated: counted here. unknown: charged at the most that it can have cost. unpriced: in no
    sum. open: not ended yet, and in no sum."""
    model: str
    calls: int
    cost_nusd: Nanodollars


class Correction(NamedTuple):
    """What an entry gave back, or took, after a call had been charged."""

    at_ms: int
    attempt_id: int
    model: str
    cost_nusd: Nanodollars


class PriceLine(NamedTuple):
    """One price version that calls were charged at."""

    model: str
    since_ms: int
    calls: int
    facts: dict[str, str]


class Owner(NamedTuple):
    """Whose statement it is; a deleted project has one as well."""

    id: str
    name: str
    zone: str
    is_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Every table of `Line`s adds up to `total`."""

    owner: Owner
    month: str
    since_ms: int
    until_ms: int
    made_ms: int
    """As of when: a call that is corrected later changes the month in which it was made."""
    total: Used
    here: Used
    """Of `total`: by models on this machine."""
    days: list[Line]
    """Every date of the month."""
    tiers: list[Line]
    models: list[Line]
    providers: list[Line]
    bearers: list[Line]
    doubts: list[Doubt]
    corrections: list[Correction]
    """The oldest first, at most `MOST_CORRECTIONS`."""
    corrected: tuple[int, Nanodollars]
    """How many there are, and what they come to."""
    prices: list[PriceLine]
    is_whole: bool
    """Are all calls of the month kept? Else doubts, corrections and prices are of the rest."""
    baselines: tuple[Chosen, ...] = ()
    """Which models savings were measured against, and from when on."""

    @property
    def is_empty(self) -> bool:
        return not (self.total.calls or self.total.cost_nusd or self.doubts)


def owners(session: Session, zone: str) -> list[Owner]:
    """Every project that there is or was, by name."""
    rows = session.execute(
        select(ProjectRow.id, ProjectRow.name, ProjectRow.zone, ProjectRow.deleted_ms)
    )
    found = [Owner(id, name, own or zone, deleted is not None) for id, name, own, deleted in rows]
    return sorted(found, key=lambda owner: (owner.is_deleted, owner.name, owner.id))


def statement(session: Session, project: str, month: Days, zone: str, now_ms: int) -> Statement:
    """Of a project by its id or name. Raises `NotFound`."""
    every = owners(session, zone)
    owner = next((row for row in every if row.id == project), None) or next(
        (row for row in every if row.name == project), None
    )
    if owner is None:
        raise NotFound(f"There is no project {project!r}.", code="project_not_found")
    since_ms, until_ms = _ends_ms(month, owner.zone)
    names = ("day", "tier", "model", "bearer_id")
    found = added_up(session, Wanted(span=month, project_id=owner.id), names, zone)

    def lines(key: Callable[[tuple[str, ...]], str]) -> list[Line]:
        groups: dict[str, Used] = {}
        for names, used in found.items():
            groups[key(names)] = groups.get(key(names), Used()) + used
        # What is dearest comes first.
        order = sorted(groups, key=lambda name: (-groups[name].cost_nusd, name))
        return [Line(name, groups[name]) for name in order]

    total = sum(found.values(), Used())
    days = dict(lines(lambda key: key[0]))
    providers = lines(lambda key: key[2].partition("/")[0])
    calls = list(_calls(session, owner.id, since_ms, until_ms))
    corrections = _corrections(session, owner.id, since_ms, until_ms)
    kept = _requests(session, owner.id, since_ms, until_ms)
    return Statement(
        owner=owner,
        month=month.first[:7],
        since_ms=since_ms,
        until_ms=until_ms,
        made_ms=now_ms,
        total=total,
        here=dict(providers).get("local", Used()),
        days=[Line(day, days.get(day, Used())) for day in _dates(month)],
        tiers=lines(lambda key: key[1]),
        models=lines(lambda key: key[2]),
        providers=providers,
        bearers=lines(lambda key: key[3]),
        doubts=list(_doubts(calls)),
        corrections=corrections[:MOST_CORRECTIONS],
        corrected=(len(corrections), sum(row.cost_nusd for row in corrections)),
        prices=_prices(session, calls),
        is_whole=kept == total.calls and sum(row.cost for row in calls) == total.cost_nusd,
    )


class _Calls(NamedTuple):
    model: str
    version: int | None
    state: str
    is_priced: bool
    calls: int
    cost: int


def _calls(session: Session, project_id: str, since_ms: int, until_ms: int) -> Iterator[_Calls]:
    """The month's calls of providers by model, price and state."""
    row = AttemptRow
    is_priced = row.cost_nusd.is_not(None)
    names = (row.model, row.price_version, row.state, is_priced)
    query = (
        select(*names, func.count(), func.coalesce(func.sum(row.cost_nusd), 0))
        .join(RequestRow, RequestRow.id == row.request_id)
        .where(*_inside(project_id, since_ms, until_ms))
        .group_by(*names)
        .order_by(row.model, row.price_version, row.state)
    )
    for model, version, state, priced, count, cost in session.execute(query):
        yield _Calls(model, version, state, bool(priced), count, int(cost or 0))


def _doubts(calls: list[_Calls]) -> Iterator[Doubt]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for row in calls:
        if row.state == "pending":
            state = "open"
        elif not row.is_priced:
            state = "unpriced"
        elif row.state in _DOUBTFUL:
            state = row.state
        else:
            continue
        count, cost = found.get((state, row.model), (0, 0))
        found[(state, row.model)] = (count + row.calls, cost + row.cost)
    for (state, model), (count, cost) in sorted(found.items()):
        yield Doubt(state, model, count, cost)


def _corrections(
    session: Session, project_id: str, since_ms: int, until_ms: int
) -> list[Correction]:
    query = (
        select(EntryRow.created_ms, AttemptRow.id, AttemptRow.model, EntryRow.cost_nusd)
        .join(AttemptRow, AttemptRow.id == EntryRow.attempt_id)
        .join(RequestRow, RequestRow.id == AttemptRow.request_id)
        .where(EntryRow.kind != "settle", *_inside(project_id, since_ms, until_ms))
        .order_by(EntryRow.created_ms, EntryRow.id)
    )
    return [Correction(*row) for row in session.execute(query)]


def _prices(session: Session, calls: list[_Calls]) -> list[PriceLine]:
    counts: dict[int, int] = {}
    for row in calls:
        if row.version is not None and row.state != "pending":
            counts[row.version] = counts.get(row.version, 0) + row.calls
    version = PriceVersionRow
    rows = session.execute(
        select(version.id, version.model, version.effective_ms, version.price)
        .where(version.id.in_(counts))
        .order_by(version.model, version.effective_ms)
    )
    return [
        PriceLine(model, since_ms, counts[id], price_facts(read_table(json.loads(price))))
        for id, model, since_ms, price in rows
    ]


def _requests(session: Session, project_id: str, since_ms: int, until_ms: int) -> int:
    """How many of the month's requests that ended are still kept."""
    where = _inside(project_id, since_ms, until_ms)
    return session.execute(
        select(func.count()).select_from(RequestRow).where(RequestRow.ended_ms.is_not(None), *where)
    ).scalar_one()


def _inside(project_id: str, since_ms: int, until_ms: int) -> tuple[Any, ...]:
    row = RequestRow
    return (
        row.project_id == project_id,
        # An id begins with its time (`web.request_id`), and is the key: only the rows of about
        # that time are looked at.
        row.id >= _id(since_ms - _DAY_MS),
        row.id < _id(until_ms + _DAY_MS),
        row.started_ms >= since_ms,
        row.started_ms < until_ms,
    )


def _id(ms: int) -> str:
    return f"req_{max(0, ms) * 1_000_000:016x}"


def _ends_ms(month: Days, zone: str) -> tuple[int, int]:
    first, last = (date.fromisoformat(day) for day in month)
    after = last + timedelta(days=1)
    begin, end = (
        int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
        for day in (first, after)
    )
    return begin, end


def _dates(month: Days) -> Iterator[str]:
    day, last = (date.fromisoformat(text) for text in month)
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)

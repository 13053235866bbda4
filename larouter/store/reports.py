"""Read-only questions for the pages and `/api/usage`: one connection each, off the hub.

They run in gevent's thread pool through SQLAlchemy on read-only connections, so neither the hub
nor the writer waits for them (TRUST B16).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import gevent
from sqlalchemy import ColumnElement, Row, case, func, select
from sqlalchemy.orm import Session

from larouter.core.catalog import Nanodollars
from larouter.core.report import RequestLine, State, Today
from larouter.store import db, reading_app
from larouter.store.tables import AttemptRow, ProjectRow, RequestRow

T = TypeVar("T")

PERIOD_DAYS = {"daily": 1, "weekly": 7, "monthly": 30, "all": None}

_PROMPT = (
    AttemptRow.input
    + AttemptRow.cache_read
    + AttemptRow.cache_write_5m
    + AttemptRow.cache_write_1h
    + AttemptRow.audio
    + AttemptRow.image
)
_UNPRICED = AttemptRow.cost_nusd.is_(None) & (AttemptRow.state != "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """What `/api/usage` answers. Money in nano-dollars; a day is a UTC date."""

    calls: int
    succeeded: int
    input_tokens: int
    output_tokens: int
    cost_nusd: Nanodollars
    by_model: list[tuple[str, int, Nanodollars]]
    by_tier: list[tuple[str, int, Nanodollars]]
    by_day: list[tuple[str, int, Nanodollars]]


class Reports:
    """Asks the database at `path`."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._app = reading_app(path)
        self._clock = clock

    def today(self) -> Today:
        """The day begins at this machine's midnight, as the page shows its times."""
        since_ms = _local_midnight_ms(self._clock())
        return self._ask(lambda session: _today(session, since_ms))

    def recent(self, limit: int = 50) -> list[RequestLine]:
        """The last requests, newest first."""
        return self._ask(lambda session: _recent(session, limit))

    def usage(self, period: str, project_id: str | None) -> UsageReport:
        """`period` is a key of `PERIOD_DAYS`, in UTC days; None for all projects."""
        days = PERIOD_DAYS[period]
        since = 0 if days is None else _utc_midnight_ms(self._clock(), days - 1)
        return self._ask(lambda session: _usage(session, since, project_id))

    def attempts(self, project_id: str | None = None) -> list[dict[str, Any]]:
        """Every attempt in the form of TRUST B17, oldest first."""
        return self._ask(lambda session: list(_attempts(session, project_id)))

    def _ask(self, question: Callable[[Session], T]) -> T:
        def work() -> T:
            with self._app.app_context():
                return question(db.session())

        return gevent.get_hub().threadpool.apply(work)


def _utc_midnight_ms(now: float, days_ago: int) -> int:
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today - timedelta(days=days_ago)).timestamp() * 1000)


def _local_midnight_ms(now: float) -> int:
    here = datetime.fromtimestamp(now, UTC).astimezone()
    # Without its zone again: the offset at midnight may not be the one of now.
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return int(midnight.timestamp() * 1000)


def _today(session: Session, since_ms: int) -> Today:
    inside = RequestRow.started_ms >= since_ms
    succeeded = (RequestRow.status < 400) & inside
    requests, done, local = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((RequestRow.status < 400, 1), else_=0)), 0),
            func.coalesce(
                func.sum(
                    case(((RequestRow.status < 400) & RequestRow.model.startswith("local/"), 1))
                ),
                0,
            ),
        ).where(inside)
    ).one()
    prompt, output, cost, unpriced = session.execute(
        select(
            func.coalesce(func.sum(_PROMPT), 0),
            func.coalesce(func.sum(AttemptRow.output), 0),
            func.coalesce(func.sum(AttemptRow.cost_nusd), 0),
            func.count(func.distinct(case((_UNPRICED, AttemptRow.request_id)))),
        ).where(AttemptRow.started_ms >= since_ms)
    ).one()
    median = session.execute(
        select(RequestRow.ended_ms - RequestRow.started_ms)
        .where(succeeded)
        .order_by(RequestRow.ended_ms - RequestRow.started_ms)
        .limit(1)
        .offset(done // 2)
    ).scalar()
    return Today(
        requests=requests,
        succeeded=done,
        local=local,
        cost_nusd=cost or 0,
        unpriced=unpriced,
        prompt_tokens=prompt,
        output_tokens=output,
        median_ms=median,
    )


def _recent(session: Session, limit: int) -> list[RequestLine]:
    newest = select(RequestRow.id).order_by(RequestRow.id.desc()).limit(limit).scalar_subquery()
    attempts = (
        select(
            AttemptRow.request_id,
            func.sum(_PROMPT).label("prompt"),
            func.sum(AttemptRow.output).label("output"),
            func.sum(AttemptRow.cost_nusd).label("cost"),
            # One attempt without a price makes the whole cost unknown.
            func.sum(case((_UNPRICED, 1), else_=0)).label("unpriced"),
        )
        .where(AttemptRow.request_id.in_(newest))
        .group_by(AttemptRow.request_id)
        .subquery()
    )
    rows = session.execute(
        select(RequestRow, ProjectRow.name, attempts)
        .join(ProjectRow, ProjectRow.id == RequestRow.project_id)
        .outerjoin(attempts, attempts.c.request_id == RequestRow.id)
        .order_by(RequestRow.id.desc())
        .limit(limit)
    )
    return [_line(row) for row in rows]


def _line(row: Row[Any]) -> RequestLine:
    request: RequestRow = row[0]
    return RequestLine(
        id=request.id,
        started_ms=request.started_ms,
        project=row.name,
        asked=request.asked,
        tier=request.tier,
        stage=request.stage,
        reason=request.reason,
        model=request.model,
        degraded=request.degraded,
        status=request.status or 0,
        state=_state(request),
        prompt_tokens=row.prompt or 0,
        output_tokens=row.output or 0,
        cost_nusd=None if row.unpriced else row.cost or 0,
        duration_ms=None if request.ended_ms is None else request.ended_ms - request.started_ms,
        is_local=request.model is None or request.model.startswith("local/"),
        error=request.error,
    )


def _state(request: RequestRow) -> State:
    if request.status is None:
        return "open"
    if request.status < 400:
        return "done"
    return "failed" if request.model else "refused"


def _usage(session: Session, since_ms: int, project_id: str | None) -> UsageReport:
    requests: list[ColumnElement[bool]] = [RequestRow.started_ms >= since_ms]
    attempts: list[ColumnElement[bool]] = [AttemptRow.started_ms >= since_ms]
    if project_id is not None:
        requests.append(RequestRow.project_id == project_id)
        attempts.append(AttemptRow.project_id == project_id)
    calls, succeeded = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((RequestRow.status < 400, 1), else_=0)), 0),
        ).where(*requests)
    ).one()
    totals = session.execute(
        select(
            func.coalesce(func.sum(_PROMPT), 0),
            func.coalesce(func.sum(AttemptRow.output), 0),
            func.coalesce(func.sum(AttemptRow.cost_nusd), 0),
        ).where(*attempts)
    ).one()
    cost = func.coalesce(func.sum(AttemptRow.cost_nusd), 0)
    day = func.date(AttemptRow.started_ms / 1000, "unixepoch")
    called = func.count(func.distinct(AttemptRow.request_id))
    joined = select(RequestRow.tier, called, cost).join(
        AttemptRow, AttemptRow.request_id == RequestRow.id
    )

    def grouped(query: Any, by: Any) -> list[tuple[str, int, int]]:
        rows = session.execute(query.where(*attempts).group_by(by).order_by(by))
        return [(name, calls, cost) for name, calls, cost in rows]

    return UsageReport(
        calls=calls,
        succeeded=succeeded,
        input_tokens=totals[0],
        output_tokens=totals[1],
        cost_nusd=totals[2] or 0,
        by_model=grouped(select(AttemptRow.model, called, cost), AttemptRow.model),
        by_tier=grouped(joined, RequestRow.tier),
        by_day=grouped(select(day, called, cost), day),
    )


def _attempts(session: Session, project_id: str | None) -> Iterator[dict[str, Any]]:
    query = (
        select(AttemptRow, RequestRow.rid, ProjectRow.name)
        .join(RequestRow, RequestRow.id == AttemptRow.request_id)
        .join(ProjectRow, ProjectRow.id == AttemptRow.project_id)
        .order_by(AttemptRow.started_ms, AttemptRow.id)
    )
    if project_id is not None:
        query = query.where(AttemptRow.project_id == project_id)
    for attempt, rid, project in session.execute(query):
        prompt = attempt.input + attempt.cache_read + attempt.cache_write_5m
        prompt += attempt.cache_write_1h + attempt.audio + attempt.image
        yield {
            "attempt_id": f"att_{attempt.id}",
            "request_id": attempt.request_id,
            "rid": rid,
            "provider": attempt.provider,
            "provider_id": attempt.provider_id,
            "model": attempt.model,
            "state": attempt.state,
            "prompt_tokens": prompt,
            "cached_tokens": attempt.cache_read,
            "completion_tokens": attempt.output,
            "cost_nusd": attempt.cost_nusd,
            "created_at": datetime.fromtimestamp(attempt.started_ms / 1000, UTC).isoformat(),
            "project": project,
        }

"""Read-only questions for the pages and `/api/usage`: one connection each, off the hub.

They run in gevent's thread pool through SQLAlchemy on read-only connections, so neither the hub
nor the writer waits for them (TRUST B16).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

import gevent
from sqlalchemy import Row, case, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.core.report import AlertLine, RequestLine, State, Today
from larouter.store import db, reading_app
from larouter.store.alert_lines import alert_lines
from larouter.store.spending import Spending, spending
from larouter.store.sql import Database, is_damage
from larouter.store.statements import Owner, Statement, owners, statement
from larouter.store.tables import (
    AttemptRow,
    ProjectRow,
    RequestRow,
    UsageQuarterRow,
)
from larouter.store.usage import DayLine, Days, Moments, UsageReport, Wanted, days, usage

T = TypeVar("T")

logger = logging.getLogger(__name__)

_PROMPT = (
    AttemptRow.input
    + AttemptRow.cache_read
    + AttemptRow.cache_write_5m
    + AttemptRow.cache_write_1h
    + AttemptRow.audio
    + AttemptRow.image
)
_NEWEST = 1_000
_UNPRICED = AttemptRow.cost_nusd.is_(None) & (AttemptRow.state != "pending")


class Reports:
    """Asks the database."""

    def __init__(
        self, database: Database, *, zone: str = "UTC", clock: Callable[[], float] = time.time
    ) -> None:
        """`zone` is this machine's."""
        self._app = reading_app(database)
        self._zone = zone
        self._clock = clock

    def today(self) -> Today:
        """The day begins at this machine's midnight, as the page shows its times."""
        since_ms = _local_midnight_ms(self._clock())
        return self._ask(lambda session: _today(session, since_ms))

    def recent(self, limit: int = 50) -> list[RequestLine]:
        """The last requests, newest first."""
        return self._ask(lambda session: _recent(session, limit))

    def usage(self, wanted: Wanted) -> UsageReport:
        """What was used, in all and by name."""
        return self._ask(lambda session: usage(session, wanted, self._zone))

    def days(self, wanted: Wanted) -> list[DayLine]:
        """The same as lines of a table."""
        return self._ask(lambda session: days(session, wanted, self._zone))

    def attempts(self, project_id: str | None = None) -> list[dict[str, Any]]:
        """Every attempt in the form of TRUST B17, oldest first."""
        return self._ask(lambda session: list(_attempts(session, project_id)))

    def calls(self, provider: str, span: Moments, after: int, limit: int) -> list[dict[str, Any]]:
        """The calls of a provider that began in a span, by their ids, those behind `after`."""
        return self._ask(lambda session: _calls(session, provider, span, after, limit))

    def owners(self) -> list[Owner]:
        """Every project that there is or was, with its zone."""
        return self._ask(lambda session: owners(session, self._zone))

    def statement(self, project: str, month: Days) -> Statement:
        """The bill of a project, by id or name. Raises `NotFound`."""
        now_ms = int(self._clock() * 1000)
        return self._ask(lambda session: statement(session, project, month, self._zone, now_ms))

    def alerts(
        self, project_id: str | None = None, *, unseen: bool = False, limit: int = 100
    ) -> list[AlertLine]:
        """Newest first. Of a project its own alone; None: everybody's, and this machine's."""
        return self._ask(lambda session: alert_lines(session, project_id, unseen, limit))

    def spending(self, project_ids: Sequence[str], since_ms: int) -> Spending:
        """What each of these spent, by the quarter of an hour."""
        return self._ask(lambda session: spending(session, project_ids, since_ms))

    def date_in(self, zone: str | None = None) -> date:
        """Today's date in a project's `zone`; None: in this machine's."""
        return datetime.fromtimestamp(self._clock(), ZoneInfo(zone or self._zone)).date()

    def _ask(self, question: Callable[[Session], T]) -> T:
        def work() -> tuple[T, None] | tuple[None, DBAPIError]:
            with self._app.app_context():
                try:
                    return question(db.session()), None
                except DBAPIError as error:
                    # Raised there, gevent would print it as well.
                    return None, error

        found, error = gevent.get_hub().threadpool.apply(work)
        if error is not None:
            raise _cannot_read(error) from error
        return cast(T, found)


def _cannot_read(error: DBAPIError) -> StorageDown:
    logger.error("the database could not be read: %s", error.orig)
    if error.orig is not None and is_damage(error.orig):
        return DatabaseDamaged()
    return StorageDown("LARouter cannot read its database. Its log says why.")


def _local_midnight_ms(now: float) -> int:
    here = datetime.fromtimestamp(now, UTC).astimezone()
    # Without its zone again: the offset at midnight may not be the one of now.
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return int(midnight.timestamp() * 1000)


def _today(session: Session, since_ms: int) -> Today:
    used = UsageQuarterRow
    # By project, as the rows are sorted: else a year of quarters is looked through.
    inside = used.project_id.in_(select(ProjectRow.id)) & (used.start_ms >= since_ms)
    local = case((used.model.startswith("local/"), used.succeeded), else_=0)
    calls, done, here, prompt, output, cost, unpriced = session.execute(
        select(
            *(
                func.coalesce(func.sum(column), 0)
                for column in (
                    used.calls, used.succeeded, local, used.prompt, used.output, used.cost_nusd,
                    used.unpriced,
                )
            )
        ).where(inside)
    ).one()  # fmt: skip
    underway = session.execute(
        select(func.count(func.distinct(AttemptRow.request_id))).where(
            AttemptRow.state == "pending", AttemptRow.started_ms >= since_ms
        )
    ).scalar_one()
    return Today(
        requests=calls + underway,
        succeeded=done,
        local=here,
        cost_nusd=cost,
        unpriced=unpriced,
        prompt_tokens=prompt,
        output_tokens=output,
        median_ms=_median_ms(session, since_ms),
    )


def _median_ms(session: Session, since_ms: int) -> int | None:
    """Of the newest answers of the day, so that a busy day costs no more than a quiet one."""
    newest = (
        select(RequestRow.started_ms, RequestRow.ended_ms, RequestRow.status)
        .order_by(RequestRow.id.desc())
        .limit(_NEWEST)
        .subquery()
    )
    took = session.scalars(
        select(newest.c.ended_ms - newest.c.started_ms).where(
            newest.c.status < 400, newest.c.started_ms >= since_ms
        )
    ).all()
    return sorted(took)[len(took) // 2] if took else None


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


def _calls(
    session: Session, provider: str, span: Moments, after: int, limit: int
) -> list[dict[str, Any]]:
    row = AttemptRow
    query = (
        select(row)
        .where(
            row.provider == provider,
            row.started_ms >= span.since_ms,
            row.started_ms < span.until_ms,
            row.id > after,
        )
        .order_by(row.id)
        .limit(limit)
    )
    return [
        {
            "id": call.id,
            "providerId": call.provider_id,
            "model": call.model,
            "state": call.state,
            "startedMs": call.started_ms,
            "endedMs": call.ended_ms,
            "promptTokens": call.input + call.cache_read + call.cache_write_5m
            + call.cache_write_1h + call.audio + call.image,
            "cachedTokens": call.cache_read,
            "outputTokens": call.output,
            "costNusd": call.cost_nusd,
        }
        for call in session.scalars(query)
    ]  # fmt: skip

"""The ledger: one row per request and per attempt, durable before the answer ends (TRUST B2, B3).

`reserve` and `settle` are two short transactions; none spans a provider call. Their statements
are written out and go through the driver: SQLAlchemy costs several times as much, and this runs
twice for each request (TRUST B16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NoReturn

import msgspec
from msgspec.structs import replace

from larouter.core.account import Attempt, Outcome, RequestRecord
from larouter.core.accounting import baseline_of
from larouter.core.budget import Bound, Budget
from larouter.core.catalog import Model, Nanodollars, Price
from larouter.core.errors import StorageDown
from larouter.core.meters import Meters
from larouter.core.report import RequestLine, State
from larouter.core.route import Choice, Numbers
from larouter.store.admission import Granted, grant, keep
from larouter.store.feed import Feed
from larouter.store.rollups import Rollups, Share
from larouter.store.settlement import Settlement, apply
from larouter.store.spill import Spill
from larouter.store.sql import Connection, inserted
from larouter.store.writer import Writer, now_ms

_INSERT_REQUEST = """INSERT INTO request
 (id, project_id, rid, asked, tier, stage, score, reason, stream, started_ms, numbers, bearer_id,
  model, degraded)
 VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING"""
# Of a second attempt the row is there, in the tier that it began with. If its process was taken for
# dead meanwhile, it has been counted for the model that it has.
_ASK_AGAIN = """UPDATE request SET model = CASE WHEN status IS NULL THEN ? ELSE model END,
 degraded = ? WHERE id = ? RETURNING tier"""
_INSERT_ATTEMPT = """INSERT INTO attempt
 (request_id, project_id, run_id, provider, model, state, price_version, hold_nusd, started_ms,
  service, input, cache_read, cache_write_5m, cache_write_1h, output, audio, image)
 VALUES (?,?,?,?,?,'pending',?,?,?,?,0,0,0,0,0,0,0)"""
_REFUSE = """INSERT INTO request
 (id, project_id, rid, asked, tier, stage, score, reason, stream, started_ms, numbers, bearer_id,
  ended_ms, status, error)
 VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
 ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms, status = excluded.status,
  error = excluded.error WHERE request.status IS NULL
 RETURNING model, tier"""

_MAX_SERVICE = 40

_encode = msgspec.json.Encoder().encode
_NO_NUMBERS = Numbers()


class _Foreseen(Exception):
    """A budget would pay for the call, with an answer of so many tokens."""

    def __init__(self, output: int | None) -> None:
        super().__init__()
        self.output = output


class Ledger:
    """Writes through the one writer; tells the feed of every request that ended."""

    def __init__(
        self,
        writer: Writer,
        *,
        run_id: str,
        price_versions: Mapping[str, int],
        feed: Feed,
        rollups: Rollups,
        budgets: Callable[[str], tuple[Budget, ...]] = lambda project_id: (),
        follow: Callable[[Connection], None] | None = None,
        baseline: Callable[[str], Price | None] = lambda project_id: None,
        spill: Spill | None = None,
        wrong: Callable[[], bool] = lambda: False,
        meters: Meters | None = None,
    ) -> None:
        """`budgets` are those of a project, this machine's own among them, in the order of their
        ids: the order in which they are always taken; `follow` makes them those that the rows say,
        where others may change them. `baseline` is the price that savings of
        a project are measured against. Without `spill` a settlement that cannot be written raises.
        While `wrong`, nobody who has a budget is served (TRUST B15)."""
        self._writer = writer
        self._run_id = run_id
        self._price_versions = price_versions
        self._feed = feed
        self._rollups = rollups
        self._budgets = budgets
        self._follow = follow
        self._baseline = baseline
        self._spill = spill
        self._wrong = wrong
        self._meters = meters or Meters()

    def reserve(self, record: RequestRecord, choice: Choice, bound: Bound) -> Attempt:
        """Commit the request and a pending attempt (TRUST B3): only then may it be sent."""
        model = choice.model
        price_version = self._price_versions.get(model.key)
        started = now_ms()
        free = Granted(bound.cost(bound.output or 0), None, ())
        request_row = (*_request_columns(record), model.key, choice.degraded)
        attempt_row = (record.id, record.project.id, self._run_id, model.provider, model.key)
        service = bound.service and bound.service[:_MAX_SERVICE]

        def job(connection: Connection) -> tuple[int, Granted, str]:
            # Here and not before: a budget that is made now counts either this call as one under
            # way, or this call it.
            budgets = self._limits(connection, record, model)
            granted = grant(connection, budgets, bound, started) if budgets else free
            tier = record.tier
            if connection.execute(_INSERT_REQUEST, request_row).rowcount == 0:
                again = (model.key, choice.degraded, record.id)
                (tier,) = connection.execute(_ASK_AGAIN, again).fetchone()
            attempt_id = inserted(
                connection,
                _INSERT_ATTEMPT,
                (*attempt_row, price_version, granted.hold, started, service),
            )
            if granted.held:
                keep(connection, attempt_id, granted.held)
            return attempt_id, granted, tier

        attempt_id, granted, tier = self._writer.run(job)
        if tier != record.tier:
            # It was decided anew after a first attempt; its row stays in the tier it began with.
            record = replace(record, tier=tier)
        return Attempt(
            id=attempt_id,
            request=record,
            model=model,
            degraded=choice.degraded,
            hold=granted.hold,
            price_version=price_version,
            started_ms=started,
            max_output=granted.output,
            service=bound.service,
            held=granted.held,
        )

    def foresee(self, record: RequestRecord, choice: Choice, bound: Bound) -> int | None:
        """The same question, and what it would have held is given back at once."""
        if self._follow is None and not self._budgets(record.project.id):
            return None

        def job(connection: Connection) -> NoReturn:
            budgets = self._limits(connection, record, choice.model)
            # An error takes back everything that the job has written.
            raise _Foreseen(grant(connection, budgets, bound, now_ms()).output)

        try:
            self._writer.run(job)
        except _Foreseen as foreseen:
            return foreseen.output

    def _limits(self, connection: Connection, record: RequestRecord, model: Model) -> list[Budget]:
        """The budgets that the call counts for. Raises `StorageDown` while the books are wrong."""
        if self._follow is not None:
            self._follow(connection)
        budgets = [
            budget
            for budget in self._budgets(record.project.id)
            if budget.covers(record.tier, model)
        ]
        if budgets and self._wrong():
            raise StorageDown(
                "LARouter's books do not add up, so nothing is sent that a budget limits. Its log "
                "says what is wrong; please report it. A budget made anew counts from the entries.",
                code="books_wrong",
            )
        return budgets

    def settle(self, attempt: Attempt, outcome: Outcome) -> Nanodollars | None:
        """Commit how the attempt ended; a second call changes nothing. Return its cost.

        What the database cannot take is kept beside it (TRUST B14)."""
        cost = _cost(attempt, outcome)
        request = attempt.request
        baseline = 0
        if outcome.final:
            baseline = baseline_of(request, outcome, cost, self._baseline(request.project.id))
        settled = Settlement(
            attempt_id=attempt.id,
            state=outcome.state,
            provider_id=outcome.provider_id,
            cost=cost,
            usage=outcome.usage,
            first_ms=outcome.first_ms,
            ended_ms=now_ms(),
            final=outcome.final,
            request_id=request.id,
            started_ms=request.started_ms,
            status=outcome.status,
            error=outcome.error,
            stage=request.stage,
            reason=request.reason,
            degraded=attempt.degraded,
            baseline=baseline,
            share=_share(request, attempt.model.key),
        )
        try:
            is_new = self._writer.run(lambda connection: apply(connection, settled, self._rollups))
        except StorageDown:
            if self._spill is None:
                raise
            self._spill.keep(settled)
            is_new = True
        if is_new:
            self._meters.settled(
                request.project.id, request.tier, attempt.model.key, outcome, cost,
                settled.ended_ms - request.started_ms,
            )  # fmt: skip
        if is_new and outcome.final and self._feed.is_watched:
            self._feed.publish(_line(attempt, outcome, cost, settled.ended_ms))
        return cost

    @property
    def queued(self) -> int:
        """How many batches of jobs wait for the writer."""
        return self._writer.queued

    @property
    def spilled(self) -> int:
        """How many settlements are kept aside."""
        return 0 if self._spill is None else len(self._spill)

    def replay(self) -> int:
        """Write down what had been kept aside; return how much it was. Raises `StorageDown`."""
        if not self._spill:
            return 0
        return self._spill.replay(
            lambda settled: self._writer.run(
                lambda connection: apply(connection, settled, self._rollups)
            )
        )

    def refuse(self, record: RequestRecord, status: int, code: str) -> None:
        """Commit a request that reached no provider."""
        ended = now_ms()
        row = (*_request_columns(record), ended, status, code)

        def job(connection: Connection) -> Share:
            found = connection.execute(_REFUSE, row).fetchone()
            if found is None:
                # Its process was taken for dead meanwhile, so it has ended and is counted.
                return _share(record, "")
            model, tier = found
            share = _share(record, model or "")._replace(tier=tier)
            self._rollups.add(record.started_ms, share, (1, 0, 0, 0, 0, 0, 0, 0))
            return share

        share = self._writer.run(job)
        self._meters.refused(record.project.id, share.tier, share.model, ended - record.started_ms)
        self._feed.publish(
            _request_line(record, status=status, error=code, ended_ms=ended, state="refused")
        )


def _share(record: RequestRecord, model: str) -> Share:
    project = record.project
    return Share(project.id, record.tier, model, project.bearer_id or "")


def _request_columns(record: RequestRecord) -> tuple[object, ...]:
    return (
        record.id,
        record.project.id,
        record.rid,
        record.asked,
        record.tier,
        record.stage,
        record.score,
        record.reason,
        record.stream,
        record.started_ms,
        None if record.numbers == _NO_NUMBERS else _encode(record.numbers).decode(),
        record.project.bearer_id,
    )


def _cost(attempt: Attempt, outcome: Outcome) -> Nanodollars | None:
    """What the attempt is charged (TRUST B9); None: the price is unknown."""
    if outcome.state in {"released", "failed"}:
        return 0
    if outcome.state == "unknown":
        return attempt.hold
    # The hour of the call may decide, so it is charged by when it began.
    started = datetime.fromtimestamp(attempt.started_ms / 1000, UTC)
    price, service = attempt.model.price, outcome.usage.service
    if service is None or not price.serves(service):
        service = attempt.service  # what it was asked for
    return price.cost(outcome.usage, at=started, service=service)


def _line(
    attempt: Attempt, outcome: Outcome, cost: Nanodollars | None, ended_ms: int
) -> RequestLine:
    return _request_line(
        attempt.request,
        status=outcome.status,
        error=outcome.error,
        ended_ms=ended_ms,
        state="done" if outcome.status < 400 else "failed",
        model=attempt.model.key,
        degraded=attempt.degraded,
        prompt_tokens=outcome.usage.prompt,
        output_tokens=outcome.usage.output,
        cost_nusd=cost,
    )


def _request_line(
    record: RequestRecord,
    *,
    status: int,
    error: str | None,
    ended_ms: int,
    state: State,
    model: str | None = None,
    degraded: str | None = None,
    prompt_tokens: int = 0,
    output_tokens: int = 0,
    cost_nusd: Nanodollars | None = 0,
) -> RequestLine:
    return RequestLine(
        id=record.id,
        started_ms=record.started_ms,
        project=record.project.name,
        asked=record.asked,
        tier=record.tier,
        stage=record.stage,
        reason=record.reason,
        model=model,
        degraded=degraded,
        status=status,
        state=state,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
        cost_nusd=cost_nusd,
        duration_ms=ended_ms - record.started_ms,
        is_local=model is None or model.startswith("local/"),
        error=error,
    )

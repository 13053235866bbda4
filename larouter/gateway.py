"""One request from start to finish. Read this first.

    web/api:  authenticate ─ read ─┐                                   ┌─► bytes to the client
    gateway:                       └► classify ─ decide ─ reserve ─ call ─ stream ─ settle

Promises that this path keeps, each with a test in `tests/test_gateway.py`:

1. Status before stream: `call` waits for the first event, so a refused or failed call is a
   proper 4xx or 5xx, never a broken 200.
2. Retry and fall back before the first event, never after: then the client has seen nothing
   (TRUST A2, A4). Each try is an attempt of its own, with its own row.
3. Settled before the end, exactly once: the settlement is committed before the last bytes leave
   (TRUST B3). `close` covers answers that never got there; it is idempotent.
4. A disconnect stops the spending (TRUST B8): the upstream is closed first, then the attempt is
   settled, estimated from what was delivered.
5. No transaction spans a call: `reserve` and `settle` are two short ones.
6. History does not change: an attempt keeps the price that it was charged at.
7. Errors speak the caller's dialect: in the status line or, mid-stream, as an error event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from random import random

from larouter.core.account import Attempt, Outcome, Project, RequestRecord
from larouter.core.breaker import Breaker
from larouter.core.catalog import Model, Nanodollars
from larouter.core.chat import ChatRequest
from larouter.core.errors import (
    BadRequest,
    LARouterError,
    StorageDown,
    TooManyRequests,
    Unavailable,
    UpstreamError,
    UpstreamRefused,
)
from larouter.core.fallback import Fallback
from larouter.core.ports import Leaving, Ledger, Provider, Reply
from larouter.core.route import Choice, Decision, Numbers

CLIENT_LEFT = 499
"""What the row of a request says whose client did not wait for the answer (nginx's number)."""

PER_PROJECT = 128
"""Requests that one project may have in flight (TRUST A5); the listener limits them all."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Answers requests. Everything that it needs is an interface (`core/ports.py`)."""

    decide: Callable[[ChatRequest], Decision]
    """Classifies and routes; raises the refusal of a request that nothing can serve."""
    providers: Mapping[str, Provider]
    ledger: Ledger
    pause: Callable[[float, Leaving], None]
    """Wait so many seconds, or until the client leaves."""
    clock: Callable[[], float] = time.time
    random: Callable[[], float] = random
    breaker: Breaker = field(default_factory=lambda: Breaker(time.monotonic))
    in_flight: dict[str, int] = field(default_factory=dict)
    """How many answers are under way, by the project's id."""

    def answer(
        self, project: Project, request: ChatRequest, request_id: str, leaving: Leaving
    ) -> Answer:
        """Answer `request`, or raise the error to show. One row is written either way, but for
        a project that has too much in flight: its requests must cost nothing."""
        self._enter(project.id)
        try:
            return self._answer(project, request, request_id, leaving)
        except BaseException:
            self.leave(project.id)
            raise

    def leave(self, project_id: str) -> None:
        """An answer of the project is over."""
        self.in_flight[project_id] -= 1

    def _enter(self, project_id: str) -> None:
        count = self.in_flight.get(project_id, 0)
        if count >= PER_PROJECT:
            raise TooManyRequests(
                f"This project has {PER_PROJECT} requests in flight; wait for one to end.",
                code="too_many_in_flight",
                retry_after_s=1,
            )
        self.in_flight[project_id] = count + 1

    def _answer(
        self, project: Project, request: ChatRequest, request_id: str, leaving: Leaving
    ) -> Answer:
        started_ms = int(self.clock() * 1000)
        try:
            decision = self.decide(request)
        except LARouterError as error:
            record = _record(request_id, project, request, None, started_ms)
            self.ledger.refuse(record, error.status, error.code)
            raise
        record = _record(request_id, project, request, decision, started_ms)
        return self._call(record, decision, request, leaving)

    def _call(
        self, record: RequestRecord, decision: Decision, request: ChatRequest, leaving: Leaving
    ) -> Answer:
        """Reserve and send; a failure before the first event is tried again, or by the next
        model."""
        assert decision.choices, "a decision names at least one model"
        fallback = Fallback(decision.choices, self.breaker, self.random)
        while (choice := fallback.choice) is not None:
            attempt = self._reserve(record, fallback, choice, request)
            try:
                reply = self.providers[choice.model.provider].call(choice.model, request, leaving)
            except LARouterError as error:
                goes_on = _goes_on(fallback, error, leaving)
                self.ledger.settle(
                    attempt, self._failed(attempt, error, leaving, final=not goes_on)
                )
                if not goes_on:
                    raise
                if fallback.pause_s:
                    self.pause(fallback.pause_s, leaving)
            except BaseException:
                fallback.abandoned()
                self.ledger.settle(attempt, Outcome(state="unknown", status=500, error="crash"))
                raise
            else:
                self.breaker.succeeded(choice.model.key)
                return Answer(self, decision, choice, attempt, reply, leaving)
        resting = _resting(decision, fallback.rests_s)
        self.ledger.refuse(record, resting.status, resting.code)
        raise resting

    def _reserve(
        self, record: RequestRecord, fallback: Fallback, choice: Choice, request: ChatRequest
    ) -> Attempt:
        try:
            return self.ledger.reserve(record, choice, _hold(choice.model, request))
        except BaseException:
            fallback.abandoned()
            raise

    def _failed(
        self, attempt: Attempt, error: LARouterError, leaving: Leaving, *, final: bool
    ) -> Outcome:
        """What becomes of an attempt that brought nothing (TRUST B9)."""
        if isinstance(error, UpstreamRefused):
            state = "failed"
        elif isinstance(error, (Unavailable, BadRequest)) or (
            isinstance(error, UpstreamError) and not error.sent
        ):
            state = "released"
        else:
            state = "failed" if attempt.model.is_local else "unknown"
        if leaving.fired:
            return Outcome(state=state, status=CLIENT_LEFT, error="client_left", final=final)
        return Outcome(state=state, status=error.status, error=error.code, final=final)


class Answer:
    """One answer under way. Iterate it for the bytes; close it in any case."""

    __slots__ = (
        "_first_ms", "_gateway", "_leaving", "_open", "_settled", "attempt", "choice", "cost",
        "decision", "reply",
    )  # fmt: skip

    def __init__(
        self,
        gateway: Gateway,
        decision: Decision,
        choice: Choice,
        attempt: Attempt,
        reply: Reply,
        leaving: Leaving,
    ) -> None:
        self._gateway = gateway
        self._leaving = leaving
        self._open = True
        self._settled = False
        self._first_ms = int(gateway.clock() * 1000) - attempt.started_ms
        self.decision = decision
        self.choice = choice
        self.attempt = attempt
        self.reply = reply
        self.cost: Nanodollars | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.reply
            self.finish()
            yield self.reply.end
        except LARouterError as error:
            self._settle_broken(error.code)
            # A client that left reads nothing; one that reads was cut off by our own stop.
            yield self.reply.broken(_stopping() if self._leaving.fired else error)
        except Exception:
            self._settle_broken("crash")
            raise
        finally:
            self.close()

    def finish(self) -> bytes:
        """Settle a whole answer and only then hand out its last bytes (TRUST B3)."""
        usage = self.reply.usage
        self._settle(
            Outcome(
                state="settled" if usage else "estimated",
                usage=usage or self.reply.delivered(),
                provider_id=self.reply.provider_id,
                first_ms=self._first_ms,
            )
        )
        return self.reply.end

    def close(self) -> None:
        """Stop what is still running and settle what is still open. Idempotent."""
        if self._open:
            self._open = False
            self._gateway.leave(self.attempt.request.project.id)
        self.reply.close()
        self._settle_broken("client_left")

    def _broken(self, code: str) -> Outcome:
        left = self._leaving.fired or code == "client_left"
        return Outcome(
            state="estimated",
            usage=self.reply.delivered(),
            provider_id=self.reply.provider_id,
            status=CLIENT_LEFT if left else UpstreamError.status,
            error="client_left" if left else code,
            first_ms=self._first_ms,
        )

    def _settle(self, outcome: Outcome) -> None:
        self.cost = self._gateway.ledger.settle(self.attempt, outcome)
        self._settled = True

    def _settle_broken(self, code: str) -> None:
        if self._settled:
            return
        # A database that cannot be written has logged it; the row stays pending, and the next
        # start closes it (TRUST B10).
        with suppress(StorageDown):
            self._settle(self._broken(code))


def _goes_on(fallback: Fallback, error: LARouterError, leaving: Leaving) -> bool:
    """Is there a next try? Not for a client that left, whose leave says nothing of the model."""
    if leaving.fired:
        fallback.abandoned()
        return False
    return fallback.failed(error)


def _stopping() -> Unavailable:
    return Unavailable("LARouter is stopping, so this answer ends here. Ask again in a moment.")


def _resting(decision: Decision, rests_s: float) -> Unavailable:
    """Every model that may answer has failed again and again just now (TRUST A3)."""
    seconds = max(1, ceil(rests_s))
    return Unavailable(
        f"{decision.choices[0].model.key} has failed several times in a row and is left alone for "
        f"{seconds} s. Try again then, or ask for another model.",
        code="provider_resting",
        retry_after_s=seconds,
    )


def _record(
    request_id: str,
    project: Project,
    request: ChatRequest,
    decision: Decision | None,
    started_ms: int,
) -> RequestRecord:
    return RequestRecord(
        id=request_id,
        project=project,
        asked=request.model,
        tier=decision.tier if decision else "-",
        stage=decision.stage if decision else "-",
        score=decision.score if decision else 0.0,
        reason=decision.reason if decision else "",
        stream=request.stream,
        rid=request.rid,
        started_ms=started_ms,
        numbers=decision.numbers if decision else Numbers(),
    )


def _hold(model: Model, request: ChatRequest) -> Nanodollars | None:
    """An upper bound of what the call can cost (TRUST B5), or None for an unknown price."""
    if model.price.is_free:
        return 0
    most = model.max_output or 0
    output = most if request.max_output is None else min(request.max_output, most or 2**31)
    return model.price.bound(request.size, request.n * output)

"""One request from start to finish. Read this first.

    web/api:  authenticate ─ read ─┐                                   ┌─► bytes to the client
    gateway:                       └► classify ─ decide ─ reserve ─ call ─ stream ─ settle

Promises that this path keeps, each with a test in `tests/test_gateway.py`:

1. Status before stream: `call` waits for the first event, so a refused or failed call is a
   proper 4xx or 5xx, never a broken 200.
2. Retry and fall back before the first event, never after: then the client has seen nothing
   (TRUST A2, A4). Each try is an attempt of its own, with its own row.
   So too with a local answer that is no good (`core/escalation.py`).
3. Settled before the end, exactly once: the settlement is committed before the last bytes leave
   (TRUST B3). `close` covers answers that never got there; it is idempotent.
4. A disconnect stops the spending (TRUST B8): the upstream is closed first, then the attempt is
   settled, estimated from what was delivered.
5. No transaction spans a call: `reserve` and `settle` are two short ones. `reserve` holds the most
   that the call can cost, of every budget that it counts for; where one has too little, nothing is
   sent (TRUST B4, B5).
6. History does not change: an attempt keeps the price that it was charged at.
7. Errors speak the caller's dialect: in the status line or, mid-stream, as an error event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import random

from msgspec.structs import replace

from larouter.core import escalation
from larouter.core.account import Attempt, Outcome, Project, RequestRecord
from larouter.core.accounting import CLIENT_LEFT, failed, record_of
from larouter.core.breaker import Breaker
from larouter.core.budget import Bound, bound_of
from larouter.core.catalog import Model, Nanodollars
from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversations import Conversations
from larouter.core.drains import Drains
from larouter.core.errors import (
    BudgetExceeded,
    LARouterError,
    StorageDown,
    Unavailable,
    UpstreamError,
)
from larouter.core.fallback import Fallback
from larouter.core.faults import Faults
from larouter.core.pace import Pace
from larouter.core.ports import Leaving, Ledger, Provider, Reply
from larouter.core.rates import BYTES_PER_TOKEN, Asked, Rates, crowd
from larouter.core.route import Choice, Decision

_STOPPING = "LARouter is stopping, so this answer ends here. Ask again in a moment."


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
    pace: Pace = field(default_factory=Pace)
    """Learns from every answer that ends well how fast its model is."""
    conversations: Conversations = field(default_factory=lambda: Conversations(time.monotonic))
    """Is told who has begun to answer: what failed before does not count."""
    faults: Faults = field(default_factory=Faults)
    """Knows what can be wrong with a local answer."""
    on_escalation: Callable[[str, str, str], None] = lambda project_id, request_id, fault: None
    """Told of each fault found. It must neither wait nor raise: a client waits for the answer."""
    rates: Rates = field(default_factory=lambda: Rates(time.monotonic))
    """Knows what each project asked in the last minute."""
    bound: Callable[[Model, ChatRequest], Bound] = bound_of
    """Knows the most that a call can take."""
    drains: Drains = field(default_factory=Drains)
    """Who may be read on for although its client left."""
    in_flight: dict[str, int] = field(default_factory=dict)
    """How many answers are under way, by the project's id."""

    def answer(
        self, project: Project, request: ChatRequest, request_id: str, leaving: Leaving
    ) -> Answer:
        """Answer `request`, or raise the error to show. One row is written either way, but for
        a project that has too much in flight: its requests must cost nothing."""
        self._enter(project.id, request)
        if request.stream and request.policy.when_left == "drain":
            leaving.may_read_on = self.drains.take
        try:
            return self._answer(project, request, request_id, leaving)
        except BaseException:
            self.leave(project.id)
            self.stop_reading(leaving)
            raise

    def leave(self, project_id: str) -> None:
        """An answer of the project is over."""
        self.in_flight[project_id] -= 1

    def stop_reading(self, leaving: Leaving) -> None:
        """Nobody reads on for a client that left any more."""
        if leaving.reads_on:
            leaving.reads_on, leaving.may_read_on = False, None
            self.drains.give_back()

    def _enter(self, project_id: str, request: ChatRequest) -> None:
        count = self.in_flight.get(project_id, 0)
        crowded = crowd(count, request.policy)
        if crowded is not None:
            raise crowded
        self.in_flight[project_id] = count + 1

    def _answer(
        self, project: Project, request: ChatRequest, request_id: str, leaving: Leaving
    ) -> Answer:
        started_ms = int(self.clock() * 1000)
        asked = self.rates.ask(project.id, request.policy, request.size // BYTES_PER_TOKEN)
        try:
            decision = self.decide(request)
        except LARouterError as error:
            record = record_of(request_id, project, request, None, started_ms)
            self.ledger.refuse(record, error.status, error.code)
            raise
        record = record_of(request_id, project, request, decision, started_ms)
        answer = self._paid(record, decision, request, leaving)
        answer.asked = asked
        if not escalation.is_judged(answer.decision, answer.attempt.model, request):
            return answer
        try:
            return self._judged(answer, request, leaving)
        except BaseException:
            answer.drop(answer.broken("crash"))
            raise

    def _paid(
        self, record: RequestRecord, decision: Decision, request: ChatRequest, leaving: Leaving
    ) -> Answer:
        """Call; what no budget pays for is asked of a free model, if the project wants that."""
        try:
            return self._call(record, decision, request, leaving)
        except BudgetExceeded as exceeded:
            free = self.free(request)
            with suppress(BudgetExceeded):
                if free is not None:
                    cheaper = replace(record, tier=free.tier, stage=free.stage, reason=free.reason)
                    return self._call(cheaper, free, request, leaving)
            self.ledger.refuse(record, exceeded.status, exceeded.code)
            raise

    def free(self, request: ChatRequest) -> Decision | None:
        """Who may answer for nothing what no budget pays for; None: nobody, or the project would
        rather be refused."""
        if request.policy.when_spent != "local" or request.over_budget:
            return None
        with suppress(LARouterError):
            return self.decide(replace(request, over_budget=True))
        return None

    def _judged(self, answer: Answer, request: ChatRequest, leaving: Leaving) -> Answer:
        """Where a local answer is no good, ask one tier up; where nobody answers there, it stands:
        it is better than an error."""
        heard = answer.reply.heard(escalation.listening(request, self.clock))
        fault = self.faults.of(heard, held=request.policy.hold_first_tokens) if heard else None
        if fault is None or leaving.fired:
            return answer
        record, before = answer.attempt.request, answer.decision
        self.on_escalation(record.project.id, record.id, fault)
        decision = escalation.raised(before, fault)
        above = replace(record, stage=decision.stage, reason=decision.reason)
        try:
            better = self._call(above, decision, request, leaving, is_last=False)
        except LARouterError:
            answer.stands(escalation.kept(before, fault))
            return answer
        answer.drop(answer.ended(final=False))
        better.asked = answer.asked
        return better

    def _call(
        self,
        record: RequestRecord,
        decision: Decision,
        request: ChatRequest,
        leaving: Leaving,
        *,
        is_last: bool = True,
    ) -> Answer:
        """Reserve and send; a failure before the first event is tried again, or by the next
        model. `is_last`: when all of them have failed, so has the request."""
        assert decision.choices, "a decision names at least one model"
        fallback = Fallback(decision.choices, self.breaker, self.random)
        while (choice := fallback.choice) is not None:
            attempt = self._reserve(record, fallback, choice, request)
            try:
                reply, was_cold = self._send(attempt, request, leaving)
            except LARouterError as error:
                left = leaving.fired
                goes_on = fallback.failed(error, left=left)
                final = is_last and not goes_on
                self.ledger.settle(attempt, failed(attempt, error, left=left, final=final))
                if not goes_on:
                    raise
                if fallback.pause_s:
                    self.pause(fallback.pause_s, leaving)
            except BaseException:
                fallback.abandoned()
                crash = Outcome(state="unknown", status=500, error="crash", final=is_last)
                self.ledger.settle(attempt, crash)
                raise
            else:
                self.breaker.succeeded(choice.model.key)
                self.conversations.note(request, decision, choice.model)
                return Answer(self, decision, choice, attempt, reply, leaving, was_cold)
        resting = fallback.resting(decision.choices[0].model)
        if is_last:
            self.ledger.refuse(record, resting.status, resting.code)
        raise resting

    def _reserve(
        self, record: RequestRecord, fallback: Fallback, choice: Choice, request: ChatRequest
    ) -> Attempt:
        try:
            return self.ledger.reserve(record, choice, self.bound(choice.model, request))
        except BaseException:
            fallback.abandoned()
            raise

    def _send(self, attempt: Attempt, request: ChatRequest, leaving: Leaving) -> tuple[Reply, bool]:
        """Return the reply, and whether the model was cold."""
        model = attempt.model
        if attempt.max_output is not None:
            request = replace(request, max_output=attempt.max_output)
        was_cold = self.pace.begin(model)
        try:
            return self.providers[model.provider].call(model, request, leaving), was_cold
        except BaseException:
            self.pace.end(model)
            raise


class Answer:
    """One answer under way. Iterate it for the bytes; close it in any case."""

    __slots__ = (
        "_first_ms", "_gateway", "_learns", "_leaving", "_open", "_settled", "asked", "attempt",
        "choice", "cost", "decision", "reply", "was_cold",
    )  # fmt: skip

    def __init__(
        self,
        gateway: Gateway,
        decision: Decision,
        choice: Choice,
        attempt: Attempt,
        reply: Reply,
        leaving: Leaving,
        was_cold: bool,
    ) -> None:
        self._gateway = gateway
        self._leaving = leaving
        self._open = True
        self._settled = False
        self._learns = True
        self._first_ms = int(gateway.clock() * 1000) - attempt.started_ms
        self.decision = decision
        self.choice = choice
        self.attempt = attempt
        self.reply = reply
        self.was_cold = was_cold
        self.cost: Nanodollars | None = None
        self.asked: Asked | None = None
        """Its place in its project's last minute; None: the project has no such limit."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.reply
            self.finish()
            yield self.reply.end
        except LARouterError as error:
            self._settle_broken(error.code)
            # A client that left reads nothing; one that reads was cut off by our own stop.
            yield self.reply.broken(Unavailable(_STOPPING) if self._leaving.fired else error)
        except Exception:
            self._settle_broken("crash")
            raise
        finally:
            self.close()

    def finish(self) -> bytes:
        """Settle a whole answer and only then hand out its last bytes (TRUST B3)."""
        self._settle(self.ended())
        if self.reply.usage and self._learns:
            self._learn(self.reply.usage)
        return self.reply.end

    def stands(self, decision: Decision) -> None:
        """Another answer was asked for in vain: what `decision` says goes to the client."""
        self.decision = decision
        record = replace(self.attempt.request, reason=decision.reason)
        self.attempt = replace(self.attempt, request=record)
        self._learns = False  # its time is not its own

    def drop(self, outcome: Outcome) -> None:
        """Nobody gets it: stop and settle it. The request is still the gateway's."""
        if self._open:
            self._open = False
            self._gateway.pace.end(self.attempt.model)
        self.reply.close()
        self._settle_quietly(outcome)

    def ended(self, *, final: bool = True) -> Outcome:
        """What it took."""
        usage = self.reply.usage
        return Outcome(
            state="settled" if usage else "estimated",
            usage=usage or self.reply.delivered(),
            provider_id=self.reply.provider_id,
            first_ms=self._first_ms,
            final=final,
        )

    def _learn(self, usage: Usage) -> None:
        """Let the router know how fast it went. What a cache held cost no time."""
        attempt = self.attempt
        self._gateway.pace.learn(
            attempt.model,
            prompt_tokens=usage.prompt - usage.cache_read,
            output_tokens=usage.output,
            first_s=self._first_ms / 1000,
            total_s=self._gateway.clock() - attempt.started_ms / 1000,
            was_cold=self.was_cold,
            streamed=attempt.request.stream,
        )

    def close(self) -> None:
        """Stop what is still running and settle what is still open. Idempotent."""
        if self._open:
            self._open = False
            self._gateway.leave(self.attempt.request.project.id)
            self._gateway.pace.end(self.attempt.model)
        try:
            if self._reads_on() and self.reply.read_on():
                left = replace(self.ended(), status=CLIENT_LEFT, error="client_left")
                self._settle_quietly(left)
        finally:
            self._gateway.stop_reading(self._leaving)
            self.reply.close()
            self._settle_broken("client_left")

    def _reads_on(self) -> bool:
        """Is the rest of it wanted for its usage alone (TRUST B8)? A local model stops at once."""
        is_open = not self._settled and not self.attempt.model.is_local
        return is_open and self._leaving.read_on()

    def broken(self, code: str) -> Outcome:
        """What it has taken so far, and why it goes no further."""
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
        if self.asked is not None:
            self.asked.took(outcome.usage.prompt + outcome.usage.output)

    def _settle_broken(self, code: str) -> None:
        if not self._settled:
            self._settle_quietly(self.broken(code))

    def _settle_quietly(self, outcome: Outcome) -> None:
        # A database that cannot be written has logged it; the row stays pending, and the next
        # start closes it (TRUST B10).
        with suppress(StorageDown):
            self._settle(outcome)

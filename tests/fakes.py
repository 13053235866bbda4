"""Fakes for everything behind an interface: each does what its script says and remembers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from msgspec import json
from msgspec.structs import replace

from larouter.core.account import Attempt, Outcome, Project, RequestRecord
from larouter.core.breaker import Breaker
from larouter.core.budget import NOTHING_BEYOND, Beyond, Bound
from larouter.core.catalog import FREE, Catalog, Model, Nanodollars, Price, Tier
from larouter.core.chat import ChatRequest, Usage
from larouter.core.errors import BudgetExceeded, LARouterError, UpstreamError
from larouter.core.faults import Heard
from larouter.core.ports import Address, EngineStatus, Leaving
from larouter.core.route import Choice, Decision
from larouter.gateway import Gateway
from larouter.wire import sse
from larouter.wire.chat.request import read_request
from larouter.wire.chat.writer import DONE, write_error


def a_request(text="hello", *, model="auto", tier=None, **fields):
    """What the door reads from a client's JSON."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return read_request(json.encode(body), tier=tier)


def a_catalog(*models: Model, starter: str | None = None, **tiers: tuple[str, ...]) -> Catalog:
    """A catalogue of these models; the tiers are named cheapest first."""
    return Catalog(
        date="2026-11-22",
        models={model.id: model for model in models},
        tiers=tuple(
            Tier(name=name, rank=rank, title=name.lower(), models=names)
            for rank, (name, names) in enumerate(tiers.items())
        ),
        starter=starter,
    )


class Clock:
    """Time that passes when the test says so."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


Frame = bytes | BaseException | Callable[[], object]
"""Bytes to yield, an error to raise, or something to do before the next one."""


class FakeReply:
    """An answer that comes frame by frame."""

    def __init__(
        self,
        *frames: Frame,
        usage: Usage | None = None,
        end: bytes = DONE,
        log: list[str] | None = None,
        says: Heard | None = None,
    ) -> None:
        self._frames = frames
        self._log = [] if log is None else log
        self._usage = usage
        self.usage: Usage | None = None
        self.provider_id: str | None = "chatcmpl-1"
        self.end = end
        self.says = says
        """What whoever listens hears; `heard` has asked how much is enough."""
        self.enough: bool | None = None
        self.passed = 0
        self.closed = 0
        self.reads_on = True
        """Does the rest of it come?"""

    def __iter__(self) -> Iterator[bytes]:
        for frame in self._frames:
            if isinstance(frame, BaseException):
                raise frame
            if isinstance(frame, bytes):
                self.passed += 1
                yield frame
            else:
                frame()
        self.usage = self._usage

    def heard(self, enough: Callable[[Heard], bool]) -> Heard | None:
        if self.says is not None:
            self.enough = enough(self.says)
            if self.says.ended:
                self.usage = self._usage
        return self.says

    def broken(self, error: LARouterError) -> bytes:
        return sse.write(write_error(error))

    def delivered(self) -> Usage:
        return Usage(input=1, output=self.passed)

    def read_on(self) -> bool:
        self._log.append("reads on")
        if self.reads_on:
            self.usage = self._usage
        return self.reads_on

    def close(self) -> None:
        self.closed += 1
        self._log.append("upstream closed")


class FakeProvider:
    """Answers each call with the next step of its script."""

    def __init__(self, log: list[str] | None = None) -> None:
        self.log = [] if log is None else log
        self.why: str | None = None
        self.takes_beyond = NOTHING_BEYOND
        self.calls: list[tuple[Model, ChatRequest]] = []
        self._steps: deque[FakeReply | BaseException | Callable[[], object]] = deque()

    def will(self, *steps: FakeReply | BaseException | Callable[[], object]) -> None:
        """Say what the next calls bring; a function is called on the way to the next step."""
        self._steps.extend(steps)

    def missing(self, model: Model) -> str | None:
        return self.why

    def call(self, model: Model, request: ChatRequest, leaving: Leaving) -> FakeReply:
        if leaving.fired:
            raise UpstreamError("The client left before anything was sent.", sent=False)
        self.calls.append((model, request))
        self.log.append(f"call {model.key}")
        while True:
            step = self._steps.popleft()
            if isinstance(step, BaseException):
                raise step
            if isinstance(step, FakeReply):
                return step
            step()

    def beyond(self, model: Model, request: ChatRequest) -> Beyond:
        return self.takes_beyond

    def count_tokens(self, model: Model, request: ChatRequest) -> int:
        return request.size


@dataclass
class MemoryLedger:
    """Keeps what the real one writes down."""

    log: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    refused: list[tuple[RequestRecord, int, str]] = field(default_factory=list)
    down: dict[str, LARouterError] = field(default_factory=dict)
    """What `reserve` or `settle` raises."""
    spent: set[str] = field(default_factory=set)
    """The models that no budget pays for."""
    rest: int | None = None
    """Tokens that a budget leaves for an answer."""

    def reserve(self, record: RequestRecord, choice: Choice, bound: Bound) -> Attempt:
        rest = self.foresee(record, choice, bound)
        attempt = Attempt(
            id=len(self.attempts) + 1,
            request=record,
            model=choice.model,
            degraded=choice.degraded,
            hold=bound.cost(bound.output or 0),
            price_version=None,
            started_ms=record.started_ms,
            max_output=rest,
        )
        self.attempts.append(attempt)
        self.log.append(f"reserve {choice.model.key}")
        return attempt

    def foresee(self, record: RequestRecord, choice: Choice, bound: Bound) -> int | None:
        if "reserve" in self.down:
            raise self.down["reserve"]
        if choice.model.key in self.spent:
            raise BudgetExceeded("There is nothing left.")
        return self.rest

    def settle(self, attempt: Attempt, outcome: Outcome) -> Nanodollars | None:
        if "settle" in self.down:
            raise self.down["settle"]
        assert attempt.id not in self.outcomes, "settled twice"
        self.outcomes[attempt.id] = outcome
        self.log.append(f"{outcome.state} {attempt.model.key}")
        return attempt.model.price.cost(outcome.usage)

    def refuse(self, record: RequestRecord, status: int, code: str) -> None:
        self.refused.append((record, status, code))
        self.log.append(f"refused {status}")

    @property
    def last(self) -> Outcome:
        return self.outcomes[len(self.attempts)]


@dataclass
class FakeRunner:
    """A machine on which models run, or do not."""

    address: Address | LARouterError
    here: bool = True
    condition: str = "ready"
    started: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def ensure_ready(self, model: Model, leaving: Leaving | None = None) -> Address:
        self.started.append(model.id)
        if isinstance(self.address, LARouterError):
            raise self.address
        return self.address

    def running(self, model: Model) -> Address | None:
        if self.condition == "ready" and isinstance(self.address, Address):
            return self.address
        return None

    def has(self, model: Model) -> bool:
        return self.here

    def state(self, model: Model) -> str:
        return self.condition

    def status(self, model: Model) -> EngineStatus:
        return EngineStatus(state=self.condition, last_lines=("the end of its log",))

    def unload(self, model: Model) -> None:
        self.condition = "stopped"

    def stop(self, model: Model) -> None:
        self.condition = "stopped"

    def reset(self, model: Model) -> None:
        self.condition = "stopped"

    def report_failure(self, model: Model) -> None:
        self.failed.append(model.id)

    def stop_all(self) -> None:
        self.condition = "stopped"


def with_fields(request: ChatRequest, **fields: Any) -> ChatRequest:
    """The same request but for these."""
    return replace(request, **fields)


PRICE = Price(input=Decimal(2), output=Decimal(10), source="a page")
CLOUD = Model(id="smart", name="smart", provider="cloud", price=PRICE, max_output=1_000)
OTHER = Model(id="other", name="other", provider="other", price=PRICE)
LOCAL = Model(id="small", name="small", provider="local", price=FREE)
USAGE = Usage(input=100, output=10)
NO_BOUND = Bound(FREE, 0, 1, 0)
"""Of a call that is written down and not made."""


class House:
    """A gateway whose providers, ledger and clock are fakes; one log tells who acted when."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.clock = Clock()
        self.ledger = MemoryLedger(log=self.log)
        self.cloud, self.other, self.local = (FakeProvider(self.log) for _ in range(3))
        self.models = [CLOUD, OTHER, LOCAL]
        self.escalations: list[Model] = []
        self.refusal = None
        self.leaving = Leaving()
        self.pauses: list[float] = []
        self.in_the_pause: Callable[[], object] = lambda: None
        self.gateway = Gateway(
            decide=self._decide,
            providers={"cloud": self.cloud, "other": self.other, "local": self.local},
            ledger=self.ledger,
            pause=self._pause,
            clock=self.clock,
            random=lambda: 0.5,
            breaker=Breaker(self.clock),
        )

    def _pause(self, seconds, leaving):
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        self.in_the_pause()

    def _decide(self, request):
        if self.refusal:
            raise self.refusal
        return Decision(
            choices=tuple(Choice(model=model) for model in self.models),
            tier="COMPLEX", stage="rules", score=0.7, reason="said",
            escalations=tuple(Choice(model=model) for model in self.escalations),
        )  # fmt: skip

    def reply(self, *frames, usage=USAGE, says=None):
        return FakeReply(*frames, usage=usage, log=self.log, says=says)

    def ask(self, request=None):
        project = Project(id="p", name="mine")
        return self.gateway.answer(project, request or a_request(rid=None), "req_1", self.leaving)

    @property
    def states(self):
        return [outcome.state for outcome in self.ledger.outcomes.values()]

    @property
    def in_flight(self):
        return self.gateway.in_flight.get("p", 0)

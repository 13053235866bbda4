"""Every interface between the rooms. `bootstrap` alone knows who stands behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from larouter.core.account import Attempt, Outcome, RequestRecord
from larouter.core.budget import Beyond, Bound
from larouter.core.catalog import Model, Nanodollars
from larouter.core.chat import ChatRequest, Usage
from larouter.core.errors import LARouterError
from larouter.core.faults import Heard
from larouter.core.route import Choice, Verdict


class Stage(Protocol):
    """One step of classifying."""

    name: str

    def judge(self, request: ChatRequest) -> Verdict | None:
        """Return a verdict, or None to pass the question on. Never raises for odd input."""
        ...


class Asker(Protocol):
    """Asks a local model that is loaded for one word. It starts no model and waits for none."""

    def loaded(self) -> Sequence[Model]:
        """The models that could be asked, the preferred one first."""
        ...

    def ask(
        self, model: Model, prefix: str, question: str, words: Sequence[str], deadline_s: float
    ) -> Mapping[str, float] | None:
        """Return the log-probability of each word as the answer; None: the model has something
        else to do, and was not asked.

        `prefix` is the same for every question, so that the engine need not read it again.
        Raises `UpstreamTimeout` when the deadline is over, `UpstreamError` for no good answer.
        """
        ...


class Leaving:
    """The client's leave, known to whoever is waiting for its answer.

    The door calls `fire` once when the client is gone (or the server's drain is over); whoever
    blocks in the meantime has told `on_fire` how to be woken.
    """

    __slots__ = ("_callback", "fired", "may_read_on", "reads_on")

    def __init__(self) -> None:
        self.fired = False
        self.may_read_on: Callable[[], bool] | None = None
        """Takes a place among the answers that are read on although their client left."""
        self.reads_on = False
        """Has it such a place?"""
        self._callback: Callable[[], None] | None = None

    @property
    def is_awaited(self) -> bool:
        """Is there still somebody to wake?"""
        return self._callback is not None

    def read_on(self) -> bool:
        """May the answer be read on, for its usage alone (TRUST B8)?"""
        if not self.reads_on and self.may_read_on is not None:
            self.reads_on = self.may_read_on()
        return self.reads_on

    def on_fire(self, callback: Callable[[], None] | None) -> None:
        """Call this when the client leaves, at once if it has; None forgets."""
        self._callback = callback
        if self.fired and callback is not None:
            callback()

    def forget(self, callback: Callable[[], None]) -> None:
        """Do not call this any more; whoever has waited since still does."""
        if self._callback == callback:
            self._callback = None

    def fire(self) -> None:
        if self.fired:
            return
        self.fired = True
        if self._callback is not None:
            self._callback()


class Reply(Protocol):
    """One answer of a provider whose status and first bytes have come.

    Iterating yields bytes for the client as they arrive, whole events only, and raises
    `UpstreamError` when the answer breaks. What ends it is not yielded: it is in `end`, so that
    the settlement can be committed first (TRUST B3). Status and body of a broken call never get
    here: they were raised by `Provider.call`.
    """

    end: bytes
    """The last bytes: the JSON body, or `data: [DONE]` with what came along with it."""
    usage: Usage | None
    """As the provider reported it; None while or when it did not."""
    provider_id: str | None

    def __iter__(self) -> Iterator[bytes]: ...

    def heard(self, enough: Callable[[Heard], bool]) -> Heard | None:
        """What the answer says, before any of it is passed on: all of a whole one; of a stream as
        much as is `enough`, which iterating then begins with. Never raises: a stream that breaks
        is `broken`, and iterating it raises. None: nobody here understands it."""
        ...

    def broken(self, error: LARouterError) -> bytes:
        """The last bytes of a stream that broke: the error in the client's dialect."""
        ...

    def delivered(self) -> Usage:
        """Estimate the usage from what has been passed on so far (TRUST B7, B8)."""
        ...

    def read_on(self) -> bool:
        """Read a stream to its end for its usage; nobody gets it. False: it broke, or it was too
        much. Iterating it must be over."""
        ...

    def close(self) -> None:
        """Stop the call upstream. Idempotent."""
        ...


class Provider(Protocol):
    """Where models answer. Nothing is sent before the attempt's row is committed."""

    def missing(self, model: Model) -> str | None:
        """Say why this model cannot answer now (no-key, not-downloaded …), or None."""
        ...

    def call(self, model: Model, request: ChatRequest, leaving: Leaving) -> Reply:
        """Send the request and wait for the first event.

        Raises `UpstreamError` (its `sent` False when nothing reached the provider), `CannotCarry`
        for what its format has no words for, or `Unavailable` for a local engine that is down.
        """
        ...

    def beyond(self, model: Model, request: ChatRequest) -> Beyond:
        """What the call may take that is not in the request's own text. Never raises."""
        ...

    def count_tokens(self, model: Model, request: ChatRequest) -> int:
        """How long the prompt is: as the provider counts, else an estimate. It costs nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a local process answers and the bearer it wants."""

    url: str
    """With the `/v1`."""
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """How a model's engine stands, for the owner of this machine. None: that is not known."""

    state: str
    """As `Runner.state` says it."""
    progress: float | None = None
    """Of loading, from 0 to 1."""
    memory_bytes: int | None = None
    """What its process holds now."""
    reserved_bytes: int | None = None
    """What it may take at most, by the plan that it was started with."""
    context: int | None = None
    """Tokens that one request may use."""
    total_context: int | None = None
    slots: int | None = None
    engine: str | None = None
    crashes: int = 0
    """Of the last minutes."""
    last_lines: tuple[str, ...] = ()
    """The end of its log."""


class Runner(Protocol):
    """Runs models on this machine."""

    def ensure_ready(self, model: Model, leaving: Leaving | None = None) -> Address:
        """Block this greenlet until a process serves the model. `leaving`: whose leave ends the
        waiting. Raises `EngineDown`."""
        ...

    def running(self, model: Model) -> Address | None:
        """Where a process serves the model now; None: none is ready. Starts nothing."""
        ...

    def has(self, model: Model) -> bool:
        """Is the model's file on this machine?"""
        ...

    def state(self, model: Model) -> str:
        """absent, stopped, loading, ready, crashed or quarantined."""
        ...

    def status(self, model: Model) -> EngineStatus:
        """All that can be said of the model's engine."""
        ...

    def unload(self, model: Model) -> None:
        """End its process. Raises `Conflict` while that is answering somebody."""
        ...

    def stop(self, model: Model) -> None:
        """End its process, whatever it is doing."""
        ...

    def reset(self, model: Model) -> None:
        """Forget its crashes: it may be started again."""
        ...

    def report_failure(self, model: Model) -> None:
        """The process does not answer: end it, so that the next request gets a new one."""
        ...

    def stop_all(self) -> None: ...


class Ledger(Protocol):
    """Writes every call down, durably, before the answer is complete (TRUST B2, B3)."""

    def reserve(self, record: RequestRecord, choice: Choice, bound: Bound) -> Attempt:
        """Commit the request, a pending attempt and what it holds of every budget (TRUST B4).

        Raises `BudgetExceeded` or `StorageDown`: then nothing was written, and nothing is sent."""
        ...

    def foresee(self, record: RequestRecord, choice: Choice, bound: Bound) -> int | None:
        """Raise what `reserve` would raise now; else return the tokens that its answer would be
        limited to (None: no budget limits it). Nothing is held or written."""
        ...

    def settle(self, attempt: Attempt, outcome: Outcome) -> Nanodollars | None:
        """Commit the attempt's end, once: a second call changes nothing. Return its cost."""
        ...

    def refuse(self, record: RequestRecord, status: int, code: str) -> None:
        """Commit a request that reached no provider, or that no further one may be asked for."""
        ...

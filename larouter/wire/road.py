"""How one call goes from a client's dialect to a provider's wire and back: two roads.

Where both are the same, the road is a relay: the request passes with only what must be changed, the
answer's bytes pass as they came. Else it is a translation: request → `Conversation` → the wire's
request, the provider's bytes → `Event`s → the dialect's bytes. Pure: nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from msgspec import Struct
from msgspec.structs import replace

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Conversation, Part, ToolCall
from larouter.core.errors import LARouterError
from larouter.core.events import Event, Finished, Folded
from larouter.core.turns import Turns
from larouter.wire import sse
from larouter.wire.losses import Loss, refuse_what_is_lost


def _as_they_are(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return parts


def _nothing(call_id: str) -> str | None:
    return None


class Quirks(Struct, frozen=True, kw_only=True):
    """In what a provider's chat completions differ from OpenAI's own."""

    max_output: str = "max_tokens"
    """The name of the field that limits the answer."""
    developer: bool = False
    """Does it know the role `developer`? Otherwise that becomes `system`."""
    named_tool: bool = True
    """Can a tool be demanded by its name? Otherwise it is the only one sent, and `required`."""
    never: frozenset[str] = frozenset()
    """Fields that it refuses: left out."""
    only: frozenset[str] | None = None
    """If given, the only fields that it gets."""
    thinking: bool = False
    """Does it want its `reasoning_content` back with every call of a tool (DeepSeek)?"""
    strict: bool = False
    """Does it refuse fields of a message that OpenAI's reference does not list?"""
    custom_tools: bool = False
    """Does it know tools of plain text (`custom`)? Otherwise they become functions."""
    json_schema: bool = True
    """Does it take a schema for its answer? Otherwise the schema is asked for in words."""
    top_k: bool = True
    """Does it know `top_k`?"""
    fills: bool = True
    """Does it fill in the middle, where it has plain completions?"""
    fill_path: str | None = None
    """Where it fills in the middle (a completion with a `suffix`), and nothing else."""


class Call(Struct, frozen=True, kw_only=True):
    """The model that is called, as its wire needs to know it."""

    name: str
    """What the provider calls it."""
    stream: bool = False
    quirks: Quirks = Quirks()
    max_output: int | None = None
    """The most that it can answer, for wires that demand a limit."""
    refuses: frozenset[str] = frozenset()
    """What the catalogue says that it refuses (`Model.refuses`)."""
    recall: Callable[[str], str | None] = _nothing
    """What the model thought before it made the tool call with this id, if that is known."""


class Sending(NamedTuple):
    """A request for a provider."""

    path: str
    """Below the provider's base URL, with its query, without a leading slash."""
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Besides Host, the key, and the content's type and length."""


class Road(Protocol):
    """One answer on its way to the client. Raises `UpstreamError` for what is no answer."""

    started: bool
    """True once a real event has come."""
    done: bool
    """True once the provider has said that the stream is over."""
    usage: Usage | None
    provider_id: str | None
    call_ids: list[str]
    """The tool calls that the answer asks for."""

    def feed(self, piece: bytes) -> bytes:
        """Take a stream's bytes as they come; return whole events for the client, or `b""`."""
        ...

    def finish(self, *, prompt_tokens: int) -> bytes:
        """The stream ended: its last bytes, held back until the settlement (TRUST B3). Raises if
        it was cut. `prompt_tokens`: the estimate for a provider that reports none."""
        ...

    def whole(self, body: bytes, *, prompt_tokens: int) -> bytes:
        """A whole answer."""
        ...

    def broken(self, error: LARouterError) -> bytes:
        """The last bytes of a stream that broke: an error in the client's dialect."""
        ...

    def delivered(self) -> int:
        """Estimate the output's tokens from what was passed on (TRUST B7, B8)."""
        ...

    def parts(self) -> tuple[Part, ...]:
        """The answer's parts as far as a later request may need them back (`core/turns.py`)."""
        ...


class Reader(Protocol):
    """Reads one answer of a wire."""

    done: bool

    def feed(self, frames: bytes) -> list[Event]:
        """Whole server-sent events to ours, all but `Finished`."""
        ...

    def end(self) -> Finished:
        """The stream is over. Raises `UpstreamError` if it was cut."""
        ...

    def whole(self, body: bytes) -> list[Event]:
        """A whole answer, `Finished` last. Raises `UpstreamError` for a 200 that is no answer."""
        ...


class Writer(Protocol):
    """Writes one answer in a dialect."""

    heartbeat: bytes
    """What may be sent while the provider shows that it lives and says nothing."""

    def write(self, events: list[Event]) -> bytes: ...

    def finish(self, finished: Finished) -> bytes:
        """What ends a stream: stop reason, usage, end marks."""
        ...

    def whole(self, answer: Folded, finished: Finished) -> bytes: ...

    def broken(self, error: LARouterError) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What clients speak."""

    name: str
    conversation: Callable[[ChatRequest], Conversation]
    """Read the whole request. Raises `BadRequest` with the field's name."""
    writer: Callable[[ChatRequest], Writer]
    write_error: Callable[[LARouterError], bytes]
    """The JSON body of an HTTP error."""
    losses: tuple[Loss, ...] = ()
    """What of this dialect no other wire gets, by the names of `Conversation.extra`."""
    returned: Callable[[tuple[Part, ...]], tuple[Part, ...]] = _as_they_are
    """An answer's parts as a client brings them back, if it loses the ids of calls (Ollama's)."""
    stream_type: str = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What providers speak."""

    name: str
    write: Callable[[Conversation, Call], Sending]
    """Raises `CannotCarry` for what this wire or model has no words for."""
    reader: Callable[[], Reader]
    pass_on: Callable[[ChatRequest, Call], Sending]
    """The client's own body, changed only where it must be."""
    relay: Callable[[ChatRequest], Road]
    losses: tuple[Loss, ...] = ()
    """What this wire has no words for, by the names of `Conversation`'s fields and media."""


def open_road(
    request: ChatRequest, call: Call, dialect: Dialect, wire: Wire, turns: Turns
) -> tuple[Sending, Road]:
    """The request for the provider, and the road of its answer."""
    if dialect.name == wire.name:
        return wire.pass_on(request, call), wire.relay(request)
    conversation = turns.restore(request.project, dialect.conversation(request))
    refuse_what_is_lost(conversation, dialect, wire)
    road = Translation(wire.reader(), dialect.writer(request), dialect.returned)
    return wire.write(conversation, call), road


class Translation:
    """The `Road` between a wire and another dialect."""

    __slots__ = (
        "_answer", "_frames", "_reader", "_returned", "_writer", "call_ids", "done", "provider_id",
        "started", "usage",
    )  # fmt: skip

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        returned: Callable[[tuple[Part, ...]], tuple[Part, ...]] = _as_they_are,
    ) -> None:
        self._reader = reader
        self._returned = returned
        self._writer = writer
        self._frames = sse.EventSplitter()
        self._answer = Folded()
        self.started = False
        self.done = False
        self.usage: Usage | None = None
        self.provider_id: str | None = None
        self.call_ids: list[str] = []

    def feed(self, piece: bytes) -> bytes:
        frames = self._frames.feed(piece)
        if not frames or self.done:
            return b""
        events = self._reader.feed(frames)
        self.done = self._reader.done
        if not events:
            return self._writer.heartbeat if self.started else b""
        self._take(events)
        return self._writer.write(events)

    def finish(self, *, prompt_tokens: int) -> bytes:
        finished = self._reader.end()
        self._end(finished)
        return self._writer.finish(self._counted(finished, prompt_tokens))

    def whole(self, body: bytes, *, prompt_tokens: int) -> bytes:
        *events, finished = self._reader.whole(body)
        assert type(finished) is Finished, "a reader ends with Finished"
        self._take(events)
        self._end(finished)
        return self._writer.whole(self._answer, self._counted(finished, prompt_tokens))

    def broken(self, error: LARouterError) -> bytes:
        return self._writer.broken(error)

    def delivered(self) -> int:
        return self._answer.tokens()

    def _take(self, events: list[Event]) -> None:
        add = self._answer.add
        for event in events:
            add(event)
        if not self.started:
            self.started = True
            self.provider_id = self._answer.id

    def parts(self) -> tuple[Part, ...]:
        return self._returned(self._answer.parts)

    def _end(self, finished: Finished) -> None:
        self.usage = finished.usage
        if self._answer.call_ids:
            self.call_ids = [part.id for part in self.parts() if isinstance(part, ToolCall)]

    def _counted(self, finished: Finished, prompt_tokens: int) -> Finished:
        if finished.usage is not None:
            return finished
        return replace(finished, usage=Usage(input=prompt_tokens, output=self.delivered()))

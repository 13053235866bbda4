"""A provider's chat completion, streamed or whole, as events."""

from __future__ import annotations

from typing import Any

import msgspec

from larouter.core.conversation import Opaque
from larouter.core.errors import UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Reason,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire import sse
from larouter.wire.chat.relay import error_text
from larouter.wire.chat.usage import read_usage
from larouter.wire.opaque import unseal
from larouter.wire.tools import new_call_id

_REASONS: dict[str, Reason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refusal",
}


class _Said(msgspec.Struct):
    """A delta or a message. Some servers name the thought `reasoning`; Mistral's content is a
    list of parts."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: Any = None
    reasoning_details: list[Any] | None = None
    refusal: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class _Choice(msgspec.Struct):
    delta: _Said | None = None
    message: _Said | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


class Reader:
    """Reads one answer."""

    __slots__ = ("_calls", "_ids", "_reason", "_service", "_started", "_usage", "done")

    def __init__(self) -> None:
        self._started = False
        self._calls: dict[int, int] = {}
        """By the provider's index: our own count."""
        self._ids: list[str] = []
        self._reason: Reason | None = None
        self._usage: Any = None
        self._service: Any = None
        self.done = False

    def feed(self, frames: bytes) -> list[Event]:
        events: list[Event] = []
        for frame in sse.split(frames):
            data = sse.data_of(frame)
            if not data:
                continue
            if data == b"[DONE]":
                self.done = True
                break
            self._read(_decoded(data, "event"), events)
        return events

    def end(self) -> Finished:
        if self._reason is None and not self.done:
            raise UpstreamError("The provider's answer broke off before its end.")
        reason = self._reason or "stop"
        if reason == "stop" and self._ids:
            # Some say so, OpenAI where a tool was demanded by its name.
            reason = "tool_calls"
        return Finished(reason, read_usage(self._usage, self._service))

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        answer = _decoded(body, "answer")
        if not answer.choices:
            _refuse_error(answer)
            raise UpstreamError("The provider's answer has no choices.")
        self._read(answer, events)
        self.done = True
        return [*events, self.end()]

    def _read(self, chunk: _Chunk, events: list[Event]) -> None:
        _refuse_error(chunk)
        if chunk.choices is None:
            raise UpstreamError("The provider sent an event without choices.")
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.service_tier is not None:
            self._service = chunk.service_tier
        if not self._started:
            self._started = True
            events.append(Started(_name(chunk.id), _name(chunk.model)))
        # Only one answer was asked for.
        for choice in chunk.choices[:1]:
            said = choice.delta or choice.message
            if said is not None:
                self._say(said, events)
            if choice.finish_reason:
                self._reason = _REASONS.get(choice.finish_reason, "stop")

    def _say(self, said: _Said, events: list[Event]) -> None:
        if type(said.content) is str and said.content:
            # The common case of a stream, and nothing else is in it.
            if said.reasoning_content or said.reasoning or said.reasoning_details:
                self._think(said, events)
            events.append(TextDelta(said.content))
        else:
            self._think(said, events)
            if type(said.content) is list:
                events += _listed(said.content)
        if said.refusal:
            events.append(RefusalDelta(said.refusal))
        for place, call in enumerate(said.tool_calls or ()):
            self._call(place, call, events)

    def _think(self, said: _Said, events: list[Event]) -> None:
        thought = said.reasoning_content or said.reasoning
        details = [one for one in said.reasoning_details or () if type(one) is dict]
        texts = [one["text"] for one in details if type(one.get("text")) is str]
        if texts and "".join(texts) == thought:
            # Each thought with its signature: the details say it all once more.
            thought = None
        else:
            texts = []
        if type(thought) is str and thought:
            events.append(ThinkingDelta(thought))
        for detail in details:
            if texts and detail.get("text"):
                events.append(ThinkingDelta(detail["text"]))
            events += _sealed(detail)

    def _call(self, place: int, call: dict[str, Any], events: list[Event]) -> None:
        index = call.get("index")
        index = index if type(index) is int else place
        kind = "custom" if "custom" in call else "function"
        said = call.get(kind)
        if type(said) is not dict:
            raise UpstreamError("The provider sent a tool call without a function.")
        if self._is_new(index, call, said):
            self._calls[index] = len(self._ids)
            events.append(self._start(call, said, custom=kind == "custom"))
        arguments = said.get("input" if kind == "custom" else "arguments")
        if type(arguments) is dict:
            arguments = msgspec.json.encode(arguments).decode()
        if type(arguments) is str and arguments:
            events.append(ToolDelta(self._calls[index], arguments))

    def _is_new(self, index: int, call: dict[str, Any], said: dict[str, Any]) -> bool:
        """Some servers give every call the index 0 (Ollama did, Google's OpenAI endpoint does):
        with another id and a name it is another call."""
        if index not in self._calls:
            return True
        id = _name(call.get("id"))
        return id not in (None, self._ids[self._calls[index]]) and bool(_name(said.get("name")))

    def _start(self, call: dict[str, Any], said: dict[str, Any], *, custom: bool) -> ToolStart:
        name = _name(said.get("name"))
        if name is None:
            raise UpstreamError("The provider sent a tool call without a name.")
        self._ids.append(_name(call.get("id")) or new_call_id())
        return ToolStart(len(self._ids) - 1, self._ids[-1], name, _signature(call), custom)


def _decoded(data: bytes, what: str) -> _Chunk:
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError(f"The provider sent an {what} that is no JSON completion.") from error


def _refuse_error(chunk: _Chunk) -> None:
    if chunk.error is not None:
        raise UpstreamError(f"The provider broke off: {error_text(chunk.error)}")


def _name(value: Any) -> str | None:
    return value if type(value) is str and value else None


def _sealed(detail: dict[str, Any]) -> list[Event]:
    sealed = detail.get("signature") or detail.get("data")
    if type(sealed) is not str:
        return []
    hidden = detail.get("type") == "reasoning.encrypted"
    return [Sealed(unseal(sealed, "chat"), hidden, _name(detail.get("id")))]


def _signature(call: dict[str, Any]) -> Opaque | None:
    content = call.get("extra_content")
    google = content.get("google") if type(content) is dict else None
    signature = google.get("thought_signature") if type(google) is dict else None
    return Opaque("gemini", signature) if type(signature) is str else None


def _listed(parts: list[Any]) -> list[Event]:
    """Mistral's list: texts, and thoughts that are lists of texts."""
    events: list[Event] = []
    for part in parts:
        if type(part) is not dict:
            continue
        if type(part.get("text")) is str:
            events.append(TextDelta(part["text"]))
        thought = part.get("thinking")
        events += [
            ThinkingDelta(inner["text"])
            for inner in (thought if type(thought) is list else ())
            if type(inner) is dict and type(inner.get("text")) is str
        ]
    return events

"""A provider's legacy completion, streamed or whole, as events."""

from __future__ import annotations

from typing import Any

import msgspec

from larouter.core.errors import UpstreamError
from larouter.core.events import Event, Finished, Reason, Started, TextDelta
from larouter.wire import sse
from larouter.wire.chat.relay import error_text
from larouter.wire.chat.usage import read_usage

_REASONS: dict[str, Reason] = {"length": "length", "content_filter": "refusal"}


class _Choice(msgspec.Struct):
    text: str | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


class Reader:
    """Reads one answer."""

    __slots__ = ("_reason", "_started", "_usage", "done")

    def __init__(self) -> None:
        self._started = False
        self._reason: Reason | None = None
        self._usage: Any = None
        self.done = False

    def feed(self, frames: bytes) -> list[Event]:
        events: list[Event] = []
        for frame in sse.split(frames):
            data = sse.data_of(frame)
            if data == b"[DONE]":
                self.done = True
                break
            if data:
                self._read(_decoded(data), events)
        return events

    def end(self) -> Finished:
        if self._reason is None:
            raise UpstreamError("The provider's answer broke off before its end.")
        return Finished(self._reason, read_usage(self._usage))

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        self._read(_decoded(body), events)
        return [*events, self.end()]

    def _read(self, chunk: _Chunk, events: list[Event]) -> None:
        if chunk.error is not None:
            raise UpstreamError(f"The provider broke off: {error_text(chunk.error)}")
        if chunk.choices is None:
            raise UpstreamError("The provider's answer has no choices.")
        if chunk.usage is not None:
            self._usage = chunk.usage
        if not self._started:
            self._started = True
            events.append(Started(_name(chunk.id), _name(chunk.model)))
        # Only one answer was asked for.
        for choice in chunk.choices[:1]:
            if choice.text:
                events.append(TextDelta(choice.text))
            if choice.finish_reason:
                self._reason = _REASONS.get(choice.finish_reason, "stop")


def _decoded(data: bytes) -> _Chunk:
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider sent something that is no JSON completion.") from error


def _name(value: Any) -> str | None:
    return value if type(value) is str and value else None

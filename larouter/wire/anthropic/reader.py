"""An answer of Anthropic's, streamed or whole, as events.

Source: Claude API docs, "Streaming messages". Blocks come one after another; what Anthropic's own
tools do in between (which are asked for in its own dialect alone) is passed over.
"""

from __future__ import annotations

from typing import Any

import msgspec

from larouter.core.conversation import Opaque
from larouter.core.errors import UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Reason,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire import sse
from larouter.wire.anthropic.errors import read_error
from larouter.wire.anthropic.thinking import redacted
from larouter.wire.anthropic.usage import latest, read_usage

_REASONS: dict[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "pause",
}


class _Delta(msgspec.Struct, gc=False):
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None


class Block(msgspec.Struct, gc=False):
    type: str
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class Message(msgspec.Struct):
    type: str | None = None
    id: str | None = None
    model: str | None = None
    content: list[Block] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Any = None
    error: Any = None


class Frame(msgspec.Struct):
    """The data of one event of a stream."""

    type: str
    index: int = 0
    delta: _Delta | None = None
    content_block: Block | None = None
    message: Message | None = None
    usage: Any = None
    error: Any = None


_decode_frame = msgspec.json.Decoder(Frame).decode
_decode_message = msgspec.json.Decoder(Message).decode


def read_frame(event: bytes) -> Frame | None:
    """One event of a stream, None for a comment. Raises `UpstreamError`, for an `error` too."""
    # Nearly always two lines; the other forms of the standard are rare, and slower.
    at = event.find(b"\ndata: ")
    data = event[at + 7 : -2]
    if at < 0 or b"\n" in data:
        data = sse.data_of(event)
    if not data:
        return None
    try:
        frame = _decode_frame(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider sent an event that is none of its format.") from error
    if frame.type == "error":
        raise read_error(frame.error)
    return frame


def read_message(body: bytes) -> Message:
    """A whole answer. Raises `UpstreamError` for a 200 that is none (TRUST A7)."""
    try:
        message = _decode_message(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider's answer is not a JSON message.") from error
    if message.error is not None:
        raise read_error(message.error)
    if message.content is None or message.stop_reason is None:
        raise UpstreamError("The provider's answer has no content.")
    return message


class Reader:
    """Reads one answer."""

    __slots__ = (
        "_given", "_kind", "_reason", "_signature", "_started", "_stop", "_thought", "_tool",
        "_usage", "done",
    )  # fmt: skip

    def __init__(self) -> None:
        self._started = False
        self._kind = ""
        self._tool = -1
        self._given = b""
        """What a call's start already held, for servers that do not stream arguments."""
        self._thought = False
        self._signature: str | None = None
        self._reason: Reason | None = None
        self._stop: str | None = None
        self._usage: Any = None
        self.done = False

    def feed(self, frames: bytes) -> list[Event]:
        events: list[Event] = []
        for event in sse.split(frames):
            frame = read_frame(event)
            if frame is None:
                continue
            if frame.type == "content_block_delta" and frame.delta is not None:
                self._delta(frame.delta, events)
            else:
                self._rare(frame, events)
        return events

    def end(self) -> Finished:
        if self._reason is None:
            raise UpstreamError("The provider's answer broke off before its end.")
        return Finished(self._reason, read_usage(self._usage), self._stop)

    def whole(self, body: bytes) -> list[Event]:
        message = read_message(body)
        events: list[Event] = []
        self._begin(message, events)
        for block in message.content or ():
            self._start(block, events)
            self._stop_block(events)
        self._finish(message.stop_reason, message.stop_sequence)
        return [*events, self.end()]

    def _delta(self, delta: _Delta, events: list[Event]) -> None:
        kind = self._kind
        if kind == "text":
            if delta.text:
                events.append(TextDelta(delta.text))
        elif kind == "tool_use":
            if delta.partial_json:
                self._given = b""
                events.append(ToolDelta(self._tool, delta.partial_json))
        elif kind == "thinking":
            self._think(delta, events)

    def _think(self, delta: _Delta, events: list[Event]) -> None:
        if delta.thinking:
            self._thought = True
            events.append(ThinkingDelta(delta.thinking))
        if delta.signature:
            self._signature = delta.signature

    def _rare(self, frame: Frame, events: list[Event]) -> None:
        if frame.type == "message_start" and frame.message is not None:
            self._begin(frame.message, events)
        elif frame.type == "content_block_start" and frame.content_block is not None:
            self._start(frame.content_block, events)
        elif frame.type == "content_block_stop":
            self._stop_block(events)
        elif frame.type == "message_delta" and frame.delta is not None:
            self._usage = latest(self._usage, frame.usage)
            self._finish(frame.delta.stop_reason, frame.delta.stop_sequence)
        elif frame.type == "message_stop":
            self.done = True
        if not self._started and frame.type != "ping":
            raise UpstreamError("The provider's stream does not begin with a message.")

    def _begin(self, message: Message, events: list[Event]) -> None:
        self._started = True
        self._usage = latest(self._usage, message.usage)
        counted = read_usage(latest({"output_tokens": 0}, message.usage))
        events.append(Started(message.id, message.model, counted.prompt if counted else None))

    def _start(self, block: Block, events: list[Event]) -> None:
        self._kind = block.type
        if block.type == "text":
            if block.text:
                events.append(TextDelta(block.text))
        elif block.type == "tool_use":
            if not block.id or not block.name:
                raise UpstreamError("The provider sent a tool call without an id or a name.")
            self._tool += 1
            self._given = bytes(block.input)
            events.append(ToolStart(self._tool, block.id, block.name))
        elif block.type == "thinking":
            self._thought, self._signature = False, None
            self._think(_Delta(thinking=block.thinking, signature=block.signature), events)
        elif block.type == "redacted_thinking" and block.data:
            events.append(Sealed(redacted(block.data), hidden=True))

    def _stop_block(self, events: list[Event]) -> None:
        if self._kind == "thinking" and self._signature:
            opaque = Opaque("anthropic", self._signature)
            events.append(Sealed(opaque, hidden=not self._thought))
        elif self._kind == "tool_use" and self._given not in (b"", b"{}", b"null"):
            events.append(ToolDelta(self._tool, self._given.decode()))
        self._kind, self._given = "", b""

    def _finish(self, reason: str | None, stop: str | None) -> None:
        if reason is not None:
            self._reason = _REASONS.get(reason, "stop")
        self._stop = stop or self._stop

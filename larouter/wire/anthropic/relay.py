"""Anthropic's answer to a client of its own dialect: its bytes pass as they came.

Frames are searched once for the few that matter (the end, usage, an error, a tool's call), and only
those are parsed. Nothing is edited; `message_stop` is held back until the settlement (TRUST B3).
"""

from __future__ import annotations

import re

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Part
from larouter.core.errors import LARouterError, UpstreamError
from larouter.wire import sse
from larouter.wire.anthropic.errors import error_event
from larouter.wire.anthropic.reader import Block, Frame, read_frame, read_message
from larouter.wire.anthropic.usage import latest, read_usage
from larouter.wire.anthropic.writer import MESSAGE_STOP

# Inside a JSON string a quotation mark is escaped, so that only values of `type` match.
_NOTEWORTHY = re.compile(rb'"type" ?: ?"(?:message_|error"|tool_use")')
_KEPT_BYTES = 1024 * 1024
_BYTES_PER_TOKEN = 4


class Relay:
    """The `Road` of an answer that passes as it came."""

    __slots__ = (
        "_events", "_kept", "_last", "_passed", "_stopped", "_usage", "_whole", "call_ids", "done",
        "provider_id", "started", "usage",
    )  # fmt: skip

    def __init__(self, request: ChatRequest) -> None:
        self._events = sse.EventSplitter()
        self._kept: list[bytes] = []
        self._passed = 0
        self._last = MESSAGE_STOP
        self._stopped = False
        self._usage: object = None
        self._whole: list[str] = []
        self.started = False
        self.done = False
        self.usage: Usage | None = None
        self.provider_id: str | None = None
        self.call_ids: list[str] = []

    def feed(self, piece: bytes) -> bytes:
        frames = self._events.feed(piece)
        if not frames or self.done:
            return b""
        if not self.started or not sse.look_whole(frames) or _NOTEWORTHY.search(frames):
            frames = b"".join([self._read(event) for event in sse.split(frames)])
        if self._passed < _KEPT_BYTES:
            self._kept.append(frames)
        self._passed += len(frames)
        return frames

    def finish(self, *, prompt_tokens: int) -> bytes:
        if not self._stopped:
            raise UpstreamError("The provider's answer broke off before its end.")
        self.usage = read_usage(self._usage)
        return self._last

    def whole(self, body: bytes, *, prompt_tokens: int) -> bytes:
        message = read_message(body)
        self.started = self.done = True
        self.provider_id = message.id
        self.usage = read_usage(message.usage)
        for block in message.content or ():
            self._note(block)
            self._whole += _said(block)
        return body

    def broken(self, error: LARouterError) -> bytes:
        return error_event(error)

    def delivered(self) -> int:
        kept = b"".join(self._kept)
        texts = [text for event in sse.split(kept) for text in _texts(event)]
        size = sum(len(text.encode()) for text in (*texts, *self._whole))
        tokens = max(len(texts), -(-size // _BYTES_PER_TOKEN))
        # Of a very long answer only the start is kept; the rest is taken to be like it.
        return tokens * self._passed // len(kept) if kept else tokens

    def parts(self) -> tuple[Part, ...]:
        """Nothing: the client keeps every part of this dialect itself."""
        return ()

    def _read(self, event: bytes) -> bytes:
        if self.done:
            return b""
        frame = read_frame(event)
        if frame is None or frame.type == "ping":
            return event if self.started else b""
        if frame.message is not None and not self.started:
            self.started = True
            self.provider_id = frame.message.id
            self._usage = latest(self._usage, frame.message.usage)
        if not self.started:
            raise UpstreamError("The provider's stream does not begin with a message.")
        if frame.type == "message_stop":
            self.done, self._last = True, event
            return b""
        self._notice(frame)
        return event

    def _notice(self, frame: Frame) -> None:
        if frame.content_block is not None:
            self._note(frame.content_block)
        elif frame.type == "message_delta":
            self._usage = latest(self._usage, frame.usage)
            self._stopped = self._stopped or bool(frame.delta and frame.delta.stop_reason)

    def _note(self, block: Block) -> None:
        if block.type == "tool_use" and block.id:
            self.call_ids.append(block.id)


def _texts(event: bytes) -> list[str]:
    """What one event adds to the answer. Whatever it is: an estimate never fails."""
    try:
        frame = read_frame(event)
    except UpstreamError:
        return []
    if frame is None or frame.delta is None:
        return []
    delta = frame.delta
    return [text for text in (delta.text, delta.thinking, delta.partial_json) if text]


def _said(block: Block) -> list[str]:
    given = bytes(block.input).decode() if block.type == "tool_use" else ""
    return [text for text in (block.text, block.thinking, given) if text]

"""Answers for clients that speak Anthropic's Messages: a stream's events, a whole message.

Blocks of a stream come strictly one after another, each started and stopped, with indices counting
up. Calls of tools that interleave are therefore kept until the one before them is complete. Source:
Claude API docs, "Streaming messages".
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Part, Text, Thinking, ToolCall
from larouter.core.errors import LARouterError, UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Folded,
    Reason,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire.anthropic.blocks import sealed
from larouter.wire.anthropic.conversation import shows_thinking
from larouter.wire.anthropic.errors import error_event
from larouter.wire.anthropic.usage import write_usage, write_whole_usage
from larouter.wire.strict_json import encode
from larouter.wire.tools import arguments

_REASONS: dict[Reason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "refusal": "refusal",
    "pause": "pause_turn",
}
_DELTAS = {
    "text": b'"text_delta","text":',
    "thinking": b'"thinking_delta","thinking":',
    "tool_use": b'"input_json_delta","partial_json":',
}
_BYTES_PER_TOKEN = 4
MESSAGE_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Writer:
    """Writes one answer."""

    __slots__ = (
        "_called", "_index", "_kind", "_pieces", "_prefix", "_request", "_shows", "_started",
        "_thought", "_tool", "_waiting",
    )  # fmt: skip

    heartbeat = b'event: ping\ndata: {"type": "ping"}\n\n'

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._shows = shows_thinking(request.body)
        self._started = False
        self._index = -1
        self._kind = ""
        """Of the block that is open: text, thinking, tool_use, or none."""
        self._prefix = b""
        self._tool = -1
        """The call whose block is open, by its index in the answer."""
        self._pieces: list[str] = []
        self._waiting: dict[int, tuple[ToolStart, list[str]]] = {}
        self._thought = False
        """Have thoughts come that are not shown, and wait for their signature?"""
        self._called = False

    def write(self, events: list[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            if type(event) is TextDelta:
                if not event.text:
                    # A block without text could not be sent back to Anthropic.
                    continue
                if self._kind != "text":
                    self._open("text", {"type": "text", "text": ""}, out)
                out.append(b"%b%b}}\n\n" % (self._prefix, encode(event.text)))
            elif type(event) is ToolDelta and event.index == self._tool:
                self._pieces.append(event.arguments)
                out.append(b"%b%b}}\n\n" % (self._prefix, encode(event.arguments)))
            elif type(event) is ThinkingDelta:
                self._think(event.text, out)
            else:
                self._rare(event, out)
        return b"".join(out)

    def finish(self, finished: Finished) -> bytes:
        out: list[bytes] = []
        self._begin(Started(None, None), out)
        self._close(out)
        assert finished.usage is not None, "a translation always counts"
        last = {
            "type": "message_delta",
            "delta": _stopped(finished, called=self._called),
            "usage": write_usage(finished.usage),
        }
        out.append(b"event: message_delta\ndata: %b\n\n" % encode(last))
        return b"".join(out) + MESSAGE_STOP

    def whole(self, answer: Folded, finished: Finished) -> bytes:
        content = [block for part in answer.parts if (block := self._block(part))]
        if answer.refusal:
            content.append({"type": "text", "text": answer.refusal})
        assert finished.usage is not None, "a translation always counts"
        message = self._message(Started(answer.id, answer.model), finished.usage)
        message["content"] = content
        return encode({**message, **_stopped(finished, called=bool(answer.call_ids))})

    def broken(self, error: LARouterError) -> bytes:
        return error_event(error)

    def _think(self, text: str, out: list[bytes]) -> None:
        if self._shows != "text":
            self._thought = True
            return
        if self._kind != "thinking":
            self._open("thinking", {"type": "thinking", "thinking": "", "signature": ""}, out)
        out.append(b"%b%b}}\n\n" % (self._prefix, encode(text)))

    def _rare(self, event: Event, out: list[bytes]) -> None:
        match event:
            case Started():
                self._begin(event, out)
            case Sealed():
                self._seal(event, out)
            case ToolStart():
                self._call(event, out)
            case ToolDelta(index, text):
                self._late(index, text)
            case _:
                assert isinstance(event, RefusalDelta), "Finished comes by finish"
                out.append(self.write([TextDelta(event.text)]))

    def _begin(self, event: Started, out: list[bytes]) -> None:
        if self._started:
            return
        self._started = True
        prompt = event.prompt_tokens
        if prompt is None:
            # The count comes with the end. Until then an estimate serves a client better than 0.
            prompt = -(-self._request.size // _BYTES_PER_TOKEN)
        message = self._message(event, Usage(input=prompt))
        start = {"type": "message_start", "message": message}
        out.append(b"event: message_start\ndata: %b\n\n" % encode(start))

    def _message(self, event: Started, usage: Usage) -> dict[str, Any]:
        id = event.id or uuid4().hex
        return {
            "id": id if id.startswith("msg_") else f"msg_{id}",
            "type": "message",
            "role": "assistant",
            "model": event.model or self._request.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_whole_usage(usage),
        }

    def _open(self, kind: str, block: dict[str, Any], out: list[bytes]) -> None:
        self._close(out)
        self._start(kind, block, out)

    def _start(self, kind: str, block: dict[str, Any], out: list[bytes]) -> None:
        self._index += 1
        start = {"type": "content_block_start", "index": self._index, "content_block": block}
        out.append(b"event: content_block_start\ndata: %b\n\n" % encode(start))
        self._kind, self._thought = kind, False
        self._prefix = self._delta(_DELTAS.get(kind, b""))

    def _delta(self, kind: bytes) -> bytes:
        head = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
        return head % self._index + b'"delta":{"type":' + kind

    def _close(self, out: list[bytes]) -> None:
        """End the block that is open, and write the calls that waited for it."""
        self._stop(out)
        while self._waiting:
            start, pieces = self._waiting.pop(next(iter(self._waiting)))
            self._start_call(start, out)
            text = "".join(pieces)
            if start.custom:
                text = encode({"input": text}).decode()
            if text:
                out.append(b"%b%b}}\n\n" % (self._prefix, encode(text)))
            self._stop(out)

    def _stop(self, out: list[bytes]) -> None:
        if not self._kind:
            return
        if self._kind == "thinking":
            self._sign(sealed(None, None), out)
        self._end(out)

    def _end(self, out: list[bytes]) -> None:
        stop = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
        out.append(stop % self._index)
        self._kind, self._tool = "", -1

    def _sign(self, signature: str, out: list[bytes]) -> None:
        prefix = self._delta(b'"signature_delta","signature":')
        out.append(b"%b%b}}\n\n" % (prefix, encode(signature)))

    def _seal(self, event: Sealed, out: list[bytes]) -> None:
        if self._shows == "nothing":
            return
        seal = sealed(event.opaque, event.id)
        if event.hidden:
            self._open("redacted", {"type": "redacted_thinking", "data": seal}, out)
            self._end(out)
            return
        if self._thought:
            self._open("thinking", {"type": "thinking", "thinking": "", "signature": ""}, out)
        # The signature of words that were said has no place here; core/turns.py keeps it.
        if self._kind == "thinking":
            self._sign(seal, out)
            self._end(out)

    def _call(self, event: ToolStart, out: list[bytes]) -> None:
        self._called = True
        if event.custom or self._waiting or (self._tool >= 0 and not self._is_complete()):
            self._waiting[event.index] = (event, [])
            return
        self._stop(out)
        self._start_call(event, out)

    def _start_call(self, event: ToolStart, out: list[bytes]) -> None:
        block = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
        self._start("tool_use", block, out)
        self._tool, self._pieces = event.index, []

    def _is_complete(self) -> bool:
        """A JSON object that is complete cannot go on: the next call may begin."""
        return _parsed("".join(self._pieces)) is not None

    def _late(self, index: int, text: str) -> None:
        waiting = self._waiting.get(index)
        if waiting is not None:
            waiting[1].append(text)
        elif text.strip():
            raise UpstreamError("The provider went on with a tool call that was complete.")

    def _block(self, part: Part) -> dict[str, Any] | None:
        match part:
            case Text(text=text) if text:
                return {"type": "text", "text": text}
            case Thinking():
                return self._thought_block(part)
            case ToolCall():
                given = arguments(part)
                parsed = _parsed(given)
                called = {"INVALID_JSON": given} if parsed is None else msgspec.Raw(given.encode())
                return {"type": "tool_use", "id": part.id, "name": part.name, "input": called}
        return None

    def _thought_block(self, part: Thinking) -> dict[str, Any] | None:
        unsigned = part.opaque is None and (self._shows == "seals" or not part.text)
        if self._shows == "nothing" or unsigned:
            return None
        seal = sealed(part.opaque, part.id)
        if not part.text:
            return {"type": "redacted_thinking", "data": seal}
        text = part.text if self._shows == "text" else ""
        return {"type": "thinking", "thinking": text, "signature": seal}


def _stopped(finished: Finished, *, called: bool) -> dict[str, Any]:
    """Some providers say `stop` although they call a tool; a client would not run it then."""
    reason: Reason = "tool_calls" if called and finished.reason == "stop" else finished.reason
    return {"stop_reason": _REASONS[reason], "stop_sequence": finished.stop_sequence}


def _parsed(text: str) -> dict[str, msgspec.Raw] | None:
    try:
        return _decode(text.encode())
    except msgspec.MsgspecError:
        return None

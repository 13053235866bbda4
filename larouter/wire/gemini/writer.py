"""Writes answers as Gemini's: server-sent events, or one JSON array that grows.

What `alt=sse` changes at Google is the frame around the chunks, and so it is here.
"""

from __future__ import annotations

from uuid import uuid4

import msgspec

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Opaque, Part, Text, Thinking, ToolCall
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
from larouter.wire import sse
from larouter.wire.gemini.errors import write_error
from larouter.wire.gemini.request import is_array
from larouter.wire.gemini.signature import sign
from larouter.wire.strict_json import encode

_OPEN = b'{"candidates":[{"content":{"parts":['
_CLOSE = b'],"role":"model"},"index":0'
_EMPTY_TEXT = b'{"text":""}'
_REASONS: dict[Reason, str] = {"length": "MAX_TOKENS", "refusal": "SAFETY"}
"""Every other end is STOP, a call of tools too."""
_MALFORMED = "MALFORMED_FUNCTION_CALL"

_decode = msgspec.json.Decoder().decode


class Frames:
    """The frame of a stream: each chunk an event, or an element of an array."""

    __slots__ = ("_array", "_begun")

    def __init__(self, *, array: bool) -> None:
        self._array = array
        self._begun = False

    def frame(self, chunk: bytes) -> bytes:
        if not self._array:
            return b"data: " + chunk + b"\n\n"
        before = b",\r\n" if self._begun else b"["
        self._begun = True
        return before + chunk

    def last(self, chunk: bytes) -> bytes:
        return self.frame(chunk) + self.close()

    def close(self) -> bytes:
        if not self._array:
            return b""
        return b"]" if self._begun else b"[]"


class GeminiWriter:
    """The `Writer` of this dialect."""

    __slots__ = (
        "_array",
        "_calls",
        "_frames",
        "_last",
        "_named",
        "_refused",
        "_spoiled",
        "heartbeat",
    )

    def __init__(self, request: ChatRequest) -> None:
        self._array = is_array(request)
        self._frames = Frames(array=self._array)
        self._calls: dict[int, tuple[ToolStart, list[str]]] = {}
        self._last = ""
        self._named = b"}]}"
        self._refused = ""
        self._spoiled = ""
        self.heartbeat = b""

    def write(self, events: list[Event]) -> bytes:
        parts: list[bytes] = []
        for event in events:
            kind = type(event)
            if kind is TextDelta:
                self._flush(parts)
                parts.append(b'{"text":' + encode(event.text) + b"}")  # type: ignore[union-attr]
                self._last = "text"
            elif kind is ThinkingDelta:
                self._flush(parts)
                parts.append(b'{"text":' + encode(event.text) + b',"thought":true}')  # type: ignore[union-attr]
                self._last = "thought"
            else:
                self._rare(event, parts)
        if not parts:
            return b""
        return self._frames.frame(_chunk(b",".join(parts), self._named))

    def finish(self, finished: Finished) -> bytes:
        parts: list[bytes] = []
        self._flush(parts)
        return self._frames.last(self._final(parts or [_EMPTY_TEXT], finished))

    def whole(self, answer: Folded, finished: Finished) -> bytes:
        self._begin(answer.id, answer.model)
        parts = [written for part in answer.parts for written in self._part(part)]
        if answer.refusal:
            self._refused = answer.refusal
            parts.append(encode({"text": answer.refusal}))
        return self._final(parts, finished)

    def broken(self, error: LARouterError) -> bytes:
        return self._frames.last(write_error(error))

    def _begin(self, identifier: str | None, model: str | None) -> None:
        named = {"modelVersion": model or "", "responseId": identifier or uuid4().hex}
        self._named = b"}]," + encode(named)[1:]
        if not self._array:
            # Google's own streams hold such chunks; a comment would confuse its Python SDK.
            self.heartbeat = sse.write(_chunk(_EMPTY_TEXT, self._named))

    def _rare(self, event: Event, parts: list[bytes]) -> None:
        match event:
            case ToolStart():
                self._calls[event.index] = (event, [])
            case ToolDelta(index, arguments):
                if index not in self._calls:
                    raise UpstreamError("The provider went on with a tool call that was complete.")
                self._calls[index][1].append(arguments)
            case Sealed():
                self._flush(parts)
                thought = event.hidden or self._last == "thought"
                parts.append(_signature(sign(event.opaque, event.id), thought))
                self._last = ""
            case RefusalDelta():
                self._flush(parts)
                self._refused += event.text
                parts.append(encode({"text": event.text}))
            case Started():
                self._begin(event.id, event.model)

    def _flush(self, parts: list[bytes]) -> None:
        """A call is one part, so it waits for its end: the next thing said, or the last chunk."""
        if self._calls:
            for start, pieces in self._calls.values():
                parts += self._call(
                    start.id, start.name, "".join(pieces), start.opaque, start.custom
                )
            self._calls = {}
            self._last = ""

    def _call(
        self, identifier: str, name: str, arguments: str, opaque: Opaque | None, custom: bool
    ) -> list[bytes]:
        args = encode({"input": arguments}) if custom else _object(arguments)
        if args is None:
            # Cut at the limit, or no JSON: nothing that a program could call.
            self._spoiled = f"The arguments of {name} are no JSON object: {arguments[:500]}"
            return []
        named = encode({"id": identifier, "name": name})[:-1]
        part = b'{"functionCall":' + named + b',"args":' + args + b"}"
        if opaque is not None:
            part += b',"thoughtSignature":' + encode(sign(opaque))
        return [part + b"}"]

    def _part(self, part: Part) -> list[bytes]:
        if isinstance(part, ToolCall):
            return self._call(part.id, part.name, part.arguments, part.opaque, part.custom)
        if isinstance(part, Thinking):
            thought: dict[str, str | bool] = {"text": part.text, "thought": True}
            return [encode(_with(thought, part.opaque, part.id))]
        assert isinstance(part, Text), "an answer has no other parts"
        return [encode(_with({"text": part.text}, part.opaque))]

    def _final(self, parts: list[bytes], finished: Finished) -> bytes:
        reason = _REASONS.get(finished.reason, "STOP")
        ending = {"finishReason": _MALFORMED if self._spoiled and reason == "STOP" else reason}
        if self._spoiled or self._refused:
            ending["finishMessage"] = self._spoiled or self._refused
        usage = b',"usageMetadata":' + encode(_usage(finished.usage or Usage())) + b"}"
        named = self._named.removesuffix(b"}")
        return _chunk(b",".join(parts), b"," + encode(ending)[1:-1] + named + usage)


def _chunk(parts: bytes, rest: bytes) -> bytes:
    return _OPEN + parts + _CLOSE + rest


def _signature(signature: str, thought: bool) -> bytes:
    part = {"text": "", "thoughtSignature": signature}
    return encode({**part, "thought": True} if thought else part)


def _with(
    part: dict[str, str | bool], opaque: Opaque | None, identifier: str | None = None
) -> dict[str, str | bool]:
    if opaque is None:
        return part
    return {**part, "thoughtSignature": sign(opaque, identifier)}


def _object(arguments: str) -> bytes | None:
    """The model's own text, if it is a JSON object."""
    try:
        value = _decode(arguments or "{}")
    except (msgspec.MsgspecError, RecursionError):
        return None
    return (arguments or "{}").encode() if type(value) is dict else None


def _usage(usage: Usage) -> dict[str, int]:
    """Google counts thoughts beside what was said, and what was cached inside the prompt."""
    written = {
        "promptTokenCount": usage.prompt,
        "candidatesTokenCount": max(0, usage.output - usage.reasoning),
        "totalTokenCount": usage.prompt + usage.output,
    }
    if usage.cache_read:
        written["cachedContentTokenCount"] = usage.cache_read
    if usage.reasoning:
        written["thoughtsTokenCount"] = usage.reasoning
    return written

"""Reads an OpenAI-style answer from the side while its bytes pass through as they came.

A stream's frames are searched once for the few things that matter: usage, the finish, an error,
the end. Only a frame in which something was found is parsed. What is edited: usage is stripped
when the client did not ask for it (TRUST B7), and when it did, it leaves once, in a last chunk of
its own with `choices: []` (OpenAI API reference, "stream_options").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Part, Thinking
from larouter.core.errors import LARouterError, UpstreamError
from larouter.wire import sse
from larouter.wire.chat.usage import read_usage
from larouter.wire.chat.writer import DONE, write_error
from larouter.wire.strict_json import encode

# A quotation mark inside a JSON string is always escaped, so these match keys only. The first one
# looks at every frame: it begins with a literal, which makes `re` several times as fast.
_MARK = re.compile(rb'"(?:usage"|finish_reason" ?: ?"|error" ?:|name" ?:)')
_NOTEWORTHY = re.compile(
    rb'"(?:usage"(?!\s*:\s*null)|finish_reason" ?: ?"|error" ?:|name" ?:)|\[DONE\]'
)
_EMPTY_USAGE = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,')
_KEPT_BYTES = 1024 * 1024
_BYTES_PER_TOKEN = 4
_SAID = ("content", "reasoning_content", "reasoning", "refusal")

_decode = msgspec.json.Decoder().decode


class _Completion(msgspec.Struct):
    choices: list[msgspec.Raw] | None = None
    id: Any = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None


_decode_completion = msgspec.json.Decoder(_Completion).decode


def read_completion(body: bytes) -> tuple[Usage | None, str | None]:
    """Check a whole answer; return its usage and the provider's id.

    Raises `UpstreamError` for a 200 that is no answer (TRUST A7).
    """
    try:
        answer = _decode_completion(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider's answer is not a JSON completion.") from error
    if answer.error is not None:
        raise UpstreamError(f"The provider answered with an error: {error_text(answer.error)}")
    if not answer.choices:
        raise UpstreamError("The provider's answer has no choices.")
    usage = read_usage(answer.usage, answer.service_tier)
    return usage, answer.id if isinstance(answer.id, str) else None


def estimate_output(body: bytes) -> int:
    """Estimate the tokens of a whole answer that came without its usage (TRUST B7)."""
    return -(-sum(len(text.encode()) for text in _texts(body)) // _BYTES_PER_TOKEN)


def error_text(error: Any) -> str:
    """The human part of a provider's error object."""
    if isinstance(error, dict):
        error = error.get("message") or error.get("code") or error.get("type") or "no message"
    return str(error)[:500]


class Relay:
    """The `Road` of an answer that passes as it came."""

    __slots__ = (
        "_events", "_finished", "_kept", "_passed", "_raw_usage", "_template", "_wants_usage",
        "call_ids", "done", "provider_id", "started", "usage",
    )  # fmt: skip

    def __init__(self, request: ChatRequest) -> None:
        self._events = sse.EventSplitter()
        self._wants_usage = request.wants_usage
        self._finished = False
        self._raw_usage: Mapping[str, Any] | None = None
        self._template: Mapping[str, Any] = {}
        self._kept: list[bytes] = []
        self._passed = 0
        self.started = False
        """True once a real event has come."""
        self.done = False
        self.usage: Usage | None = None
        self.provider_id: str | None = None
        self.call_ids: list[str] = []

    def feed(self, piece: bytes) -> bytes:
        """Return whole events to pass on, or `b""`. Raises `UpstreamError` for a broken stream."""
        frames = self._events.feed(piece)
        if not frames or self.done:
            return b""
        if not self.started or not sse.look_whole(frames) or _MARK.search(frames):
            frames = self._edited(frames)
        if self._passed < _KEPT_BYTES:
            self._kept.append(frames)
        self._passed += len(frames)
        return frames

    def finish(self, *, prompt_tokens: int) -> bytes:
        """The stream ended: return its last bytes. Raises `UpstreamError` if it was cut.

        `prompt_tokens` is the estimate for a client that wants usage of a provider without.
        """
        if not self.done and not self._finished:
            raise UpstreamError("The provider's answer broke off before its end.")
        if not self._wants_usage:
            return DONE
        usage = self._raw_usage or _as_openai(prompt_tokens, self.delivered())
        return sse.write(encode({**self._template, "choices": [], "usage": usage})) + DONE

    def whole(self, body: bytes, *, prompt_tokens: int) -> bytes:
        self.usage, self.provider_id = read_completion(body)
        self._kept, self._passed = [body.strip()], len(body)
        if b'"tool_calls"' in body:
            for choice in _list(_decoded(body), "choices"):
                self._note_calls(_get(choice, "message"))
        return body

    def broken(self, error: LARouterError) -> bytes:
        return sse.write(write_error(error))

    def parts(self) -> tuple[Part, ...]:
        """What a model thought before it called a tool, where that is told (DeepSeek)."""
        kept = b"".join(self._kept)
        if not self.call_ids or b'"reasoning_content"' not in kept:
            return ()
        texts = (_get(said, "reasoning_content") for said in _everything_said(kept))
        text = "".join(text for text in texts if isinstance(text, str))
        return (Thinking(text=text),) if text else ()

    def delivered(self) -> int:
        """Estimate the output's tokens from the text that was passed on (TRUST B7, B8)."""
        kept = b"".join(self._kept)
        if kept.startswith(b"{"):
            return estimate_output(kept)
        size = deltas = 0
        for event in sse.split(kept):
            texts = _texts(sse.data_of(event))
            deltas += bool(texts)
            size += sum(len(text.encode()) for text in texts)
        tokens = max(deltas, -(-size // _BYTES_PER_TOKEN))
        # Of a very long answer only the start is kept; the rest is taken to be like it.
        return tokens * self._passed // len(kept) if kept else 0

    def _edited(self, frames: bytes) -> bytes:
        if self.started and sse.look_whole(frames) and not _NOTEWORTHY.search(frames):
            return frames if self._wants_usage else _EMPTY_USAGE.sub(b"", frames)
        return b"".join([self._read(event) for event in sse.split(frames)])

    def _read(self, event: bytes) -> bytes:
        if self.done:
            return b""
        data = sse.data_of(event)
        if not data:
            return event if self.started else b""
        if data == b"[DONE]":
            self.done = True
            return b""
        chunk = _decode_chunk(data)
        if chunk.get("error") is not None:
            raise UpstreamError(f"The provider broke off: {error_text(chunk['error'])}")
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            raise UpstreamError("The provider sent an event without choices.")
        if not self.started:
            self._begin(chunk)
        for choice in choices:
            self._finished = self._finished or bool(_get(choice, "finish_reason"))
            self._note_calls(_get(choice, "delta"))
        return self._without_usage(event, chunk)

    def _note_calls(self, said: Any) -> None:
        for call in _list(said, "tool_calls"):
            identifier = _get(call, "id")
            if isinstance(identifier, str) and identifier and identifier not in self.call_ids:
                self.call_ids.append(identifier)

    def _begin(self, chunk: Mapping[str, Any]) -> None:
        self.started = True
        identifier = chunk.get("id")
        self.provider_id = identifier if isinstance(identifier, str) else None
        self._template = {
            name: chunk[name] for name in ("id", "object", "created", "model") if name in chunk
        }

    def _without_usage(self, event: bytes, chunk: dict[str, Any]) -> bytes:
        if chunk.get("usage") is None:
            return event if self._wants_usage else _EMPTY_USAGE.sub(b"", event)
        usage = read_usage(chunk["usage"], chunk.get("service_tier"))
        if usage is not None:
            self.usage, self._raw_usage = usage, chunk["usage"]
        if not chunk["choices"]:
            return b""
        return sse.write(encode({key: chunk[key] for key in chunk if key != "usage"}))


def _decode_chunk(data: bytes) -> dict[str, Any]:
    try:
        chunk = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider sent an event that is not JSON.") from error
    if type(chunk) is not dict:
        raise UpstreamError("The provider sent an event that is no JSON object.")
    return chunk


def _texts(data: bytes) -> list[str]:
    """Every piece of answer in one event or one body: text, reasoning, tool calls. Whatever the
    provider sent: an estimate never fails."""
    texts = []
    for choice in _list(_decoded(data), "choices"):
        said = _get(choice, "delta") or _get(choice, "message")
        texts += [_get(said, name) for name in _SAID]
        for call in _list(said, "tool_calls"):
            function = _get(call, "function")
            texts += [_get(function, "name"), _get(function, "arguments")]
    return [text for text in texts if isinstance(text, str) and text]


def _everything_said(kept: bytes) -> list[Any]:
    """Each delta of a stream, or the message of a whole answer."""
    bodies = [kept] if kept.startswith(b"{") else map(sse.data_of, sse.split(kept))
    choices = [choice for body in bodies for choice in _list(_decoded(body), "choices")]
    return [_get(choice, "delta") or _get(choice, "message") for choice in choices]


def _decoded(data: bytes) -> Any:
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any, name: str) -> list[Any]:
    found = _get(value, name)
    return found if isinstance(found, list) else []


def _as_openai(prompt: int, output: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
    }

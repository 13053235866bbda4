"""Answers in Ollama's shape: one JSON object a line, the last one with counts and times.

Times are what was measured here, in nanoseconds: until the first word (`prompt_eval_duration`) and
from there on (`eval_duration`). How long a model took to load is not known, and is no part of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Text, Thinking, ToolCall
from larouter.core.errors import LARouterError, UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Folded,
    RefusalDelta,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire.ollama.request import is_chat
from larouter.wire.strict_json import encode

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_MIDDLE = b',"done":false}\n'


def write_error(error: LARouterError) -> bytes:
    return encode({"error": error.message or "Something went wrong inside LARouter."})


def loaded(request: ChatRequest, reason: str) -> bytes:
    """The answer to a request that asks for nothing: `load` or `unload`."""
    said = {"message": _message("")} if is_chat(request) else {"response": ""}
    answer = {"model": request.model, "created_at": _now(), **said}
    return encode({**answer, "done": True, "done_reason": reason})


class Writer:
    """Writes one answer. Its clock starts with it, just before the request is sent."""

    __slots__ = (
        "_calls", "_clock", "_created", "_first_ns", "_hides_thinking", "_model", "_request",
        "_shape", "_started_ns", "heartbeat",
    )  # fmt: skip

    def __init__(
        self, request: ChatRequest, clock: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        self._request = request
        self._shape = _CHAT if is_chat(request) else _PROMPT
        self._hides_thinking = request.body.get("think") is False
        self._clock = clock
        self._started_ns = clock()
        self._first_ns: int | None = None
        # Ollama hands out a call whole, its arguments as an object.
        self._calls: dict[int, tuple[ToolStart, list[str]]] = {}
        self._begin(None)

    def write(self, events: list[Event]) -> bytes:
        if self._first_ns is None:
            self._first_ns = self._clock()
        out = []
        text, thinking, close = self._shape
        for event in events:
            if isinstance(event, TextDelta | RefusalDelta):
                out.append(b"%b%b%b%b" % (self._head(), text, encode(event.text), close))
            elif not isinstance(event, ThinkingDelta):
                self._note(event)
            elif not self._hides_thinking:
                out.append(b"%b%b%b%b" % (self._head(), thinking, encode(event.text), close))
        return b"".join(out)

    def finish(self, finished: Finished) -> bytes:
        calls = [
            ToolCall(id=start.id, name=start.name, arguments="".join(pieces), custom=start.custom)
            for start, pieces in self._calls.values()
        ]
        asked = _tool_calls(calls, finished)
        line = b""
        if asked:
            message = {**_message(""), "tool_calls": asked}
            line = encode({**self._meta(), "message": message, "done": False}) + b"\n"
        said = {"message": _message("")} if is_chat(self._request) else {"response": ""}
        return line + encode({**self._meta(), **said, **self._end(finished)}) + b"\n"

    def whole(self, answer: Folded, finished: Finished) -> bytes:
        if answer.model:
            self._begin(answer.model)
        parts = answer.parts
        text = "".join(part.text for part in parts if isinstance(part, Text)) + answer.refusal
        thought = "".join(part.text for part in parts if isinstance(part, Thinking))
        thinking = {"thinking": thought} if thought and not self._hides_thinking else {}
        if is_chat(self._request):
            message = {**_message(text), **thinking}
            asked = _tool_calls([part for part in parts if isinstance(part, ToolCall)], finished)
            if asked:
                message["tool_calls"] = asked
            said: dict[str, Any] = {"message": message}
        else:
            said = {"response": text, **thinking}
        return encode({**self._meta(), **said, **self._end(finished)})

    def broken(self, error: LARouterError) -> bytes:
        return write_error(error) + b"\n"

    def _note(self, event: Event) -> None:
        """What is not said at once: who answers, and calls until they are whole."""
        match event:
            case ToolDelta(index, arguments):
                self._calls[index][1].append(arguments)
            case ToolStart(index):
                self._calls[index] = (event, [])
            case Started(_, model):
                self._begin(model)

    def _begin(self, model: str | None) -> None:
        self._model = model or self._request.model
        self._created = b'{"model":' + encode(self._model) + b',"created_at":"'
        # An empty line is no JSON, and clients read each line as JSON.
        text, _, close = self._shape
        self.heartbeat = b'%b%b""%b' % (self._head(), text, close)

    def _head(self) -> bytes:
        return b'%b%b"' % (self._created, _now().encode())

    def _meta(self) -> dict[str, Any]:
        return {"model": self._model, "created_at": _now()}

    def _end(self, finished: Finished) -> dict[str, Any]:
        usage = finished.usage
        assert usage is not None, "a translation always counts"
        now = self._clock()
        first = now if self._first_ns is None else self._first_ns
        return {
            "done": True,
            "done_reason": "length" if finished.reason == "length" else "stop",
            "total_duration": now - self._started_ns,
            "load_duration": 0,
            "prompt_eval_count": usage.prompt,
            "prompt_eval_duration": first - self._started_ns,
            "eval_count": usage.output,
            "eval_duration": now - first,
        }


# What goes between a line's head and its text, its thought, and what ends the line.
_CHAT = (
    b',"message":{"role":"assistant","content":',
    b',"message":{"role":"assistant","content":"","thinking":',
    b"}" + _MIDDLE,
)
_PROMPT = (b',"response":', b',"response":"","thinking":', _MIDDLE)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _message(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def _tool_calls(calls: list[ToolCall], finished: Finished) -> list[dict[str, Any]]:
    """Calls in Ollama's shape. One that `max_output` cut off is no call: `done_reason` says why."""
    asked: list[dict[str, Any]] = []
    for index, call in enumerate(calls):
        try:
            arguments = _decode(call.arguments or "{}")
        except (msgspec.MsgspecError, RecursionError) as error:
            if finished.reason == "length":
                continue
            raise UpstreamError(
                f"The model called the tool {call.name!r} with arguments that are no JSON object."
            ) from error
        function = {"index": index, "name": call.name, "arguments": arguments}
        asked.append({"id": call.id, "function": function})
    return asked

"""Answers for clients that speak chat completions: chunks, a whole completion, errors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Text, Thinking, ToolCall
from larouter.core.errors import LARouterError
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
from larouter.wire.chat.messages import extra_content, reasoning_details
from larouter.wire.chat.usage import write_usage
from larouter.wire.strict_json import encode
from larouter.wire.tools import new_call_id, plain_input

DONE = b"data: [DONE]\n\n"

_FINISH: dict[Reason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "refusal": "content_filter",
    "pause": "stop",
}
_TAIL = b'},"logprobs":null,"finish_reason":null}]}\n\n'


def write_error(error: LARouterError) -> bytes:
    """OpenAI's error object."""
    return encode({"error": error_fields(error)})


def error_fields(error: LARouterError) -> dict[str, str | None]:
    return {
        "message": error.message or "Something went wrong inside LARouter.",
        "type": error.type,
        "param": error.param,
        "code": error.code,
    }


class Writer:
    """Writes one answer. Each event of a stream is one chunk, all with one id."""

    __slots__ = (
        "_call", "_custom", "_customs", "_head", "_meta", "_pending", "_refused", "_request",
        "_sealed", "_silent", "_text", "_thinking", "_wrapped",
    )  # fmt: skip

    heartbeat = b": \n\n"

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._pending = ""
        """The thought whose signature may still come."""
        self._sealed = 0
        self._refused = False
        self._customs = _custom_names(request.body)
        self._silent: set[int] = set()
        """The calls of functions that have no arguments yet: clients parse what they are given."""
        self._custom: set[int] = set()
        """The calls of tools of plain text."""
        self._wrapped: dict[int, list[str]] = {}
        """Of those the ones that were asked for as functions, where there is nothing else: their
        JSON waits until it is whole."""
        self._begin(Started(None, None))

    def write(self, events: list[Event]) -> bytes:
        out = []
        for event in events:
            if isinstance(event, TextDelta):
                self._pending = ""
                out.append(b"%b%b%b" % (self._text, encode(event.text), _TAIL))
            elif isinstance(event, ToolDelta) and event.index not in self._custom:
                self._silent.discard(event.index)
                arguments = encode(event.arguments)
                out.append(b'%b%d,"function":{"arguments":%b}}]%b'
                           % (self._call, event.index, arguments, _TAIL))  # fmt: skip
            elif isinstance(event, ThinkingDelta):
                self._pending += event.text
                out.append(b"%b%b%b" % (self._thinking, encode(event.text), _TAIL))
            else:
                out.append(self._rare(event))
        return b"".join(out)

    def finish(self, finished: Finished) -> bytes:
        reason = encode("stop" if self._refused else _FINISH[finished.reason])
        inputs = [
            self._say({"tool_calls": [_input(index, plain_input("".join(pieces)))]})
            for index, pieces in self._wrapped.items()
        ]
        end = b'%b},"logprobs":null,"finish_reason":%b}]}\n\n' % (self._head, reason)
        nothing = [
            self._say({"tool_calls": [{"index": index, "function": {"arguments": "{}"}}]})
            for index in sorted(self._silent)
        ]
        last = b"".join([*nothing, *inputs, end])
        if not self._request.wants_usage:
            return last + DONE
        assert finished.usage is not None, "a translation always counts"
        counted = {**self._meta, "choices": [], "usage": write_usage(finished.usage)}
        return last + sse.write(encode(counted)) + DONE

    def whole(self, answer: Folded, finished: Finished) -> bytes:
        self._begin(Started(answer.id, answer.model))
        assert finished.usage is not None, "a translation always counts"
        parts = answer.parts
        said = "".join(part.text for part in parts if isinstance(part, Text))
        message: dict[str, Any] = {
            "role": "assistant",
            "content": said or None,
            "refusal": answer.refusal or None,
        }
        thoughts = [part for part in parts if isinstance(part, Thinking)]
        if thought := "".join(part.text for part in thoughts):
            message["reasoning_content"] = thought
        if details := reasoning_details(thoughts):
            message["reasoning_details"] = details
        calls = [_written(self._unwrapped(part)) for part in parts if isinstance(part, ToolCall)]
        if calls:
            message["tool_calls"] = calls
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": "stop" if answer.refusal else _FINISH[finished.reason],
        }
        return encode(
            {
                **self._meta,
                "object": "chat.completion",
                "choices": [choice],
                "usage": write_usage(finished.usage),
            }
        )

    def broken(self, error: LARouterError) -> bytes:
        return sse.write(write_error(error))

    def _begin(self, event: Started) -> None:
        self._meta: dict[str, Any] = {
            "id": f"chatcmpl-{event.id or new_call_id().removeprefix('call_')}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": event.model or self._request.model,
        }
        head = b"data: " + encode(self._meta)[:-1] + b',"choices":[{"index":0,"delta":{'
        self._head = head
        self._text = head + b'"content":'
        self._thinking = head + b'"reasoning_content":'
        self._call = head + b'"tool_calls":[{"index":'

    def _rare(self, event: Event) -> bytes:
        match event:
            case Started():
                self._begin(event)
                delta: dict[str, Any] = {"role": "assistant", "content": ""}
            case Sealed():
                said = "" if event.hidden else self._pending
                thought = Thinking(text=said, opaque=event.opaque, id=event.id)
                if self._is_text(event):
                    return b""
                delta = {"reasoning_details": reasoning_details([thought], self._sealed)}
                self._pending = ""
                self._sealed += 1
            case ToolStart():
                delta = {"tool_calls": [{"index": event.index, **self._start(event)}]}
            case ToolDelta(index, text):
                if index in self._wrapped:
                    self._wrapped[index].append(text)
                    return b""
                delta = {"tool_calls": [_input(index, text)]}
            case _:
                assert isinstance(event, RefusalDelta), "Finished comes by finish"
                self._refused = True
                delta = {"refusal": event.text}
        return self._say(delta)

    def _say(self, delta: dict[str, Any]) -> bytes:
        return self._head + encode(delta)[1:-1] + _TAIL

    def _start(self, event: ToolStart) -> dict[str, Any]:
        self._pending = ""
        custom = event.custom or event.name in self._customs
        if not custom:
            self._silent.add(event.index)
        else:
            self._custom.add(event.index)
            if not event.custom:
                self._wrapped[event.index] = []
        return _started(event, custom=custom)

    def _unwrapped(self, part: ToolCall) -> ToolCall:
        if part.custom or part.name not in self._customs:
            return part
        return replace(part, arguments=plain_input(part.arguments), custom=True)

    def _is_text(self, event: Sealed) -> bool:
        """A signature of words that were said: this dialect has no place for it."""
        return not event.hidden and not self._pending


def _custom_names(body: Mapping[str, Any]) -> frozenset[str]:
    """The tools of plain text among the client's."""
    tools = [tool.get("custom") for tool in body.get("tools") or () if tool["type"] == "custom"]
    return frozenset(str(tool.get("name")) for tool in tools if isinstance(tool, dict))


def _input(index: int, text: str) -> dict[str, Any]:
    return {"index": index, "custom": {"input": text}}


def _started(event: ToolStart, *, custom: bool) -> dict[str, Any]:
    if custom:
        said: dict[str, Any] = {"custom": {"name": event.name, "input": ""}}
    else:
        said = {"function": {"name": event.name, "arguments": ""}}
    call = {"id": event.id, "type": "custom" if custom else "function", **said}
    if content := extra_content(event.opaque):
        call["extra_content"] = content
    return call


def _written(part: ToolCall) -> dict[str, Any]:
    if part.custom:
        said: dict[str, Any] = {"custom": {"name": part.name, "input": part.arguments}}
    else:
        said = {"function": {"name": part.name, "arguments": part.arguments}}
    call = {"id": part.id, "type": "custom" if part.custom else "function", **said}
    if content := extra_content(part.opaque):
        call["extra_content"] = content
    return call

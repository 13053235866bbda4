"""OpenAI's answer to a Responses request, streamed or whole, as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from larouter.wire.responses.usage import read_usage
from larouter.wire.tools import new_call_id

_BETWEEN = "\n\n"
_LONGEST = 500
_TEXT = "response.output_text.delta"
_ARGUMENTS = frozenset(
    {"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"}
)
_THOUGHTS = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_LAST = frozenset({"response.completed", "response.incomplete"})
_FAILED = frozenset({"response.failed", "error"})


class _Event(msgspec.Struct):
    type: str
    delta: Any = None
    output_index: int | None = None
    summary_index: int | None = None
    item: Any = None
    response: Any = None
    error: Any = None
    message: Any = None
    code: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_any = msgspec.json.Decoder().decode


class Reader:
    """Reads one answer. `done` once its last event has come."""

    __slots__ = ("_calls", "_finished", "_refused", "_streamed", "_thought", "_words", "done")

    def __init__(self) -> None:
        self._calls: dict[int | None, int] = {}
        """By their places in the output: our own count."""
        self._streamed: set[int] = set()
        """The calls of which some arguments have come."""
        self._thought = False
        """Has the thought that is open been shown?"""
        self._words = False
        """Was a message the last thing that came?"""
        self._refused = False
        self._finished: Finished | None = None
        self.done = False

    def feed(self, frames: bytes) -> list[Event]:
        events: list[Event] = []
        for frame in sse.split(frames):
            data = sse.data_of(frame)
            if not data or data == b"[DONE]":
                continue
            try:
                event = _decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise UpstreamError("The provider sent an event that is malformed.") from error
            if event.type == _TEXT and isinstance(event.delta, str):
                events.append(TextDelta(event.delta))
            else:
                events += self._other(event)
        return events

    def end(self) -> Finished:
        if self._finished is None:
            raise UpstreamError("The provider's answer broke off before its end.")
        return self._finished

    def whole(self, body: bytes) -> list[Event]:
        response = read_response(body)
        events: list[Event] = [_started(response)]
        for place, item in enumerate(response["output"]):
            if isinstance(item, dict):
                events += self._added(place, item)
                events += self._content(item)
                events += self._item_done(place, item)
        return [*events, self._end(response)]

    def _other(self, event: _Event) -> list[Event]:
        kind, delta = event.type, event.delta
        if isinstance(delta, str):
            return self._delta(kind, delta, event.output_index)
        if isinstance(event.item, dict):
            if kind == "response.output_item.added":
                return list(self._added(event.output_index, event.item))
            if kind == "response.output_item.done":
                return list(self._item_done(event.output_index, event.item))
        if kind == "response.reasoning_summary_part.added":
            return [ThinkingDelta(_BETWEEN)] if self._thought and event.summary_index else []
        return self._whole_response(event)

    def _whole_response(self, event: _Event) -> list[Event]:
        if event.type in _FAILED:
            raise failure(msgspec.to_builtins(event))
        if not isinstance(event.response, dict):
            return []
        if event.type in _LAST:
            self._finished, self.done = self._end(event.response), True
        elif event.type == "response.created":
            return [_started(event.response)]
        return []

    def _delta(self, kind: str, delta: str, place: int | None) -> list[Event]:
        if kind in _ARGUMENTS and place in self._calls:
            self._streamed.add(self._calls[place])
            return [ToolDelta(self._calls[place], delta)]
        if kind in _THOUGHTS:
            self._thought = True
            return [ThinkingDelta(delta)]
        if kind == "response.refusal.delta":
            self._refused = True
            return [RefusalDelta(delta)]
        return []

    def _added(self, place: int | None, item: Mapping[str, Any]) -> Iterator[Event]:
        kind = item.get("type")
        if kind == "message":
            if self._words:
                yield TextDelta(_BETWEEN)
            self._words = True
            return
        self._words = False
        if kind == "function_call" or kind == "custom_tool_call":
            index = self._calls[place] = len(self._calls)
            name = _text(item, "name")
            if not name:
                raise UpstreamError("The provider sent a tool call without a name.")
            id = _text(item, "call_id") or new_call_id()
            yield ToolStart(index, id, name, custom=kind == "custom_tool_call")

    def _content(self, item: Mapping[str, Any]) -> Iterator[Event]:
        """What a stream brings by deltas."""
        for part in _objects(item.get("content")):
            if part.get("type") == "refusal":
                self._refused = True
                yield RefusalDelta(_text(part, "refusal"))
            elif part.get("type") == "reasoning_text":
                self._thought = True
                yield ThinkingDelta(_text(part, "text"))
            else:
                yield TextDelta(_text(part, "text"))
        for index, part in enumerate(_objects(item.get("summary"))):
            self._thought = True
            yield ThinkingDelta(f"{_BETWEEN if index else ''}{_text(part, 'text')}")

    def _item_done(self, place: int | None, item: Mapping[str, Any]) -> Iterator[Event]:
        if item.get("type") == "reasoning":
            shown, self._thought = self._thought, False
            sealed, id = item.get("encrypted_content"), item.get("id")
            if isinstance(sealed, str) and sealed:
                id = id if isinstance(id, str) else None
                yield Sealed(Opaque("responses", sealed), hidden=not shown, id=id)
        elif place in self._calls and self._calls[place] not in self._streamed:
            arguments = item.get("arguments") or item.get("input")
            if isinstance(arguments, str):
                yield ToolDelta(self._calls[place], arguments)

    def _end(self, response: Mapping[str, Any]) -> Finished:
        usage = read_usage(response.get("usage"), response.get("service_tier"))
        details = response.get("incomplete_details")
        if isinstance(details, dict):
            filtered = details.get("reason") == "content_filter"
            return Finished("refusal" if filtered else "length", usage)
        return Finished(self._reason(), usage)

    def _reason(self) -> Reason:
        if self._refused:
            return "refusal"
        return "tool_calls" if self._calls else "stop"


def read_response(body: bytes) -> dict[str, Any]:
    """A whole answer as it is. Raises `UpstreamError` for a 200 that is none (TRUST A7)."""
    try:
        response = _decode_any(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider's answer is not a JSON response.") from error
    if not isinstance(response, dict):
        raise UpstreamError("The provider's answer is no JSON object.")
    if response.get("error") is not None or response.get("status") == "failed":
        raise failure(response)
    if not isinstance(response.get("output"), list):
        raise UpstreamError("The provider's answer has no output.")
    return response


def failure(said: Any) -> UpstreamError:
    """What a provider says of its own failure: a response, an error, or an event around one."""
    response = said.get("response") if isinstance(said, dict) else None
    said = response if isinstance(response, dict) else said
    error = said.get("error") or said if isinstance(said, dict) else said
    if not isinstance(error, dict):
        return UpstreamError(f"The provider broke off: {str(error)[:_LONGEST]}")
    code = error.get("code")
    text = error.get("message") or code or error.get("type") or "no message"
    return UpstreamError(
        f"The provider broke off: {str(text)[:_LONGEST]}",
        code=code if isinstance(code, str) and len(code) <= _LONGEST else None,
    )


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(holder: Mapping[str, Any], name: str) -> str:
    text = holder.get(name)
    return text if isinstance(text, str) else ""


def _started(response: Mapping[str, Any]) -> Started:
    id, model = response.get("id"), response.get("model")
    return Started(id if isinstance(id, str) else None, model if isinstance(model, str) else None)

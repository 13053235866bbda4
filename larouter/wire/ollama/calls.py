"""Ids for calls of tools, which Ollama's clients may leave out.

Every other format ties a result to its call by an id. A call that comes without one gets an id
that is made of what it says, so that it is the same in every later request of the conversation.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from larouter.core.conversation import Part, ToolCall
from larouter.core.errors import BadRequest
from larouter.wire import fields
from larouter.wire.strict_json import encode

_decode = msgspec.json.Decoder().decode


class Said(NamedTuple):
    """What one message has to do with tools."""

    calls: tuple[ToolCall, ...] = ()
    answers: str | None = None
    """The id of the call whose result it is."""


def call_id(name: str, arguments: str) -> str:
    """The id of a call that has none; the same words again are told apart by `read_calls`."""
    return f"call_{hashlib.sha256(f'{name} {arguments}'.encode()).hexdigest()[:24]}"


def read_calls(messages: list[dict[str, Any]]) -> list[Said]:
    """What each message has to do with tools. Raises `BadRequest` for a result without a call."""
    said: list[Said] = []
    seen: Counter[str] = Counter()
    waiting: list[ToolCall] = []
    for index, message in enumerate(messages):
        name = f"messages[{index}]"
        if message["role"] == "tool":
            said.append(Said(answers=_answered(name, message, waiting)))
            continue
        calls = _calls(name, message, seen)
        if calls:
            waiting = list(calls)
        said.append(Said(calls=calls))
    return said


def returned(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """An answer's parts with the ids that its calls will have when a client brings them back
    without their own."""
    seen: Counter[str] = Counter()
    back: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCall):
            with suppress(BadRequest):
                id = _made(part.name, _arguments("arguments", part.arguments), seen)
                part = replace(part, id=id)
        back.append(part)
    return tuple(back)


def _calls(name: str, message: Mapping[str, Any], seen: Counter[str]) -> tuple[ToolCall, ...]:
    given = fields.objects(message, "tool_calls")
    return tuple(
        _call(f"{name}.tool_calls[{place}]", call, seen) for place, call in enumerate(given)
    )


def _call(name: str, call: Mapping[str, Any], seen: Counter[str]) -> ToolCall:
    function = call.get("function")
    if type(function) is not dict or type(function.get("name")) is not str:
        raise fields.wrong(f"{name}.function", "an object with a name and its arguments")
    arguments = _arguments(f"{name}.function.arguments", function.get("arguments"))
    given = call.get("id")
    if type(given) is str and given:
        return ToolCall(id=given, name=function["name"], arguments=arguments)
    made = _made(function["name"], arguments, seen)
    return ToolCall(id=made, name=function["name"], arguments=arguments)


def _made(name: str, arguments: str, seen: Counter[str]) -> str:
    made = call_id(name, arguments)
    seen[made] += 1
    return f"{made}_{seen[made]}" if seen[made] > 1 else made


def _arguments(name: str, value: Any) -> str:
    """JSON text of an object; some clients send that text instead of the object."""
    if type(value) is str and value:
        try:
            value = _decode(value)
        except (msgspec.MsgspecError, RecursionError):
            raise fields.wrong(name, "an object") from None
    if not value:
        return "{}"
    if type(value) is not dict:
        raise fields.wrong(name, "an object")
    return encode(value).decode()


def _answered(name: str, message: Mapping[str, Any], waiting: list[ToolCall]) -> str:
    """By its id, else the first call of that tool that waits, else the first that waits."""
    given = message.get("tool_call_id")
    if type(given) is str and given:
        waiting[:] = [call for call in waiting if call.id != given]
        return given
    tool = message.get("tool_name") or message.get("name")
    found = next((call for call in waiting if call.name == tool), waiting[0] if waiting else None)
    if found is None:
        raise BadRequest(
            f"{name} is the result of a tool, but no call of a tool waits for one.", param=name
        )
    waiting.remove(found)
    return found.id

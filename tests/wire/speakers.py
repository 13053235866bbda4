"""Clients that know one format each: what they send, and what they make of an answer."""

import json
from typing import Any, NamedTuple

from larouter.core.chat import Usage
from larouter.core.conversation import Text, Thinking, ToolCall, ToolResult, Turn
from larouter.core.events import Event, Finished, Folded
from larouter.wire import sse
from larouter.wire.dialects import WIRES

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def _names(turns):
    """The tools that are called in these turns, each once."""
    parts = [part for turn in turns for part in turn.parts]
    return list(dict.fromkeys(part.name for part in parts if isinstance(part, ToolCall)))


def _function(name):
    return {"name": name, "parameters": SCHEMA}


def _of(kind, turn):
    return [part for part in turn.parts if isinstance(part, kind)]


def _text(turn):
    return "".join(part.text for part in _of(Text, turn))


def _said(result):
    return "".join(part.text for part in result.parts)


def _results(turn):
    return [
        {"role": "tool", "tool_call_id": result.call_id, "content": _said(result)}
        for result in _of(ToolResult, turn)
    ]


def chat(turns):
    messages: list[Any] = []
    for turn in turns:
        messages += _results(turn)
        message: dict[str, Any] = {"role": turn.role, "content": _text(turn) or None}
        if calls := _of(ToolCall, turn):
            message["tool_calls"] = [
                {"id": call.id, "type": "function",
                 "function": {"name": call.name, "arguments": call.arguments}}
                for call in calls
            ]  # fmt: skip
        messages.append(message)
    tools = [{"type": "function", "function": _function(name)} for name in _names(turns)]
    return {"model": "auto", "messages": messages, **({"tools": tools} if tools else {}),
            "stream_options": {"include_usage": True}}  # fmt: skip


def responses(turns):
    items: list[Any] = []
    for turn in turns:
        items += [
            {"type": "function_call_output", "call_id": result.call_id, "output": _said(result)}
            for result in _of(ToolResult, turn)
        ]
        if text := _text(turn):
            kind = "output_text" if turn.role == "assistant" else "input_text"
            content = [{"type": kind, "text": text}]
            items.append({"type": "message", "role": turn.role, "content": content})
        items += [
            {"type": "function_call", "call_id": call.id, "name": call.name,
             "arguments": call.arguments}
            for call in _of(ToolCall, turn)
        ]  # fmt: skip
    tools = [{"type": "function", **_function(name)} for name in _names(turns)]
    return {"model": "auto", "input": items, "tools": tools}


def completions(turns):
    return {"model": "auto", "prompt": _text(turns[-1]), "stream_options": {"include_usage": True}}


def anthropic(turns):
    system = "".join(_text(turn) for turn in turns if turn.role == "system")
    messages: list[Any] = []
    for turn in turns:
        content: list[Any] = [
            {"type": "tool_result", "tool_use_id": result.call_id, "content": _said(result)}
            for result in _of(ToolResult, turn)
        ]
        if text := _text(turn):
            content.append({"type": "text", "text": text})
        content += [
            {"type": "tool_use", "id": call.id, "name": call.name,
             "input": json.loads(call.arguments)}
            for call in _of(ToolCall, turn)
        ]  # fmt: skip
        if turn.role != "system":
            messages.append({"role": turn.role, "content": content})
    tools = [{"name": name, "input_schema": SCHEMA} for name in _names(turns)]
    return {"model": "auto", "max_tokens": 1000, "messages": messages, "tools": tools,
            "thinking": {"type": "adaptive"}, **({"system": system} if system else {})}  # fmt: skip


def gemini(turns):
    names = {call.id: call.name for turn in turns for call in _of(ToolCall, turn)}
    contents: list[Any] = []
    for turn in turns:
        parts: list[Any] = [
            {"functionResponse": {"id": result.call_id, "name": names[result.call_id],
                                  "response": {"output": _said(result)}}}
            for result in _of(ToolResult, turn)
        ]  # fmt: skip
        if text := _text(turn):
            parts.append({"text": text})
        parts += [
            {"functionCall": {"id": call.id, "name": call.name, "args": json.loads(call.arguments)}}
            for call in _of(ToolCall, turn)
        ]
        role = {"assistant": "model"}.get(turn.role, turn.role)
        contents.append({"role": role, "parts": parts})
    system = [content for content in contents if content["role"] == "system"]
    body: dict[str, Any] = {"contents": contents[len(system) :]}
    if system:
        body["systemInstruction"] = {"parts": system[0]["parts"]}
    declared = [{**_function(name), "parameters": None, "parametersJsonSchema": SCHEMA}
                for name in _names(turns)]  # fmt: skip
    return {**body, "tools": [{"functionDeclarations": declared}]} if declared else body


def ollama(turns):
    messages: list[Any] = []
    for turn in turns:
        messages += _results(turn)
        message: dict[str, Any] = {"role": turn.role, "content": _text(turn)}
        if calls := _of(ToolCall, turn):
            message["tool_calls"] = [
                {"id": call.id,
                 "function": {"name": call.name, "arguments": json.loads(call.arguments)}}
                for call in calls
            ]  # fmt: skip
        messages.append(message)
    tools = [{"type": "function", "function": _function(name)} for name in _names(turns)]
    return {"model": "auto", "messages": messages, "tools": tools}


BODIES = {
    "chat": chat,
    "responses": responses,
    "completions": completions,
    "anthropic": anthropic,
    "gemini": gemini,
    "ollama": ollama,
}
"""A client's JSON for these turns."""

Said = tuple[Any, ...]


def said(turns: tuple[Turn, ...]) -> list[Said]:
    """What must survive any format, in order. A call is known by its place: its id may change, but
    in its result alike."""
    found: list[Said] = []
    places: dict[str, int] = {}
    for turn in turns:
        for part in turn.parts:
            match part:
                case ToolResult():
                    found.append(("result", places[part.call_id], _said(part)))
                case ToolCall():
                    places[part.id] = len(places)
                    arguments = json.loads(part.arguments)
                    found.append(("call", places[part.id], part.name, arguments))
                case Text() if part.text:
                    found.append((turn.role, part.text))
    return found


class Heard(NamedTuple):
    """What a client makes of an answer."""

    thought: str
    text: str
    calls: list[tuple[str, str, Any]]
    reason: str
    usage: Usage | None


def heard(dialect: str, answer: bytes, *, stream: bool) -> Heard:
    if dialect == "ollama":
        return _ollama(answer.splitlines())
    reader = WIRES[dialect].reader()
    if stream:
        # What is left over is an event that was cut.
        cut = sse.EventSplitter()
        events: list[Event] = reader.feed(cut.feed(answer))
        assert cut.feed(b"\n\n") in (b"", b"\n\n")
        return _heard(events, reader.end())
    *events, finished = reader.whole(answer)
    assert isinstance(finished, Finished)
    return _heard(events, finished)


def _heard(events: list[Event], finished: Finished) -> Heard:
    parts = Folded(events).parts
    return Heard(
        thought="".join(part.text for part in parts if isinstance(part, Thinking)),
        text="".join(part.text for part in parts if isinstance(part, Text)),
        calls=[(part.id, part.name, json.loads(part.arguments))
               for part in parts if isinstance(part, ToolCall)],
        reason=finished.reason,
        usage=finished.usage,
    )  # fmt: skip


def _ollama(lines: list[bytes]) -> Heard:
    *_, last = objects = [json.loads(line) for line in lines]
    messages = [one["message"] for one in objects]
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    assert [one["done"] for one in objects] == [False] * (len(objects) - 1) + [True]
    ended = "tool_calls" if calls and last["done_reason"] == "stop" else last["done_reason"]
    return Heard(
        thought="".join(message.get("thinking", "") for message in messages),
        text="".join(message["content"] for message in messages),
        calls=[(call["id"], call["function"]["name"], call["function"]["arguments"])
               for call in calls],
        reason=ended,
        usage=Usage(input=last["prompt_eval_count"], output=last["eval_count"]),
    )  # fmt: skip

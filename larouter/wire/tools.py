"""What wires share about tools: schemas where a tool takes nothing, and tools of plain text."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from larouter.core.conversation import Conversation, Tool, ToolCall
from larouter.wire.strict_json import encode

TAKES_NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}}

_decode = msgspec.json.Decoder().decode

# A tool of plain text (OpenAI's `custom`), where functions are all there is.
_TAKES_TEXT: Mapping[str, Any] = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


def parameters(tool: Tool) -> Mapping[str, Any]:
    """The JSON Schema of a tool as a function; a tool of plain text takes one field, `input`."""
    return _TAKES_TEXT if tool.custom is not None else tool.parameters or TAKES_NOTHING


def description(tool: Tool) -> str | None:
    """With the grammar of a tool of plain text, which a schema has no place for."""
    grammar = (tool.custom or {}).get("definition")
    if not grammar:
        return tool.description
    return f"{tool.description or ''}\n\nThe input follows this grammar:\n{grammar}".strip()


def arguments(call: ToolCall) -> str:
    """A call's arguments as JSON text, of a tool of plain text too."""
    if call.custom:
        return encode({"input": call.arguments}).decode()
    return call.arguments or "{}"


def plain_input(arguments: str) -> str:
    """What `arguments` made of a tool of plain text, undone. A model may write something else than
    the one field: then all of it."""
    try:
        given = _decode(arguments)
    except (msgspec.MsgspecError, RecursionError):
        return arguments
    found = given.get("input") if isinstance(given, dict) else None
    return found if isinstance(found, str) else arguments


def offered(conversation: Conversation) -> tuple[Tool, ...]:
    """The tools that may be called: all, or those that the client's choice allows."""
    choice = conversation.tool_choice
    if choice is None or choice.among is None:
        return conversation.tools
    return tuple(tool for tool in conversation.tools if tool.name in choice.among)


def new_call_id() -> str:
    """For a provider that gives its calls no ids."""
    return f"call_{secrets.token_hex(12)}"

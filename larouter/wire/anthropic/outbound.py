"""A conversation of another dialect as a request for Anthropic's Messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.conversation import Conversation, Format, Tool, ToolChoice
from larouter.core.errors import CannotCarry
from larouter.wire.anthropic import thinking
from larouter.wire.anthropic.messages import Written, write_messages
from larouter.wire.anthropic.schema import can_close, closed
from larouter.wire.losses import Loss
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import encode
from larouter.wire.tools import description, offered, parameters
from larouter.wire.turns import instructions

WIRE_LOSSES = (
    Loss("audio", "refused", "Claude cannot hear"),
    Loss("seed", "left out", "Claude's dice cannot be set"),
    Loss("presence_penalty", "left out", "Claude does not count its words"),
    Loss("frequency_penalty", "left out", "Claude does not count its words"),
)

PATH = "v1/messages"
# In this version older models still take `temperature`; the one of 2026-10-21 knows it no longer,
# and changes nothing else that is written here. Source: Claude API docs, "Versions".
VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 8192
"""Where the catalogue does not know the model: every Claude model that is served can answer this
much. Source: Claude API docs, "Models overview"."""
_LEAST_TOP_P = 0.95
"""With a budget of thinking: docs, "Extended thinking", "Feature compatibility"."""

_FORCING = frozenset({"required", "named"})
_MODES = {"auto": "auto", "none": "none", "required": "any", "named": "tool"}
_JSON = "Answer with one JSON object and nothing else: no words around it, no code fence."


def write(conversation: Conversation, call: Call) -> Sending:
    """Raises `CannotCarry` for what Claude has no words for."""
    said = write_messages(conversation, call)
    max_tokens = _max_tokens(conversation.max_output, call)
    body: dict[str, Any] = {"model": call.name, "max_tokens": max_tokens}
    system = instructions(conversation)
    _add_tools(body, conversation, call, system)
    body |= _thinking(body, conversation, call, said)
    _add_sampling(body, conversation, call)
    if conversation.format is not None:
        _add_format(body, conversation.format, system)
    if conversation.stop:
        body["stop_sequences"] = _stops(conversation.stop)
    if conversation.user:
        body["metadata"] = {"user_id": conversation.user}
    if call.stream:
        body["stream"] = True
    if system:
        body["system"] = [{"type": "text", "text": text} for text in system]
    body["messages"] = said.messages
    headers = [("anthropic-version", VERSION)]
    if "block_binding" in body.get("thinking", ()):
        headers.append(("anthropic-beta", thinking.BINDING_BETA))
    return Sending(PATH, encode(body), tuple(headers))


def _max_tokens(asked: int | None, call: Call) -> int:
    """Anthropic demands a limit, and refuses one that the model cannot reach."""
    most = call.max_output or (DEFAULT_MAX_TOKENS if asked is None else asked)
    return most if asked is None else min(asked, most)


def _thinking(
    body: dict[str, Any], conversation: Conversation, call: Call, said: Written
) -> dict[str, Any]:
    return thinking.fields(
        conversation,
        call,
        body["max_tokens"],
        forced=body.get("tool_choice", {}).get("type") in ("any", "tool"),
        holds=said.holds_thoughts,
        gap=said.lacks_thought,
    )


def _add_sampling(body: dict[str, Any], conversation: Conversation, call: Call) -> None:
    """Anthropic's `temperature` ends at 1. Newer models refuse all three, later 4.x models both of
    the first two at once, and a budget of thinking leaves only a high `top_p`."""
    temperature, top_p, top_k = conversation.temperature, conversation.top_p, conversation.top_k
    if body.get("thinking", {}).get("type") == "enabled":
        temperature = top_k = None
        top_p = top_p if top_p is not None and top_p >= _LEAST_TOP_P else None
    if "temperature" not in call.refuses and temperature is not None:
        body["temperature"] = min(temperature, 1)
    elif "top_p" not in call.refuses and top_p is not None:
        body["top_p"] = top_p
    if "top_k" not in call.refuses and top_k is not None:
        body["top_k"] = top_k


def _add_tools(
    body: dict[str, Any], conversation: Conversation, call: Call, system: list[str]
) -> None:
    tools = offered(conversation)
    if not tools:
        return
    body["tools"] = [_tool(tool) for tool in tools]
    choice = conversation.tool_choice or ToolChoice(mode="auto")
    if choice.mode in _FORCING and "forced_tools" in call.refuses:
        which = f"the tool {choice.name}" if choice.mode == "named" else "one of your tools"
        system.append(f"Your next answer must call {which}.")
        choice = ToolChoice(mode="auto")
    chosen: dict[str, Any] = {"type": _MODES[choice.mode]}
    if choice.mode == "named":
        chosen["name"] = choice.name
    if conversation.parallel_tools is not None and choice.mode != "none":
        chosen["disable_parallel_tool_use"] = not conversation.parallel_tools
    if conversation.tool_choice is not None or len(chosen) > 1:
        body["tool_choice"] = chosen


def _tool(tool: Tool) -> dict[str, Any]:
    found: dict[str, Any] = {"name": tool.name}
    if text := description(tool):
        found["description"] = text
    schema = {"type": "object", **parameters(tool)}
    properties = schema.get("properties")
    fields = list(properties.values()) if isinstance(properties, Mapping) else []
    if tool.strict and can_close(fields):
        found |= {"input_schema": closed(schema), "strict": True}
    else:
        found["input_schema"] = schema
    return found


def _add_format(body: dict[str, Any], wanted: Format, system: list[str]) -> None:
    """Natively where the schema can be closed; else in words."""
    if wanted.schema is None:
        system.append(_JSON)
    elif can_close(wanted.schema):
        config = body.setdefault("output_config", {})
        config["format"] = {"type": "json_schema", "schema": _described(wanted)}
    else:
        schema = encode(_described(wanted)).decode()
        system.append(f"{_JSON} It follows this JSON Schema:\n{schema}")


def _described(wanted: Format) -> dict[str, Any]:
    assert wanted.schema is not None, "only a schema is described"
    schema = closed(wanted.schema) if can_close(wanted.schema) else dict(wanted.schema)
    if wanted.description:
        schema.setdefault("description", wanted.description)
    return schema


def _stops(stop: tuple[str, ...]) -> list[str]:
    """Anthropic refuses a stop text of white space alone, and none of ours is left out."""
    if not all(text.strip() for text in stop):
        raise CannotCarry(
            "The model that answers cannot stop at white space alone: Claude refuses it. Leave it "
            "out of 'stop', or ask for another model.",
            param="stop",
        )
    return list(stop)

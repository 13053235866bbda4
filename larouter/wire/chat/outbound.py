"""Requests for a provider that speaks chat completions: the client's own, or a translated one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Conversation, Format, Tool, ToolChoice
from larouter.core.errors import BadRequest
from larouter.wire.chat.conversation import LOSSES
from larouter.wire.chat.messages import write_messages
from larouter.wire.losses import Loss, refuse_fields
from larouter.wire.opaque import unseal
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import encode
from larouter.wire.tools import description, offered, parameters

WIRE_LOSSES = (
    Loss("thinking_tokens", "left out", "thinking is asked for by effort, not by a budget"),
    Loss("shows_thinking", "left out", "a provider shows its thoughts or does not"),
    Loss("top_k", "left out", "OpenAI and DeepSeek do not know it; other servers are sent it"),
)

_PATH = "chat/completions"
_NO_THINKING = {"type": "disabled"}
_SAMPLING = frozenset({"temperature", "top_p"})
_LIMITS = frozenset({"max_tokens", "max_completion_tokens"})
"""Each provider has its own name for it (`Quirks.max_output`)."""
# What other formats and servers add to a message; a strict provider answers 400 to them.
_FOREIGN = frozenset(
    {"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "extra_content"}
    | {"provider_specific_fields"}
)


def pass_on(request: ChatRequest, call: Call) -> Sending:
    """As the client wrote it, but for the model's name, the fields of the provider's quirks, and a
    stream's usage, which we always need."""
    quirks = call.quirks
    body = _known_fields(request, call)
    body["model"] = call.name
    if request.max_output is not None:
        body[quirks.max_output] = request.max_output
    if request.stream:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    else:
        body.pop("stream_options", None)
    if _wants_other_messages(request, call):
        body["messages"] = [_message_for(message, call) for message in body["messages"]]
    if type(body.get("tool_choice")) is dict:
        body.update(_known_choice(body, call))
    if quirks.thinking and _demands_tool(body.get("tool_choice")):
        body.setdefault("thinking", _NO_THINKING)
    wanted = body.get("response_format")
    if not quirks.json_schema and wanted and wanted.get("type") == "json_schema":
        schema = wanted["json_schema"].get("schema", {})
        _add_format(body, Format(schema=schema), call)
    return Sending(_PATH, encode(body))


def _known_fields(request: ChatRequest, call: Call) -> dict[str, Any]:
    """Without what this server or model refuses. Raises `CannotCarry` where that would change
    what is answered: one answer for several, text for sound."""
    quirks, refused = call.quirks, call.refuses & _SAMPLING
    body = {
        key: value
        for key, value in request.body.items()
        if key not in quirks.never
        and (quirks.only is None or key in quirks.only)
        and key not in refused
        and key not in _LIMITS
    }
    if len(body) < len(request.body):
        lost = {key: value for key, value in request.body.items() if key not in body}
        refuse_fields(lost, LOSSES)
    return body


def _demands_tool(choice: Any) -> bool:
    """DeepSeek refuses that while it thinks."""
    return choice == "required" or isinstance(choice, dict)


def _wants_other_messages(request: ChatRequest, call: Call) -> bool:
    """Most requests pass without a change in any message."""
    for message in request.messages:
        if message.role == "developer" and not call.quirks.developer:
            return True
        if message.role == "assistant" and (call.quirks.strict or call.quirks.thinking):
            return True
    return any("reasoning_details" in message for message in request.body["messages"])


def _message_for(message: dict[str, Any], call: Call) -> dict[str, Any]:
    if message["role"] == "developer" and not call.quirks.developer:
        return {**message, "role": "system"}
    if message["role"] != "assistant":
        return message
    if call.quirks.strict:
        return _without_foreign(message)
    if "reasoning_details" in message:
        message = _with_own_thoughts(message)
    if call.quirks.thinking:
        return _with_thought(message, call)
    return message


def _with_own_thoughts(message: dict[str, Any]) -> dict[str, Any]:
    """Without what we sealed for its maker, another provider."""
    details = message["reasoning_details"]
    if not isinstance(details, list) or not any(map(_is_sealed, details)):
        return message
    kept = [detail for detail in details if not _is_sealed(detail)]
    rest = {key: value for key, value in message.items() if key != "reasoning_details"}
    return {**rest, "reasoning_details": kept} if kept else rest


def _is_sealed(detail: Any) -> bool:
    sealed = detail.get("signature") or detail.get("data") if isinstance(detail, dict) else None
    return isinstance(sealed, str) and unseal(sealed, "chat").maker != "chat"


def _without_foreign(message: dict[str, Any]) -> dict[str, Any]:
    calls = message.get("tool_calls")
    kept = {key: value for key, value in message.items() if key not in _FOREIGN}
    if isinstance(calls, list):
        kept["tool_calls"] = [
            {key: value for key, value in one.items() if key not in _FOREIGN}
            if isinstance(one, dict)
            else one
            for one in calls
        ]
    return kept


def _with_thought(message: dict[str, Any], call: Call) -> dict[str, Any]:
    """DeepSeek refuses a call of a tool that comes back without its `reasoning_content`; a client
    that lost it gets it back from us, and one of another model's calls has none."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list) or not calls or "reasoning_content" in message:
        return message
    ids = [one.get("id") for one in calls if isinstance(one, dict)]
    thought = next((text for id in ids if isinstance(id, str) and (text := call.recall(id))), "")
    return {**message, "reasoning_content": thought}


def _known_choice(body: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """`tool_choice`, where it is an object, and the tools in words that the server knows."""
    if body["tool_choice"].get("type") == "allowed_tools":
        return {} if call.quirks.custom_tools else _allowed_tools(body)
    return {} if call.quirks.named_tool else _only_tool(body)


def _allowed_tools(body: Mapping[str, Any]) -> dict[str, Any]:
    """Only OpenAI knows a choice among the tools: others are offered no more than these."""
    allowed = body["tool_choice"].get("allowed_tools")
    named = allowed.get("tools") if isinstance(allowed, dict) else None
    if not isinstance(named, list) or not all(isinstance(tool, dict) for tool in named):
        raise _unknown_tool()
    names = [_function_name(tool) for tool in named]
    tools = [tool for tool in body.get("tools") or () if _function_name(tool) in names]
    if not tools:
        raise _unknown_tool()
    mode = "required" if allowed.get("mode") == "required" else "auto"
    return {"tools": tools, "tool_choice": mode}


def _only_tool(body: Mapping[str, Any]) -> dict[str, Any]:
    """`tool_choice` by name in the words of a server that does not know names."""
    wanted = _function_name(body["tool_choice"])
    tools = [tool for tool in body.get("tools") or () if _function_name(tool) == wanted]
    if wanted is None or not tools:
        raise _unknown_tool()
    return {"tools": tools, "tool_choice": "required"}


def _unknown_tool() -> BadRequest:
    return BadRequest(
        "The field 'tool_choice' must be a function that is among the tools.",
        param="tool_choice",
        code="invalid_value",
    )


def _function_name(tool: Mapping[str, Any]) -> Any:
    function = tool.get("function")
    return function.get("name") if isinstance(function, dict) else None


def write(conversation: Conversation, call: Call) -> Sending:
    """A conversation of another dialect as a chat completion."""
    quirks = call.quirks
    body: dict[str, Any] = {"model": call.name, "messages": write_messages(conversation, call)}
    optional = {
        quirks.max_output: conversation.max_output,
        "temperature": conversation.temperature,
        "top_p": conversation.top_p,
        "top_k": conversation.top_k if quirks.top_k else None,
        "stop": list(conversation.stop) or None,
        "seed": conversation.seed,
        "presence_penalty": conversation.presence_penalty,
        "frequency_penalty": conversation.frequency_penalty,
        "reasoning_effort": conversation.effort,
        "user": conversation.user,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    _add_tools(body, conversation, call)
    if conversation.format is not None:
        _add_format(body, conversation.format, call)
    for name in call.refuses & _SAMPLING:
        body.pop(name, None)
    if call.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if quirks.only is not None or quirks.never:
        body = {
            key: value
            for key, value in body.items()
            if key not in quirks.never
            and (quirks.only is None or key in quirks.only or key == quirks.max_output)
        }
    return Sending(_PATH, encode(body))


def _add_tools(body: dict[str, Any], conversation: Conversation, call: Call) -> None:
    choice, tools = conversation.tool_choice, offered(conversation)
    if not tools:
        return
    if choice is not None:
        tools, body["tool_choice"] = _chosen(choice, tools, call)
    if call.quirks.thinking and _demands_tool(body.get("tool_choice")):
        body["thinking"] = _NO_THINKING
    body["tools"] = [_tool(tool, call) for tool in tools]
    if conversation.parallel_tools is not None:
        body["parallel_tool_calls"] = conversation.parallel_tools


def _chosen(
    choice: ToolChoice, tools: tuple[Tool, ...], call: Call
) -> tuple[tuple[Tool, ...], Any]:
    """What is offered, and `tool_choice`."""
    if choice.mode != "named":
        return tools, choice.mode
    named = tuple(tool for tool in tools if tool.name == choice.name)
    if not named:
        raise _unknown_tool()
    if not call.quirks.named_tool:
        return named, "required"
    kind = "custom" if _is_custom(named[0], call) else "function"
    return tools, {"type": kind, kind: {"name": choice.name}}


def _is_custom(tool: Tool, call: Call) -> bool:
    return tool.custom is not None and call.quirks.custom_tools


def _tool(tool: Tool, call: Call) -> dict[str, Any]:
    if _is_custom(tool, call):
        form = _grammar(tool.custom or {})
        custom = {"name": tool.name, "description": tool.description, "format": form}
        return {"type": "custom", "custom": {key: val for key, val in custom.items() if val}}
    function: dict[str, Any] = {"name": tool.name}
    if text := description(tool):
        function["description"] = text
    function["parameters"] = parameters(tool)
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _grammar(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Here a grammar stands in an object of its own; a `Tool` holds it as Responses says it."""
    if form.get("type") != "grammar":
        return form
    return {"type": "grammar", "grammar": {key: form[key] for key in form if key != "type"}}


def _add_format(body: dict[str, Any], wanted: Format, call: Call) -> None:
    if wanted.schema is None:
        # OpenAI and DeepSeek refuse this form unless the messages speak of JSON.
        body["response_format"] = {"type": "json_object"}
        body["messages"] = _instructed(body["messages"], "Answer with a JSON object.")
    elif call.quirks.json_schema:
        said: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema}
        if wanted.description:
            said["description"] = wanted.description
        if wanted.strict is not None:
            said["strict"] = wanted.strict
        body["response_format"] = {"type": "json_schema", "json_schema": said}
    else:
        body["response_format"] = {"type": "json_object"}
        asked = "Answer with JSON that follows this JSON Schema:\n" + encode(wanted.schema).decode()
        body["messages"] = _instructed(body["messages"], asked)


def _instructed(messages: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """With one more instruction; templates of local models know only one system message."""
    first = messages[0] if messages else {}
    if first.get("role") != "system" or not isinstance(first["content"], str):
        return [{"role": "system", "content": text}, *messages]
    return [{**first, "content": f"{first['content']}\n\n{text}"}, *messages[1:]]

"""Requests for OpenAI's Responses: the client's own, or a translated one.

OpenAI keeps nothing for us (`store` is false): history is ours, so thoughts travel encrypted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import (
    Conversation,
    Format,
    Media,
    Part,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.wire.losses import Loss
from larouter.wire.opaque import own, unseal
from larouter.wire.responses.request import kind, listed
from larouter.wire.road import Call, Sending
from larouter.wire.strict_json import encode
from larouter.wire.tools import TAKES_NOTHING

WIRE_LOSSES = (
    Loss("stop", "refused", "OpenAI's Responses do not know stop texts"),
    Loss("audio", "refused", "OpenAI's Responses do not take sound"),
    Loss("top_k", "left out", "OpenAI does not know it"),
    Loss("seed", "left out", "OpenAI's Responses do not know it; it was never a promise"),
    Loss("presence_penalty", "left out", "OpenAI's Responses do not know it"),
    Loss("frequency_penalty", "left out", "OpenAI's Responses do not know it"),
)

_PATH = "responses"
_ENCRYPTED = "reasoning.encrypted_content"
_THOUGHTLESS = ("gpt-3.5", "gpt-4", "chatgpt-4", "gpt-5-chat")
"""Families that answer 400 to a request for encrypted thoughts; no new model joins them."""
_MAKERS = frozenset({"chat", "responses"})
"""By both of its formats OpenAI knows the same files."""
_LONGEST_ID = 64
_LEAST_OUTPUT = 16
"""OpenAI refuses a smaller `max_output_tokens`."""
# A budget of thinking tokens as effort: up to so many are that much.
_EFFORTS = ((1024, "minimal"), (4096, "low"), (16_384, "medium"))
_HEADERS = frozenset({"openai-beta"})


def pass_on(request: ChatRequest, call: Call) -> Sending:
    """The client's own request, without what only we can know: stored history, other makers'
    thoughts."""
    body = {**request.body, "model": call.name, "store": False}
    body.pop("previous_response_id", None)
    if request.max_output is not None:
        body["max_output_tokens"] = request.max_output
    for name in call.refuses & {"temperature", "top_p"}:
        body.pop(name, None)
    carried = _carried(request)
    if carried is not None:
        body["input"] = carried
    include = body.get("include") or []
    if request.body.get("store") is not False and _thinks(call) and _ENCRYPTED not in include:
        body["include"] = [*include, _ENCRYPTED]
    headers = tuple((name, text) for name, text in request.headers.items() if name in _HEADERS)
    return Sending(_PATH, encode(body), headers)


def _carried(request: ChatRequest) -> list[dict[str, Any]] | None:
    """The items that OpenAI can read; None if that is the input as it came."""
    items = listed(request.body.get("input"))
    kept = [item for item in items if kind(item) != "reasoning" or _is_readable(item)]
    if len(kept) == len(items) and request.body.get("previous_response_id") is None:
        return None
    # An id makes OpenAI look for the thought that belongs to the item, which may be left out.
    return [{key: value for key, value in item.items() if key != "id"} for item in kept]


def _is_readable(item: Mapping[str, Any]) -> bool:
    """OpenAI finds a thought by what is encrypted in it, as it has stored none for us."""
    sealed = item.get("encrypted_content")
    return isinstance(sealed, str) and unseal(sealed, "responses").maker == "responses"


def _thinks(call: Call) -> bool:
    return not call.name.startswith(_THOUGHTLESS)


def write(conversation: Conversation, call: Call) -> Sending:
    """A conversation of another dialect."""
    body: dict[str, Any] = {"model": call.name, "input": list(_items(conversation)), "store": False}
    optional = {
        "instructions": _instructions(conversation),
        "max_output_tokens": _limit(conversation.max_output),
        "temperature": conversation.temperature,
        "top_p": conversation.top_p,
        "reasoning": _reasoning(conversation, call),
        "text": _text(conversation.format),
        "user": conversation.user,
        "include": [_ENCRYPTED] if _thinks(call) else None,
        "stream": call.stream or None,
        **_tools(conversation, call),
    }
    for name in call.refuses & {"temperature", "top_p"}:
        optional[name] = None
    body |= {name: value for name, value in optional.items() if value is not None}
    return Sending(_PATH, encode(body))


def _limit(most: int | None) -> int | None:
    return None if most is None else max(most, _LEAST_OUTPUT)


def _reasoning(conversation: Conversation, call: Call) -> dict[str, Any] | None:
    effort = conversation.effort
    if effort is None and conversation.thinking_tokens is not None:
        spare = (word for most, word in _EFFORTS if conversation.thinking_tokens <= most)
        effort = next(spare, "high")
    reasoning: dict[str, Any] = {}
    if effort is not None and not (effort == "none" and "thinking_off" in call.refuses):
        reasoning["effort"] = effort
    if conversation.shows_thinking:
        reasoning["summary"] = "auto"
    return reasoning or None


def _text(wanted: Format | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    if wanted.schema is None:
        return {"format": {"type": "json_object"}}
    said: dict[str, Any] = {
        "type": "json_schema",
        "name": wanted.name,
        "schema": wanted.schema,
        # What is not said is strict here, and was not where the client said it.
        "strict": bool(wanted.strict),
    }
    if wanted.description:
        said["description"] = wanted.description
    return {"format": said}


def _tools(conversation: Conversation, call: Call) -> dict[str, Any]:
    if not conversation.tools:
        return {}
    return {
        "tools": [_tool(tool) for tool in conversation.tools],
        "tool_choice": _choice(conversation, conversation.tool_choice, call),
        "parallel_tool_calls": conversation.parallel_tools,
    }


def _tool(tool: Tool) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description:
        said["description"] = tool.description
    if tool.custom is not None:
        said["type"] = "custom"
        if tool.custom:
            said["format"] = tool.custom
        return said
    closed = {"additionalProperties": False, "required": []} if tool.strict else {}
    parameters = tool.parameters or {**TAKES_NOTHING, **closed}
    return {**said, "parameters": parameters, "strict": bool(tool.strict)}


def _choice(conversation: Conversation, choice: ToolChoice | None, call: Call) -> Any:
    if choice is None:
        return None
    kinds = {
        tool.name: "custom" if tool.custom is not None else "function"
        for tool in conversation.tools
    }
    mode = choice.mode
    if mode in {"required", "named"} and "forced_tools" in call.refuses:
        mode = "auto"
    if mode == "named":
        return {"type": kinds.get(str(choice.name), "function"), "name": choice.name}
    if choice.among is not None and mode != "none":
        allowed = [{"type": kinds.get(name, "function"), "name": name} for name in choice.among]
        return {"type": "allowed_tools", "mode": mode, "tools": allowed}
    return mode


def _instructions(conversation: Conversation) -> str | None:
    """What the system says first; what it says later is a message in its place."""
    first = conversation.turns[0] if conversation.turns else None
    if first is None or first.role != "system" or _wants_any_json(conversation):
        return None
    return _joined(first.parts)


def _wants_any_json(conversation: Conversation) -> bool:
    """Then OpenAI looks for the word JSON, and only in the messages."""
    return conversation.format is not None and conversation.format.schema is None


def _joined(parts: Iterable[Part]) -> str:
    return "\n\n".join(part.text for part in parts if isinstance(part, Text) and part.text)


def _items(conversation: Conversation) -> Iterator[dict[str, Any]]:
    custom = {
        part.id
        for turn in conversation.turns
        for part in turn.parts
        if isinstance(part, ToolCall) and part.custom
    }
    if _wants_any_json(conversation):
        yield _developers("Answer with a JSON object.")
    for index, turn in enumerate(conversation.turns):
        if turn.role != "system":
            yield from _said(turn, custom)
        elif index or _wants_any_json(conversation):
            yield _developers(_joined(turn.parts))


def _developers(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "developer", "content": content}


def _said(turn: Turn, custom: set[str]) -> Iterator[dict[str, Any]]:
    """A turn's items. Words and pictures in a row are one message."""
    message: dict[str, Any] = {}
    for part in turn.parts:
        role = _role(turn, part)
        if message and message["role"] != role:
            yield message
            message = {}
        if isinstance(part, Text | Media):
            message = message or {"type": "message", "role": role, "content": []}
            message["content"].append(_content(part, str(role)))
        elif (item := _item(part, custom)) is not None:
            yield item
    if message:
        yield message


def _role(turn: Turn, part: Part) -> str | None:
    """Who says it, if it is said. A picture that a model made is shown to the next one."""
    if isinstance(part, Text):
        return turn.role
    return "user" if isinstance(part, Media) else None


def _item(part: Thinking | ToolCall | ToolResult, custom: set[str]) -> dict[str, Any] | None:
    if isinstance(part, Thinking):
        return _thought(part)
    if isinstance(part, ToolCall):
        said = {"call_id": _call_id(part.id), "name": part.name}
        if part.custom:
            return {"type": "custom_tool_call", **said, "input": part.arguments}
        return {"type": "function_call", **said, "arguments": part.arguments or "{}"}
    return {
        "type": "custom_tool_call_output" if part.call_id in custom else "function_call_output",
        "call_id": _call_id(part.call_id),
        "output": _output(part),
    }


def _thought(part: Thinking) -> dict[str, Any] | None:
    """Another maker's thoughts mean nothing here."""
    sealed = own(part.opaque, "responses")
    if sealed is None:
        return None
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    item = {"type": "reasoning", "summary": summary, "encrypted_content": sealed}
    return {**item, "id": part.id} if part.id else item


def _call_id(id: str) -> str:
    """Other makers' ids may be longer than OpenAI allows."""
    if len(id) <= _LONGEST_ID:
        return id
    return "call_" + hashlib.sha256(id.encode()).hexdigest()[:40]


def _output(result: ToolResult) -> str | list[dict[str, Any]]:
    if any(isinstance(part, Media) for part in result.parts):
        failed = (Text(text="Error:"),) if result.is_error else ()
        return [_content(part, "user") for part in (*failed, *result.parts)]
    text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    return f"Error: {text}" if result.is_error else text


def _content(part: Text | Media, role: str) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}
    if part.file_id is not None:
        if part.maker not in _MAKERS:
            raise _cannot("a file that another provider keeps")
        return _medium(part, {"file_id": part.file_id})
    if part.kind == "images":
        return _medium(part, {"image_url": _address(part)})
    if part.kind == "files" and part.url is not None:
        return _medium(part, {"file_url": part.url})
    if part.kind == "files":
        return _medium(part, {"filename": part.name or "file", "file_data": _address(part)})
    raise _cannot("sound")


def _medium(part: Media, where: dict[str, Any]) -> dict[str, Any]:
    if part.kind == "images":
        return {"type": "input_image", "detail": part.detail or "auto", **where}
    return {"type": "input_file", **where}


def _address(part: Media) -> str:
    return part.url or f"data:{part.mime};base64,{part.data}"


def _cannot(what: str) -> CannotCarry:
    return CannotCarry(f"The model that answers cannot be given {what}.", param="messages")

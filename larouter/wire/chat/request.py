"""OpenAI chat completions. Clients speak it to us; we speak it to OpenAI, DeepSeek and engines.

Reading checks the fields that we interpret and keeps the rest untouched: a provider that owns
the dialect gets what the client wrote. Source: OpenAI API reference, "Create chat completion".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import BadRequest
from larouter.wire.checks import (
    Check,
    is_bool,
    is_integer,
    is_messages,
    is_name,
    is_number,
    is_object,
)
from larouter.wire.fields import MEDIUM_COUNTS, steers, wrong
from larouter.wire.strict_json import MAX_INTEGER, decode_object

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_MEDIA = frozenset({"images", "audio", "files"})
_PART_NEEDS = {"image_url": "images", "input_audio": "audio", "file": "files"}
# Of a chat template's variables only these may pass (TRUST S9).
_TEMPLATE_VARIABLES = frozenset({"enable_thinking", "reasoning_effort"})


def read_request(
    body: bytes, *, tier: str | None = None, rid: str | None = None, model: str | None = None
) -> ChatRequest:
    """Read a request's JSON; raises `BadRequest` naming the field. `model` is the default."""
    given = decode_object(body)
    if model is not None:
        given.setdefault("model", model)
    for name, value in given.items():
        check = _CHECKS.get(name)
        if check is not None and value is not None:
            check(name, value)
    for name in ("model", "messages"):
        if given.get(name) is None:
            raise BadRequest(f"The field '{name}' is missing.", param=name, code="missing_field")
    needs: set[str] = set()
    messages = tuple(
        _message(index, message, needs) for index, message in enumerate(given["messages"])
    )
    _add_needs(given, needs)
    options = given.get("stream_options") or {}
    return ChatRequest(
        model=given["model"],
        messages=messages,
        body=_kept(given),
        size=len(body) - (_media_size(given["messages"]) if needs & _MEDIA else 0),
        max_output=given.get("max_completion_tokens") or given.get("max_tokens"),
        n=given.get("n") or 1,
        stream=bool(given.get("stream")),
        wants_usage=bool(options.get("include_usage")),
        needs=frozenset(needs),
        answers=_answers(given["messages"]),
        tier=tier,
        rid=rid,
    )


def _answers(messages: list[Any]) -> tuple[str, ...]:
    """The calls of tools whose results end the conversation."""
    ids = []
    for message in reversed(messages):
        if message["role"] != "tool":
            break
        ids.append(str(message.get("tool_call_id")))
    return tuple(ids)


def _media_size(messages: list[Any]) -> int:
    """How many bytes of the body are pictures, sound and files beyond what they may cost.

    Their base64 is no text: a picture of 5 MB is a few thousand tokens, not a million.
    """
    parts = [
        part for message in messages for part in _parts(message) if part["type"] in _PART_NEEDS
    ]
    sizes = [
        sum(len(value) for value in part[part["type"]].values() if type(value) is str)
        for part in parts
    ]
    return sum(max(0, size - MEDIUM_COUNTS) for size in sizes)


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return content if type(content) is list else []


def _kept(given: dict[str, Any]) -> dict[str, Any]:
    """Drop the fields that never steer us (TRUST S8); usually there are none."""
    if given.get("chat_template") is not None:
        raise BadRequest("A chat template cannot be given.", param="chat_template")
    dropped = [name for name in given if steers(name)]
    variables = given.get("chat_template_kwargs")
    if not dropped and variables is None:
        return given
    kept = {name: value for name, value in given.items() if name not in dropped}
    if variables is not None:
        if not isinstance(variables, dict):
            raise wrong("chat_template_kwargs", "an object")
        kept["chat_template_kwargs"] = {
            name: value for name, value in variables.items() if name in _TEMPLATE_VARIABLES
        }
    return kept


def _add_needs(given: Mapping[str, Any], needs: set[str]) -> None:
    if given.get("tools") or given.get("functions"):
        needs.add("tools")
    if given.get("logprobs"):
        needs.add("logprobs")
    if (given.get("response_format") or {}).get("type") == "json_schema":
        needs.add("json_schema")


def _message(index: int, message: Any, needs: set[str]) -> Message:
    if type(message) is not dict:
        raise wrong(f"messages[{index}]", "an object")
    role = message.get("role")
    if type(role) is not str or role not in _ROLES:
        raise wrong(f"messages[{index}].role", f"one of {', '.join(sorted(_ROLES))}")
    content = message.get("content")
    if type(content) is str:
        return Message(role, content)
    if content is None:
        if role != "assistant":
            raise wrong(f"messages[{index}].content", "a string or a list of parts")
        return Message(role, "")
    if type(content) is not list:
        raise wrong(f"messages[{index}].content", "a string or a list of parts")
    return Message(role, "\n".join(_texts(f"messages[{index}].content", content, needs)))


def _texts(name: str, parts: list[Any], needs: set[str]) -> list[str]:
    texts = []
    for place, part in enumerate(parts):
        kind = part.get("type") if type(part) is dict else None
        if type(kind) is not str:
            raise wrong(f"{name}[{place}]", "an object with a 'type'")
        if kind in _PART_NEEDS:
            needs.add(_PART_NEEDS[kind])
            if type(part.get(kind)) is not dict:
                raise wrong(f"{name}[{place}].{kind}", "an object")
        elif kind == "text":
            if type(part.get("text")) is not str:
                raise wrong(f"{name}[{place}].text", "a string")
            texts.append(part["text"])
    return texts


def _is_stop(name: str, value: Any) -> None:
    if type(value) is str:
        return
    if type(value) is not list or any(type(item) is not str for item in value):
        raise wrong(name, "a string or a list of strings")


def _is_tools(name: str, value: Any) -> None:
    if type(value) is not list:
        raise wrong(name, "a list")
    for index, tool in enumerate(value):
        if type(tool) is not dict or type(tool.get("type")) is not str:
            raise wrong(f"{name}[{index}]", "an object with a 'type'")
        if tool["type"] == "function":
            function = tool.get("function")
            if type(function) is not dict or not isinstance(function.get("name"), str):
                raise wrong(f"{name}[{index}].function", "an object with a 'name'")
            is_name(f"{name}[{index}].function.name", function["name"])


def _is_tool_choice(name: str, value: Any) -> None:
    if type(value) is str:
        if value not in {"auto", "none", "required"}:
            raise wrong(name, "'auto', 'none', 'required' or an object")
        return
    is_object(name, value)


def _is_response_format(name: str, value: Any) -> None:
    is_object(name, value)
    kind = value.get("type")
    if kind not in ("text", "json_object", "json_schema"):
        raise wrong(f"{name}.type", "'text', 'json_object' or 'json_schema'")
    schema = value.get("json_schema")
    if kind == "json_schema" and (type(schema) is not dict or not schema):
        raise wrong(f"{name}.json_schema", "an object with a 'schema'")


def _is_stream_options(name: str, value: Any) -> None:
    is_object(name, value)
    if value.get("include_usage") is not None:
        is_bool(f"{name}.include_usage", value["include_usage"])


_CHECKS: dict[str, Check] = {
    "model": is_name,
    "messages": is_messages,
    "stream": is_bool,
    "stream_options": _is_stream_options,
    "n": is_integer(1, 128),
    "max_tokens": is_integer(1, MAX_INTEGER),
    "max_completion_tokens": is_integer(1, MAX_INTEGER),
    "temperature": is_number(0, 2),
    "top_p": is_number(0, 1),
    "presence_penalty": is_number(-2, 2),
    "frequency_penalty": is_number(-2, 2),
    "seed": is_integer(-MAX_INTEGER, MAX_INTEGER),
    "stop": _is_stop,
    "logprobs": is_bool,
    "top_logprobs": is_integer(0, 20),
    "tools": _is_tools,
    "tool_choice": _is_tool_choice,
    "parallel_tool_calls": is_bool,
    "response_format": _is_response_format,
}

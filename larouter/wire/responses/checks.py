"""What a field of a Responses request, or an item of its input, must look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from larouter.wire.checks import (
    Check,
    is_bool,
    is_integer,
    is_name,
    is_number,
    is_object,
    is_text,
    is_texts,
)
from larouter.wire.fields import wrong
from larouter.wire.strict_json import MAX_INTEGER

ROLES = frozenset({"system", "developer", "user", "assistant"})
RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})
_PARTS = {"input_text": "text", "output_text": "text", "refusal": "refusal"}


def check_item(name: str, kind: str, item: Mapping[str, Any]) -> None:
    """Items of kinds that we do not know are OpenAI's to judge."""
    check = _ITEMS.get(kind)
    if check is not None:
        check(name, item)


def _check_message(name: str, item: Mapping[str, Any]) -> None:
    role = item.get("role")
    if type(role) is not str or role not in ROLES:
        raise wrong(f"{name}.role", f"one of {', '.join(sorted(ROLES))}")
    _check_content(f"{name}.content", item.get("content"))


def _check_thought(name: str, item: Mapping[str, Any]) -> None:
    for field in ("summary", "content"):
        if item.get(field) is not None and type(item[field]) is not list:
            raise wrong(f"{name}.{field}", "a list of parts")


def _check_call(name: str, item: Mapping[str, Any]) -> None:
    for field in ("call_id", "name", "input" if item["type"] == _CUSTOM else "arguments"):
        is_text(f"{name}.{field}", item.get(field))


def _check_result(name: str, item: Mapping[str, Any]) -> None:
    is_text(f"{name}.call_id", item.get("call_id"))
    _check_content(f"{name}.output", item.get("output"))


def _check_added_tools(name: str, item: Mapping[str, Any]) -> None:
    _is_tools(f"{name}.tools", item.get("tools") or [])


_CUSTOM = "custom_tool_call"
_ITEMS: Mapping[str, Callable[[str, Mapping[str, Any]], None]] = {
    "message": _check_message,
    "reasoning": _check_thought,
    "function_call": _check_call,
    _CUSTOM: _check_call,
    **dict.fromkeys(RESULTS, _check_result),
    "additional_tools": _check_added_tools,
    "tool_search_output": _check_added_tools,
}


def _check_content(name: str, content: Any) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise wrong(name, "a string or a list of parts")
    for place, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str):
            raise wrong(f"{name}[{place}]", "an object with a 'type'")
        if kind in _PARTS:
            is_text(f"{name}[{place}].{_PARTS[kind]}", part.get(_PARTS[kind]))
        elif kind == "input_audio":
            is_object(f"{name}[{place}].input_audio", part.get("input_audio"))


def _is_input(name: str, value: Any) -> None:
    if isinstance(value, str):
        return
    if type(value) is not list or not value:
        raise wrong(name, "text, or a list with at least one item")
    for index, item in enumerate(value):
        is_object(f"{name}[{index}]", item)
        if item.get("type") is not None:
            is_text(f"{name}[{index}].type", item["type"])


def _is_tools(name: str, value: Any) -> None:
    if type(value) is not list:
        raise wrong(name, "a list")
    for index, tool in enumerate(value):
        if type(tool) is not dict or type(tool.get("type")) is not str:
            raise wrong(f"{name}[{index}]", "an object with a 'type'")
        _check_tool(f"{name}[{index}]", tool)


def _check_tool(name: str, tool: Mapping[str, Any]) -> None:
    """Only functions, tools of plain text and namespaces have names; OpenAI's own have none."""
    if tool["type"] in {"function", "custom", "namespace"}:
        is_name(f"{name}.name", tool.get("name"))
    if tool["type"] == "namespace":
        _is_tools(f"{name}.tools", tool.get("tools") or [])
    if tool.get("parameters") is not None:
        is_object(f"{name}.parameters", tool["parameters"])


def _is_tool_choice(name: str, value: Any) -> None:
    if type(value) is str:
        if value not in {"auto", "none", "required"}:
            raise wrong(name, "'auto', 'none', 'required' or an object")
        return
    is_object(name, value)
    is_text(f"{name}.type", value.get("type"))
    if value["type"] in {"function", "custom"}:
        is_name(f"{name}.name", value.get("name"))
    elif value["type"] == "allowed_tools":
        _is_tools(f"{name}.tools", value.get("tools"))


def _is_text_config(name: str, value: Any) -> None:
    is_object(name, value)
    given = value.get("format")
    if given is None:
        return
    is_object(f"{name}.format", given)
    if given.get("type") not in ("text", "json_object", "json_schema"):
        raise wrong(f"{name}.format.type", "'text', 'json_object' or 'json_schema'")
    if given["type"] == "json_schema":
        is_object(f"{name}.format.schema", given.get("schema"))
        is_name(f"{name}.format.name", given.get("name"))


CHECKS: dict[str, Check] = {
    "model": is_name,
    "input": _is_input,
    "instructions": is_text,
    "previous_response_id": is_name,
    "stream": is_bool,
    "store": is_bool,
    "background": is_bool,
    "include": is_texts,
    "max_output_tokens": is_integer(1, MAX_INTEGER),
    "temperature": is_number(0, 2),
    "top_p": is_number(0, 1),
    "top_logprobs": is_integer(0, 20),
    "tools": _is_tools,
    "tool_choice": _is_tool_choice,
    "parallel_tool_calls": is_bool,
    "text": _is_text_config,
    "reasoning": is_object,
    "metadata": is_object,
    "stream_options": is_object,
}

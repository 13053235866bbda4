"""What a field of a Responses request, or an item of its input, must look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
        _is_text(f"{name}.{field}", item.get(field))


def _check_result(name: str, item: Mapping[str, Any]) -> None:
    _is_text(f"{name}.call_id", item.get("call_id"))
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
            _is_text(f"{name}[{place}].{_PARTS[kind]}", part.get(_PARTS[kind]))
        elif kind == "input_audio":
            _is_object(f"{name}[{place}].input_audio", part.get("input_audio"))


def _is_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise wrong(name, "a string")


def _is_identifier(name: str, value: Any) -> None:
    if type(value) is not str or not value or len(value) > 256 or not value.isprintable():
        raise wrong(name, "a name of 1 to 256 characters, without control characters")


def _is_bool(name: str, value: Any) -> None:
    if type(value) is not bool:
        raise wrong(name, "true or false")


def _is_object(name: str, value: Any) -> None:
    if type(value) is not dict:
        raise wrong(name, "an object")


def _is_integer(low: int, high: int) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if type(value) is not int or not low <= value <= high:
            raise wrong(name, f"a whole number from {low} to {high}")

    return check


def _is_number(low: float, high: float) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if type(value) not in (int, float) or not low <= value <= high:
            raise wrong(name, f"a number from {low} to {high}")

    return check


def _is_input(name: str, value: Any) -> None:
    if isinstance(value, str):
        return
    if type(value) is not list or not value:
        raise wrong(name, "text, or a list with at least one item")
    for index, item in enumerate(value):
        _is_object(f"{name}[{index}]", item)
        if item.get("type") is not None:
            _is_text(f"{name}[{index}].type", item["type"])


def _is_texts(name: str, value: Any) -> None:
    if type(value) is not list or any(type(item) is not str for item in value):
        raise wrong(name, "a list of strings")


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
        _is_identifier(f"{name}.name", tool.get("name"))
    if tool["type"] == "namespace":
        _is_tools(f"{name}.tools", tool.get("tools") or [])
    if tool.get("parameters") is not None:
        _is_object(f"{name}.parameters", tool["parameters"])


def _is_tool_choice(name: str, value: Any) -> None:
    if type(value) is str:
        if value not in {"auto", "none", "required"}:
            raise wrong(name, "'auto', 'none', 'required' or an object")
        return
    _is_object(name, value)
    _is_text(f"{name}.type", value.get("type"))
    if value["type"] in {"function", "custom"}:
        _is_identifier(f"{name}.name", value.get("name"))
    elif value["type"] == "allowed_tools":
        _is_tools(f"{name}.tools", value.get("tools"))


def _is_text_config(name: str, value: Any) -> None:
    _is_object(name, value)
    given = value.get("format")
    if given is None:
        return
    _is_object(f"{name}.format", given)
    if given.get("type") not in ("text", "json_object", "json_schema"):
        raise wrong(f"{name}.format.type", "'text', 'json_object' or 'json_schema'")
    if given["type"] == "json_schema":
        _is_object(f"{name}.format.schema", given.get("schema"))
        _is_identifier(f"{name}.format.name", given.get("name"))


CHECKS: dict[str, Callable[[str, Any], None]] = {
    "model": _is_identifier,
    "input": _is_input,
    "instructions": _is_text,
    "previous_response_id": _is_identifier,
    "stream": _is_bool,
    "store": _is_bool,
    "background": _is_bool,
    "include": _is_texts,
    "max_output_tokens": _is_integer(1, MAX_INTEGER),
    "temperature": _is_number(0, 2),
    "top_p": _is_number(0, 1),
    "top_logprobs": _is_integer(0, 20),
    "tools": _is_tools,
    "tool_choice": _is_tool_choice,
    "parallel_tool_calls": _is_bool,
    "text": _is_text_config,
    "reasoning": _is_object,
    "metadata": _is_object,
    "stream_options": _is_object,
}

"""What OpenAI refuses on /v1/responses."""

from __future__ import annotations

from typing import Any

from tests.clouds import openai_chat_rules
from tests.clouds import openai_errors as errors
from tests.clouds.openai_errors import known, one_of, refusal, required, typed
from tests.clouds.signatures import Signatures

# `client_metadata` is in no reference; Codex sends it with a key of api.openai.com too.
FIELDS = {
    "access_programs", "background", "background_options", "client_metadata", "context_management",
    "conversation", "image", "include", "input", "instructions", "max_output_tokens",
    "max_tool_calls", "metadata", "model", "moderation", "parallel_tool_calls",
    "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store", "stream",
    "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p",
    "truncation", "user",
}  # fmt: skip
_MOVED = {
    "response_format": "text.format",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "messages": "input",
}
_CALL = {"type", "id", "call_id", "name", "status", "caller", "async", "namespace"}
_OUTPUT = {"type", "id", "call_id", "output", "status", "caller"}
_ITEMS: dict[str, set[str]] = {
    "message": {"type", "id", "role", "content", "status", "phase"},
    "function_call": {*_CALL, "arguments"},
    "function_call_output": {*_OUTPUT, "name", "namespace"},
    "custom_tool_call": {*_CALL, "input"},
    "custom_tool_call_output": _OUTPUT,
    "reasoning": {"type", "id", "summary", "content", "encrypted_content", "status"},
    "item_reference": {"type", "id"},
    "additional_tools": {"type", "id", "role", "tools"},
}
_NEEDED = {
    "message": ("role", "content"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "reasoning": ("summary",),
    "item_reference": ("id",),
    "additional_tools": ("role", "tools"),
}
_PREFIX = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs"}
_HOSTED = (
    "web_search", "file_search", "code_interpreter", "mcp", "computer", "image_generation",
    "shell", "local_shell", "apply_patch", "tool_search", "programmatic_tool_calling",
)  # fmt: skip
_PARTS = {
    "input_text": {"type", "text", "prompt_cache_breakpoint"},
    "input_image": {"type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"},
    "input_file": {
        "type", "file_id", "file_data", "file_url", "filename", "detail", "prompt_cache_breakpoint",
    },
    "output_text": {"type", "text", "annotations", "logprobs"},
    "refusal": {"type", "refusal"},
}  # fmt: skip
_TOOL = {
    "function": {
        "type", "name", "description", "parameters", "strict", "allowed_callers", "async",
        "defer_loading", "output_schema",
    },
    "custom": {
        "type", "name", "description", "format", "allowed_callers", "async", "defer_loading",
    },
    "namespace": {"type", "name", "description", "tools"},
}  # fmt: skip
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_FIXED = {"temperature": 1, "top_p": 1}
_UNVERIFIED = "could not be verified. Reason: Encrypted content could not be decrypted or parsed."


def check(body: dict[str, Any]) -> None:
    """The fields of the request itself; its input is checked with what came before it."""
    for name in body:
        if name in _MOVED and name not in FIELDS:
            message = f"Unsupported parameter: '{name}'. In the Responses API, this parameter has "
            message += f"moved to '{_MOVED[name]}'. Try again with the new parameter."
            raise refusal(message, name, "unsupported_parameter")
    known(body, FIELDS)
    required(body, ["model"])
    if not {"input", "previous_response_id", "conversation", "prompt"} & set(body):
        message = "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation_id' must"
        raise refusal(f"{message} be provided.", "input", "missing_required_parameter")
    errors.within(body.get("temperature"), 0, 2, "temperature")
    errors.within(body.get("top_p"), 0, 1, "top_p")
    errors.at_least(body.get("max_output_tokens"), 16, "max_output_tokens")
    if body.get("instructions") is not None:
        typed(body["instructions"], str, "instructions", "a string")
    _tools(body.get("tools"), "tools")
    _choice(body)
    _text(body.get("text") or {}, body)
    _reasoning(body)


def _tools(tools: Any, where: str) -> None:
    for index, tool in enumerate(tools or ()):
        at = f"{where}[{index}]"
        required(tool, ["type"], at)
        if tool["type"] == "namespace":
            required(tool, ["name", "description", "tools"], at)
            known(tool, _TOOL["namespace"], at)
            for number, inner in enumerate(tool["tools"]):
                _tool(inner, f"{at}.tools[{number}]", ())
        else:
            _tool(tool, at, _HOSTED)


def _tool(tool: dict[str, Any], at: str, hosted: tuple[str, ...]) -> None:
    required(tool, ["type"], at)
    if tool["type"] == "function":
        errors.function(tool, _TOOL["function"], at)
    elif tool["type"] == "custom":
        required(tool, ["name"], at)
        known(tool, _TOOL["custom"], at)
    elif not hosted or not tool["type"].startswith(hosted):
        one_of(tool["type"], ("function", "custom", *hosted), f"{at}.type")


def _choice(body: dict[str, Any]) -> None:
    choice = body.get("tool_choice")
    if isinstance(choice, str):
        one_of(choice, ("none", "auto", "required"), "tool_choice")
    if not isinstance(choice, dict) or choice.get("type") != "function":
        return
    required(choice, ["name"], "tool_choice")
    known(choice, {"type", "name"}, "tool_choice")
    if choice["name"] not in [tool.get("name") for tool in body.get("tools") or ()]:
        message = "Tool choice 'function' not found in 'tools' parameter."
        raise refusal(message, "tool_choice")


def _text(text: dict[str, Any], body: dict[str, Any]) -> None:
    known(text, {"format", "verbosity"}, "text")
    wanted = text.get("format")
    if wanted is None:
        return
    required(wanted, ["type"], "text.format")
    one_of(wanted["type"], ("json_object", "json_schema", "text"), "text.format.type")
    if wanted["type"] == "json_schema":
        required(wanted, ["name", "schema"], "text.format")
        openai_chat_rules.json_schema(wanted, "text.format", "text.format.schema")
    elif wanted["type"] == "json_object" and not openai_chat_rules.mentions_json(body.get("input")):
        message = "Response input messages must contain the word 'json' in some form to use "
        raise refusal(f"{message}'text.format' of type 'json_object'.", "input")


def _reasoning(body: dict[str, Any]) -> None:
    reasoning = body.get("reasoning") or {}
    fields = {"effort", "summary", "generate_summary", "context", "mode"}
    known(reasoning, fields, "reasoning")
    is_reasoner = bool(errors.generation(str(body["model"])))
    effort = reasoning.get("effort")
    if effort is not None:
        one_of(effort, _EFFORTS, "reasoning.effort")
        if not is_reasoner:
            message = "Unsupported parameter: 'reasoning.effort' is not supported with this model."
            raise refusal(message, "reasoning.effort", "unsupported_parameter")
    if not is_reasoner and "reasoning.encrypted_content" in (body.get("include") or ()):
        raise refusal("Encrypted content is not supported with this model.", "include")
    if is_reasoner and effort != "none":
        errors.sampling(body, _FIXED)


def items(given: Any, signatures: Signatures, stored: dict[str, Any]) -> list[dict[str, Any]]:
    """The input as items, each with its type; raise for the first that is not one."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    typed(given, list, "input", "one of a string or array of input items")
    for index, item in enumerate(given):
        at = f"input[{index}]"
        typed(item, dict, at, "an object")
        kind = item.get("type", "message")
        one_of(kind, _ITEMS, f"{at}.type")
        known(item, _ITEMS[kind], at)
        required(item, _NEEDED[kind], at)
        _ids(item, kind, at)
        _CHECKS.get(kind, _nothing)(item, at)
        if kind in {"reasoning", "item_reference"}:
            _persisted(item, at, signatures, stored)
    return [{"type": "message", **item} for item in given]


def _ids(item: dict[str, Any], kind: str, at: str) -> None:
    if item.get("id") is not None and kind in _PREFIX:
        errors.short(item["id"], 64 if kind != "reasoning" else 256, f"{at}.id")
        if not item["id"].startswith(_PREFIX[kind]):
            message = f"Invalid '{at}.id': '{item['id']}'. Expected an ID that begins with "
            raise refusal(f"{message}'{_PREFIX[kind]}'.", f"{at}.id", "invalid_value")
    if "call_id" in item:
        errors.short(item["call_id"], 64, f"{at}.call_id")


def _message(item: dict[str, Any], at: str) -> None:
    one_of(item["role"], ("assistant", "system", "developer", "user"), f"{at}.role")
    content = item["content"]
    typed(content, (str, list), f"{at}.content", "one of a string or array of content parts")
    if isinstance(content, list):
        is_ours = item["role"] == "assistant"
        allowed = ("output_text", "refusal") if is_ours else tuple(_PARTS)[:3]
        _parts(content, allowed, f"{at}.content")


def _parts(content: list[Any], allowed: tuple[str, ...], at: str) -> None:
    for index, part in enumerate(content):
        where = f"{at}[{index}]"
        typed(part, dict, where, "an object")
        required(part, ["type"], where)
        one_of(part["type"], allowed, where)
        known(part, _PARTS[part["type"]], where)
        if part["type"].endswith("text"):
            required(part, ["text"], where)


def _function_call(item: dict[str, Any], at: str) -> None:
    errors.name(item["name"], f"{at}.name")
    typed(item["arguments"], str, f"{at}.arguments", "a string")


def _output(item: dict[str, Any], at: str) -> None:
    output = item["output"]
    typed(output, (str, list), f"{at}.output", "one of a string or array of content parts")
    if isinstance(output, list):
        _parts(output, tuple(_PARTS)[:3], f"{at}.output")


def _summary(item: dict[str, Any], at: str) -> None:
    typed(item["summary"], list, f"{at}.summary", "an array of objects")
    for index, part in enumerate(item["summary"]):
        required(part, ["type", "text"], f"{at}.summary[{index}]")
        one_of(part["type"], ("summary_text",), f"{at}.summary[{index}].type")


def _additional_tools(item: dict[str, Any], at: str) -> None:
    one_of(item["role"], ("developer",), f"{at}.role")
    _tools(item["tools"], f"{at}.tools")


def _nothing(_item: dict[str, Any], _at: str) -> None:
    pass


_CHECKS = {
    "message": _message,
    "function_call": _function_call,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
    "reasoning": _summary,
    "additional_tools": _additional_tools,
}


def _persisted(
    item: dict[str, Any], at: str, signatures: Signatures, stored: dict[str, Any]
) -> None:
    """A thought comes back as its encrypted content, or as the id of one that was stored."""
    encrypted = item.get("encrypted_content")
    if encrypted is not None:
        if signatures.text(encrypted) is None:
            whose = f"The encrypted content for item {item.get('id', at)}"
            raise refusal(f"{whose} {_UNVERIFIED}", None, "invalid_encrypted_content")
    elif item.get("id") not in stored:
        message = (
            f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is "
            "set to false. Try again with `store` set to true, or remove this item from your input."
        )
        raise refusal(message, "input", status=404)


def pairs(given: list[dict[str, Any]]) -> None:
    """Each call has its output, each output its call, each thought what it led to."""
    for kind in ("function_call", "custom_tool_call"):
        calls = [item["call_id"] for item in given if item["type"] == kind]
        outputs = [item["call_id"] for item in given if item["type"] == f"{kind}_output"]
        words = kind.replace("_", " ")
        for call_id in outputs:
            if call_id not in calls:
                message = f"No tool call found for {words} output with call_id {call_id}."
                raise refusal(message, "input")
        for call_id in calls:
            if call_id not in outputs:
                raise refusal(f"No tool output found for {words} {call_id}.", "input")
    for item, after in zip(given, [*given[1:], {}], strict=True):
        if item["type"] == "reasoning" and not _is_spoken(after):
            message = f"Item '{item.get('id')}' of type 'reasoning' was provided without its "
            raise refusal(f"{message}required following item.", "input")


def led(given: list[dict[str, Any]], thoughts: dict[str, str]) -> None:
    """An item that is named by its id comes with the thought that led to it."""
    there = {item.get("id") for item in given}
    for item in given:
        thought = thoughts.get(item.get("id") or "")
        if thought and thought not in there:
            message = f"Item '{item['id']}' of type '{item['type']}' was provided without its "
            raise refusal(f"{message}required 'reasoning' item: '{thought}'.", "input")


def _is_spoken(item: dict[str, Any]) -> bool:
    kind = item.get("type")
    is_message = kind == "message" and item.get("role") == "assistant"
    return is_message or kind in {"reasoning", "function_call", "custom_tool_call"}

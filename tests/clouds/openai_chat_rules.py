"""What OpenAI refuses on /v1/chat/completions."""

from __future__ import annotations

from typing import Any

from tests.clouds import openai_errors as errors
from tests.clouds.mind import strings
from tests.clouds.openai_errors import known, one_of, refusal, required, typed, within

FIELDS = {
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs",
    "max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model",
    "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty",
    "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
    "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
    "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user",
    "verbosity", "web_search_options",
}  # fmt: skip
_MESSAGE = {
    "system": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "audio", "tool_calls", "function_call"},
    "user": {"role", "content", "name"},
    "function": {"role", "content", "name"},
    "tool": {"role", "content", "tool_call_id"},
    "developer": {"role", "content", "name"},
}
_PARTS = {
    "text": {"type", "text", "prompt_cache_breakpoint"},
    "image_url": {"type", "image_url", "prompt_cache_breakpoint"},
    "input_audio": {"type", "input_audio", "prompt_cache_breakpoint"},
    "file": {"type", "file", "prompt_cache_breakpoint"},
    "refusal": {"type", "refusal"},
}
_PARTS_OF = {
    "user": ("text", "image_url", "input_audio", "file"),
    "assistant": ("text", "refusal"),
}
_FUNCTION = {"name", "description", "parameters", "strict"}
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_FIXED = {
    "temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0,
    "logprobs": False, "logit_bias": {}, "stop": None,
}  # fmt: skip


def check(body: Any) -> None:
    typed(body, dict, "body", "an object")
    required(body, ["model"])
    known(body, FIELDS)
    required(body, ["messages"])
    for rule in (_numbers, _stop, _messages, _tools, _choice, _output, _model, _turns):
        rule(body)


def _numbers(body: dict[str, Any]) -> None:
    within(body.get("temperature"), 0, 2, "temperature")
    within(body.get("top_p"), 0, 1, "top_p")
    within(body.get("presence_penalty"), -2, 2, "presence_penalty")
    within(body.get("frequency_penalty"), -2, 2, "frequency_penalty")
    for name in ("max_tokens", "max_completion_tokens", "n"):
        errors.at_least(body.get(name), 1, name)
    if body.get("max_tokens") and body.get("max_completion_tokens"):
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not"
        raise refusal(f"{message} supported.", "max_tokens", "invalid_parameter_combination")
    if body.get("stream_options") is not None and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise refusal(message, "stream_options")


def _stop(body: dict[str, Any]) -> None:
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > 4:
        message = (
            "Invalid 'stop': array too long. Expected an array with maximum length 4, "
            f"but got an array with length {len(stop)} instead."
        )
        raise refusal(message, "stop", "array_above_max_length")


def _messages(body: dict[str, Any]) -> None:
    errors.filled(body["messages"], "messages")
    for index, message in enumerate(body["messages"]):
        at = f"messages[{index}]"
        typed(message, dict, at, "an object")
        required(message, ["role"], at)
        one_of(message["role"], _MESSAGE, f"{at}.role")
        known(message, _MESSAGE[message["role"]], at)
        _content(message, at)
        _calls(message, at)
        if message["role"] == "tool":
            required(message, ["tool_call_id"], at)


def _content(message: dict[str, Any], at: str) -> None:
    content = message.get("content")
    if content is None:
        if message["role"] != "assistant":
            required(message, ["content"], at)
        if not {"tool_calls", "function_call", "refusal", "audio"} & set(message):
            text = "Invalid value for 'content': expected a string, got null."
            raise refusal(text, f"{at}.content")
        return
    typed(content, (str, list), f"{at}.content", "one of a string or array of objects")
    if isinstance(content, list):
        errors.filled(content, f"{at}.content")
        for index, part in enumerate(content):
            _part(part, message["role"], f"{at}.content[{index}]")


def _part(part: Any, role: str, at: str) -> None:
    typed(part, dict, at, "an object")
    required(part, ["type"], at)
    one_of(part["type"], _PARTS_OF.get(role, ("text",)), f"{at}.type")
    known(part, _PARTS[part["type"]], at)
    required(part, [part["type"]], at)
    if part["type"] == "image_url":
        image = part["image_url"]
        typed(image, dict, f"{at}.image_url", "an object")
        known(image, {"url", "detail"}, f"{at}.image_url")
        required(image, ["url"], f"{at}.image_url")
        _image(image["url"], f"{at}.image_url.url")


def _image(url: Any, at: str) -> None:
    if not isinstance(url, str) or not url.startswith(("data:image/", "https://", "http://")):
        message = f"Invalid '{at}'. Expected a base64-encoded data URL with an image MIME type "
        raise refusal(f"{message}(e.g. 'data:image/png;base64,…').", at, "invalid_value")


def _calls(message: dict[str, Any], at: str) -> None:
    if "tool_calls" not in message:
        return
    errors.filled(message["tool_calls"], f"{at}.tool_calls")
    for index, call in enumerate(message["tool_calls"]):
        where = f"{at}.tool_calls[{index}]"
        required(call, ["id", "type"], where)
        one_of(call["type"], ("function", "custom"), f"{where}.type")
        known(call, {"id", "type", call["type"]}, where)
        required(call, [call["type"]], where)
        errors.short(call["id"], 40, f"{where}.id")
        what = "arguments" if call["type"] == "function" else "input"
        inner = f"{where}.{call['type']}"
        required(call[call["type"]], ["name", what], inner)
        known(call[call["type"]], {"name", what}, inner)
        errors.name(call[call["type"]]["name"], f"{inner}.name")
        typed(call[call["type"]][what], str, f"{inner}.{what}", "a string")


def _tools(body: dict[str, Any]) -> None:
    if "tools" not in body:
        return
    errors.filled(body["tools"], "tools")
    for index, tool in enumerate(body["tools"]):
        at = f"tools[{index}]"
        required(tool, ["type"], at)
        one_of(tool["type"], ("function", "custom"), f"{at}.type")
        known(tool, {"type", tool["type"]}, at)
        required(tool, [tool["type"]], at)
        if tool["type"] == "function":
            errors.function(tool["function"], _FUNCTION, f"{at}.function")


def _choice(body: dict[str, Any]) -> None:
    for name in ("tool_choice", "parallel_tool_calls"):
        is_said = body.get(name) is not None and body[name] != "none"
        if is_said and not body.get("tools"):
            message = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are"
            raise refusal(f"{message} specified.", name)
    choice = body.get("tool_choice")
    if isinstance(choice, str):
        one_of(choice, ("none", "auto", "required"), "tool_choice")
    elif isinstance(choice, dict) and choice.get("type") == "function":
        required(choice, ["function"], "tool_choice")
        names = [tool.get("function", {}).get("name") for tool in body.get("tools", [])]
        if choice["function"].get("name") not in names:
            message = "Tool choice 'function' not found in 'tools' parameter."
            raise refusal(f"Invalid value for 'tool_choice': {message}", "tool_choice")


def _output(body: dict[str, Any]) -> None:
    wanted = body.get("response_format")
    if wanted is None:
        return
    required(wanted, ["type"], "response_format")
    one_of(wanted["type"], ("json_object", "json_schema", "text"), "response_format.type")
    known(wanted, {"type", "json_schema"}, "response_format")
    if wanted["type"] == "json_object" and not mentions_json(body["messages"]):
        message = "'messages' must contain the word 'json' in some form, to use "
        message += "'response_format' of type 'json_object'."
        raise refusal(message, "messages")
    if wanted["type"] == "json_schema":
        json_schema(wanted.get("json_schema"), "response_format.json_schema", "response_format")


def mentions_json(messages: Any) -> bool:
    return any("json" in text.lower() for text in strings(messages))


def json_schema(value: Any, at: str, param: str) -> None:
    typed(value, dict, at, "an object")
    required(value, ["name"], at)
    known(value, {"type", "name", "description", "schema", "strict"}, at)
    errors.name(value["name"], f"{at}.name")
    schema = value.get("schema") or {}
    whose = f"response_format '{value['name']}'"
    errors.schema_of(schema, whose, param, bool(value.get("strict")))


def _model(body: dict[str, Any]) -> None:
    effort = body.get("reasoning_effort")
    generation = errors.generation(body["model"])
    if not generation:
        if effort is not None:
            message = "Unsupported parameter: 'reasoning_effort' is not supported with this model."
            raise refusal(message, "reasoning_effort", "unsupported_parameter")
        return
    if effort is not None:
        one_of(effort, _EFFORTS, "reasoning_effort")
    if body.get("max_tokens") is not None:
        message = "Unsupported parameter: 'max_tokens' is not supported with this model. "
        message += "Use 'max_completion_tokens' instead."
        raise refusal(message, "max_tokens", "unsupported_parameter")
    if effort != "none":
        errors.sampling(body, _FIXED)
    _reasoning_tools(body, generation, effort)


def _reasoning_tools(body: dict[str, Any], generation: float, effort: str | None) -> None:
    """Seen from 5.6 on; Terra of 6.1 takes tools through /v1/responses only."""
    is_open = generation < 5.6 or generation >= 6.2
    model = body["model"]
    if not body.get("tools") or (is_open and "terra" not in model):
        return
    if effort != "none" or (generation > 6 and "terra" in model):
        message = (
            f"Function tools with reasoning_effort are not supported for {model} in "
            "/v1/chat/completions. To use function tools, use /v1/responses or set "
            "reasoning_effort to 'none'."
        )
        raise refusal(message, "reasoning_effort")


def _turns(body: dict[str, Any]) -> None:
    """Each call is answered by a tool message right after it, and each such message has a call."""
    open_ids: set[str] = set()
    asked: set[str] = set()
    for index, message in enumerate(body["messages"]):
        if message["role"] == "tool":
            if message["tool_call_id"] not in asked:
                text = "Invalid parameter: messages with role 'tool' must be a response to a "
                text += "preceding message with 'tool_calls'."
                raise refusal(text, f"messages.[{index}].role")
            open_ids.discard(message["tool_call_id"])
            continue
        _closed(open_ids)
        asked = {call["id"] for call in message.get("tool_calls", [])}
        open_ids = set(asked)
    _closed(open_ids)


def _closed(open_ids: set[str]) -> None:
    if open_ids:
        text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        )
        raise refusal(text + ", ".join(sorted(open_ids)), "messages")

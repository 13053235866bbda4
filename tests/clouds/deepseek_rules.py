"""What DeepSeek refuses: what its types cannot hold, and thoughts that do not come back.

Unknown fields are ignored, like a temperature while it thinks.
"""

from __future__ import annotations

import re
from typing import Any

from tests.clouds.openai_chat_rules import mentions_json
from tests.clouds.server import Refusal

ROLES = ("system", "user", "assistant", "tool", "latest_reminder")
KINDS = {
    400: ("invalid_request_error", "invalid_request_error", "Invalid request"),
    401: ("authentication_error", "invalid_request_error", "Authentication Fails"),
    402: ("unknown_error", "invalid_request_error", "Insufficient Balance"),
    404: ("invalid_request_error", "invalid_request_error", "Not Found"),
    429: ("rate_limit_error", "rate_limit_error", "Rate limit reached"),
    503: ("service_unavailable_error", "service_unavailable_error", "Service is too busy."),
}


def refusal(message: str, status: int = 400) -> Refusal:
    kind, code, usual = KINDS.get(status, ("server_error", "server_error", "Internal server error"))
    error = {"message": message or usual, "type": kind, "param": None, "code": code}
    return Refusal(status, {"error": error})


def thinks(body: dict[str, Any]) -> bool:
    """Thinking is on unless it is switched off (or the model is an old one that cannot)."""
    kind = (body.get("thinking") or {}).get("type")
    return kind == "enabled" if body["model"] == "deepseek-chat" else kind != "disabled"


def check(body: dict[str, Any], raw: bytes) -> None:
    for name in ("model", "messages"):
        if name not in body:
            raise _unreadable(f"missing field `{name}`", raw)
    if not body["messages"]:
        raise refusal("Empty input messages")
    for index, message in enumerate(body["messages"]):
        _message(message, index, body["model"], raw)
    _tools(body, raw)
    _numbers(body)
    _output(body, raw)
    _turns(body["messages"])
    if thinks(body):
        _thinking(body)


def _unreadable(what: str, raw: bytes) -> Refusal:
    at = f"at line 1 column {len(raw)}"
    return refusal(f"Failed to deserialize the JSON body into the target type: {what} {at}")


def _variant(value: Any, allowed: tuple[str, ...], at: str, raw: bytes) -> None:
    if value not in allowed:
        several = f"one of {', '.join(f'`{each}`' for each in allowed)}"
        wanted = several if allowed[1:] else f"`{allowed[0]}`"
        raise _unreadable(f"{at}: unknown variant `{value}`, expected {wanted}", raw)


def _message(message: Any, index: int, model: str, raw: bytes) -> None:
    at = f"messages[{index}]"
    if not isinstance(message, dict) or "role" not in message:
        raise _unreadable(f"{at}: missing field `role`", raw)
    _variant(message["role"], ROLES, f"{at}.role", raw)
    if "content" not in message and message["role"] != "assistant":
        raise _unreadable(f"{at}: missing field `content`", raw)
    if isinstance(message.get("content"), list):
        sees = "flash" in model and message["role"] == "user"
        allowed = ("text", "image_url") if sees else ("text",)
        for part in message["content"]:
            _variant(part.get("type"), allowed, f"{at}.content", raw)
    if message["role"] == "tool" and "tool_call_id" not in message:
        raise _unreadable(f"{at}: missing field `tool_call_id`", raw)
    for number, call in enumerate(message.get("tool_calls") or ()):
        if not isinstance((call.get("function") or {}).get("arguments"), str):
            kind = "map, expected a string"
            raise _unreadable(f"{at}.tool_calls[{number}].function.arguments: {kind}", raw)


def _tools(body: dict[str, Any], raw: bytes) -> None:
    for index, tool in enumerate(body.get("tools") or ()):
        _variant(tool.get("type"), ("function",), f"tools[{index}]", raw)
        name = (tool.get("function") or {}).get("name")
        if name is None:
            raise _unreadable(f"tools[{index}].function: missing field `name`", raw)
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            at = f"tools[{index}].function.name"
            message = f"Invalid '{at}': string does not match pattern. Expected a string that "
            raise refusal(f"{message}matches the pattern '^[a-zA-Z0-9_-]+$'.")


def _numbers(body: dict[str, Any]) -> None:
    for name, least, most in (("temperature", 0, 2), ("top_p", 0, 1)):
        value = body.get(name)
        if value is not None and not least <= value <= most:
            raise refusal(f"Invalid {name} value, the valid range of {name} is [{least}, {most}]")
    limit = body.get("max_tokens")
    if limit is not None and not 1 <= limit <= 393216:
        message = "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]"
        raise refusal(message)


def _output(body: dict[str, Any], raw: bytes) -> None:
    wanted = (body.get("response_format") or {}).get("type", "text")
    _variant(wanted, ("text", "json_object", "json_schema"), "response_format.type", raw)
    if wanted == "json_schema":
        raise refusal("This response_format type is unavailable now")
    if wanted == "json_object" and not mentions_json(body["messages"]):
        message = "Prompt must contain the word 'json' in some form to use 'response_format' of "
        raise refusal(f"{message}type 'json_object'.")


def _turns(messages: list[Any]) -> None:
    waiting: set[str] = set()
    asked: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in asked:
                text = "Messages with role 'tool' must be a response to a preceding message with"
                raise refusal(f"{text} 'tool_calls'")
            waiting.discard(message["tool_call_id"])
            continue
        _closed(waiting)
        asked = {call["id"] for call in message.get("tool_calls") or ()}
        waiting = set(asked)
    _closed(waiting)


def _closed(waiting: set[str]) -> None:
    if waiting:
        text = "An assistant message with 'tool_calls' must be followed by tool messages responding"
        text += " to each 'tool_call_id'. (insufficient tool messages following tool_calls message)"
        raise refusal(text)


def _thinking(body: dict[str, Any]) -> None:
    """A thought that led to calls comes back with them; an empty one will do."""
    choice = body.get("tool_choice")
    if choice == "required" or isinstance(choice, dict):
        raise refusal("Thinking mode does not support this tool_choice")
    for message in body["messages"]:
        if message.get("tool_calls") and message.get("reasoning_content") is None:
            text = "The `reasoning_content` in the thinking mode must be passed back to the API."
            raise refusal(text)

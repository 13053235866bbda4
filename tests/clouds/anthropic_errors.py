"""Anthropic's errors, its model generations and the checks of single values."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any

from tests.clouds.server import Refusal

KINDS = {
    400: ("invalid_request_error", "Bad Request"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    403: ("permission_error", "Your API key does not have permission to use this resource."),
    404: ("not_found_error", "Not Found"),
    405: ("invalid_request_error", "Method Not Allowed"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your account's rate limit."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "Request timed out"),
    529: ("overloaded_error", "Overloaded"),
}


def body(status: int, message: str = "") -> dict[str, Any]:
    kind, usual = KINDS.get(status, ("api_error", "Internal server error"))
    request_id = f"req_011C{secrets.token_hex(10)}"
    error = {"type": kind, "message": message or usual}
    return {"type": "error", "error": error, "request_id": request_id}


def refusal(message: str, status: int = 400) -> Refusal:
    return Refusal(status, body(status, message))


def known(value: dict[str, Any], fields: Iterable[str], at: str = "") -> None:
    for name in value:
        if name not in fields:
            raise refusal(f"{at}.{name}: Extra inputs are not permitted".lstrip("."))


def required(value: dict[str, Any], names: Iterable[str], at: str = "") -> None:
    for name in names:
        if name not in value:
            raise refusal(f"{at}.{name}: Field required".lstrip("."))


def typed(value: Any, kind: type, at: str) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {str: "string", list: "list", dict: "dictionary", int: "integer"}[kind]
        raise refusal(f"{at}: Input should be a valid {words}")


def matches(value: Any, pattern: str, at: str) -> None:
    typed(value, str, at)
    if not re.fullmatch(pattern[1:-1], value):
        raise refusal(f"{at}: String should match pattern '{pattern}'")


def one_of(value: Any, allowed: Iterable[str], at: str) -> None:
    names = [f"'{name}'" for name in allowed]
    if f"'{value}'" not in names:
        listed = " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
        raise refusal(f"{at}: Input should be {listed}")


def tagged(value: Any, tags: Iterable[str], at: str) -> str:
    """The `type` of a block."""
    typed(value, dict, at)
    required(value, ["type"], at)
    names = list(tags)
    if value["type"] not in names:
        listed = ", ".join(f"'{name}'" for name in names)
        message = f"Input tag '{value['type']}' found using 'type' does not match any of the"
        raise refusal(f"{at}: {message} expected tags: {listed}")
    return str(value["type"])


def generation(model: str) -> tuple[int, int]:
    """claude-opus-4-8 → (4, 8); claude-3-7-sonnet-20250219 → (3, 7); claude-opus-5 → (5, 0)."""
    numbers = [int(word) for word in model.split("-") if word.isdigit() and len(word) < 3]
    return (numbers[0], numbers[1] if numbers[1:] else 0) if numbers else (5, 0)


def always_thinks(model: str) -> bool:
    return "fable" in model or "mythos" in model

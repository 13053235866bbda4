"""Errors as Anthropic says them, and its own as ours. Source: Claude API docs, "Errors"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from larouter.core.errors import LARouterError, UpstreamError
from larouter.wire.strict_json import encode

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS = {
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_LONGEST = 500


def write_error(error: LARouterError) -> bytes:
    """The JSON body of an HTTP error."""
    fallback = "invalid_request_error" if error.status < 500 else "api_error"
    message = error.message or "Something went wrong inside LARouter."
    fields = {"type": _TYPES.get(error.status, fallback), "message": message}
    return encode({"type": "error", "error": fields})


def error_event(error: LARouterError) -> bytes:
    """The last event of a stream that broke."""
    return b"event: error\ndata: " + write_error(error) + b"\n\n"


def read_error(error: Any) -> UpstreamError:
    """The provider's error object in a stream, or where an answer was promised."""
    fields = error if isinstance(error, Mapping) else {"message": error}
    kind = fields.get("type")
    text = str(fields.get("message") or kind or "no message")[:_LONGEST]
    status = _STATUS.get(kind) if isinstance(kind, str) else None
    return UpstreamError(f"The provider broke off: {text}", status=status)

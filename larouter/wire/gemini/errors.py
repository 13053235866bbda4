"""Errors in Google's shape: a status word, and details that programs read (google.rpc)."""

from __future__ import annotations

from typing import Any

from larouter.core.errors import LARouterError
from larouter.wire.strict_json import encode

_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    424: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
_TYPE = "type.googleapis.com/google.rpc."


def write_error(error: LARouterError) -> bytes:
    """The JSON body of an error, and the last event of a stream that broke."""
    status = _STATUSES.get(error.status, "INVALID_ARGUMENT" if error.status < 500 else "INTERNAL")
    message = error.message or "Something went wrong inside LARouter."
    details: list[dict[str, Any]] = [
        {"@type": f"{_TYPE}ErrorInfo", "reason": error.code.upper(), "domain": "larouter"}
    ]
    if error.param is not None:
        violation = {"field": error.param, "description": message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if error.retry_after_s is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{error.retry_after_s}s"})
    shown = {"code": error.status, "message": message, "status": status, "details": details}
    return encode({"error": shown})

"""What every JSON answer shares: request ids, money as decimals, errors in the caller's shape."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from larouter.core.errors import LARouterError, MethodNotAllowed, NotFound
from larouter.web.app import Finished
from larouter.web.request_id import request_id
from larouter.web.shapes import error_body
from larouter.wire.strict_json import encode

logger = logging.getLogger(__name__)

_FOR_GOOD = frozenset(
    {
        "idempotency_key_used",
        "insufficient_quota",
        "invalid_api_key",
        "project_archived",
        "provider_key_refused",
    }
)
"""What no repetition changes. Clients are told, as some repeat such a status for minutes."""
_MAX_LINE = 200


def install(app: Flask) -> None:
    """Give every answer a request id and every error our shape (TRUST S12)."""
    app.after_request(_add_request_id)
    app.register_error_handler(LARouterError, error_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _surprise)


def json_response(value: Any, status: int = 200) -> Response:
    return Response(encode(value), status, mimetype="application/json")


def error_response(error: LARouterError) -> Response:
    response = Response(
        error_body(error, request.path, request.environ), error.status, mimetype="application/json"
    )
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.code in _FOR_GOOD:
        response.headers["x-should-retry"] = "false"
    return response


def ascii_line(text: str) -> str:
    """One line for a header: printable ASCII, at most 200 characters."""
    if not (text.isascii() and text.isprintable()):
        kept = text.encode("ascii", "replace").decode()
        text = "".join(char if char.isprintable() else " " for char in kept)
    return text[:_MAX_LINE]


def _add_request_id(response: Response) -> Response:
    if not isinstance(response, Finished):
        response.headers["x-request-id"] = request_id(request.environ)
    return response


def _http_error(error: HTTPException) -> Response:
    """Flask's own refusals: no such route, no such method."""
    if error.code == 405:
        response = error_response(
            MethodNotAllowed(f"{request.path} does not take {request.method}.")
        )
        response.headers.extend(
            [(name, value) for name, value in error.get_headers() if name == "Allow"]
        )
        return response
    if error.code == 404:
        return error_response(NotFound(f"There is nothing at {request.path}."))
    if error.response is not None and isinstance(error.response, Response):
        return error.response
    known = LARouterError(error.description or "The request was refused.", code="http_error")
    known.status = error.code or 500
    return error_response(known)


def _surprise(error: Exception) -> Response:
    logger.error("a request failed in a way that nobody foresaw", exc_info=error)
    return error_response(
        LARouterError("LARouter failed inside; its log says why. Please try again.")
    )

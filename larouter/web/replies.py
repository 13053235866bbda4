"""What every JSON answer shares: request ids, money as decimals, errors in the caller's shape."""

from __future__ import annotations

import logging
import secrets
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from larouter.core.catalog import Nanodollars
from larouter.core.errors import LARouterError, MethodNotAllowed, NotFound
from larouter.web.app import Finished
from larouter.wire.openai_chat import write_error
from larouter.wire.strict_json import encode

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger(__name__)

# With the time and a count, unique across processes without asking the system at each request.
_PROCESS = secrets.token_hex(4)
_count = count()
_KEY = "larouter.request_id"
_MAX_LINE = 200
_NUSD = 1_000_000_000


def install(app: Flask) -> None:
    """Give every answer a request id and every error our shape (TRUST S12)."""
    app.after_request(_add_request_id)
    app.register_error_handler(LARouterError, error_response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _surprise)


def request_id(environ: WSGIEnvironment) -> str:
    """This request's id. It begins with the time: rows and their index then grow at one end."""
    found: str | None = environ.get(_KEY)
    if found is None:
        found = f"req_{time.time_ns():016x}{_PROCESS}{next(_count) & 0xFFFF:04x}"
        environ[_KEY] = found
    return found


def json_response(value: Any, status: int = 200) -> Response:
    return Response(encode(value), status, mimetype="application/json")


def error_response(error: LARouterError) -> Response:
    response = Response(write_error(error), error.status, mimetype="application/json")
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def decimal_text(nusd: Nanodollars) -> str:
    """Nano-dollars as a decimal of dollars, exactly: 1500 is 0.0000015."""
    whole, fraction = divmod(abs(nusd), _NUSD)
    digits = f"{fraction:09d}".rstrip("0")
    return f"{'-' if nusd < 0 else ''}{whole}{'.' + digits if digits else ''}"


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

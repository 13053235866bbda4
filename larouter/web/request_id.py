"""The id that every answer carries, from the listener's refusals to the last byte of a stream."""

from __future__ import annotations

import secrets
import time
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# With the time and a count, unique across processes without asking the system at each request.
_PROCESS = secrets.token_hex(4)
_KEY = "larouter.request_id"
_count = count()


def new_request_id() -> str:
    """It begins with the time: rows and their index then grow at one end."""
    return f"req_{time.time_ns():016x}{_PROCESS}{next(_count) & 0xFFFF:04x}"


def request_id(environ: WSGIEnvironment) -> str:
    """This request's id, made when it is first asked for."""
    found: str | None = environ.get(_KEY)
    if found is None:
        found = environ[_KEY] = new_request_id()
    return found

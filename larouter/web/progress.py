"""Something long, told while it goes on: one JSON object a line, the last one says how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import gevent
from flask import Response

from larouter.core.errors import LARouterError
from larouter.web.replies import json_response
from larouter.wire.strict_json import encode

T = TypeVar("T")
_EVERY_S = 0.25


def answer(
    *,
    streamed: bool,
    work: Callable[[], dict[str, Any]],
    told: Callable[[], dict[str, Any]],
    leave: Callable[[], None] = lambda: None,
    status: int = 200,
) -> Response:
    """Do `work` and answer with what it returns; `streamed`, say `told()` until then. An error is
    the answer, or the last line. `leave` is called when the client goes away before the end."""
    if not streamed:
        return json_response(work(), status)
    return Response(_lines(work, told, leave), status, mimetype="application/x-ndjson")


def in_thread(work: Callable[[], T]) -> T:
    """Do something that takes the processor or the disk for long, beside the hub."""
    return cast(T, gevent.get_hub().threadpool.spawn(work).get())


def _lines(
    work: Callable[[], dict[str, Any]],
    told: Callable[[], dict[str, Any]],
    leave: Callable[[], None],
) -> Iterator[bytes]:
    task = gevent.spawn(_ended, work)
    last = None
    try:
        while not task.ready():
            now = told()
            if now != last:
                yield _line(now)
                last = now
            task.join(timeout=_EVERY_S)
        yield _line(task.get())
    finally:
        if not task.ready():
            leave()


def _ended(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"status": "done", **work()}
    except LARouterError as error:
        return {"error": {"message": error.message, "code": error.code, "param": error.param}}


def _line(value: dict[str, Any]) -> bytes:
    return encode(value) + b"\n"

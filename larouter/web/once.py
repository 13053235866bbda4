"""`Idempotency-Key`: a request that is sent again is answered once (TRUST B11).

Where no provider has done anything for a request, its key is free again: what was refused may be
tried again, and so may what a provider refused. Where one has, or may have, the key stays taken
for a day, as nobody can take that call back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any

from flask import Response, request

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.errors import BadRequest, Conflict, LARouterError, StorageDown, Unprocessable
from larouter.core.results import Result
from larouter.store.idempotency import Original
from larouter.web.app import Finished
from larouter.web.request_id import request_id

HEADER = "HTTP_IDEMPOTENCY_KEY"
NAME = "Idempotency-Key"
REPLAYED = "idempotent-replayed"
"""On an answer that is given again: Stripe's name for it."""
_LONGEST = 255
_WAIT_S = 5
"""Answers take seconds, and clients of the providers try twice."""
_DIGEST = "larouter.body_hash"


def note_body(environ: dict[str, Any], body: bytes) -> None:
    """Remember what a request with a key asks, and of whom."""
    if HEADER in environ:
        path = environ["PATH_INFO"].encode("latin-1")
        environ[_DIGEST] = sha256(path + b"\0" + body).hexdigest()


def once(services: Services, project: Project, answer: Callable[[], Response]) -> Response:
    """Call `answer`, or say what became of the request that was sent with this key before."""
    environ = request.environ
    key = environ.get(HEADER)
    if key is None:
        return answer()
    if not 1 <= len(key) <= _LONGEST or not key.isprintable():
        raise BadRequest(f"{NAME} has 1 to {_LONGEST} printable characters.", param=NAME)
    own = request_id(environ)
    original = services.idempotency.claim(project.id, key, environ[_DIGEST], own)
    if original is not None:
        return _again(services, original)
    try:
        response = answer()
    except BaseException:
        # A database that cannot be written has said so already; this process knows better.
        with suppress(StorageDown):
            services.idempotency.release(project.id, key, own)
        raise
    services.idempotency.written(own)
    if isinstance(response.response, list):
        body = b"".join(response.response)
        services.results.keep(own, Result(project.id, response.headers.to_wsgi_list(), body))
    return response


def _again(services: Services, original: Original) -> Response:
    if not original.is_same:
        raise Unprocessable(
            f"This {NAME} came with another request before, {original.request_id}. A key is for "
            "one request: send another one.",
            param=NAME,
            code="idempotency_key_reused",
        )
    if original.is_open:
        raise Conflict(
            f"The request with this {NAME}, {original.request_id}, is still being answered.",
            param=NAME,
            code="idempotency_in_flight",
            retry_after_s=_WAIT_S,
        )
    result = services.results.of(original.request_id)
    if result is None:
        raise _used(original)
    return Finished([result.body], [*result.headers, (REPLAYED, "true")])


def _used(original: Original) -> LARouterError:
    if original.error is None:
        how = "was answered, and that answer is not kept"
    else:
        how = f"was sent to its model and ended with {original.error}"
    return Conflict(
        f"The request with this {NAME}, {original.request_id}, {how}. It is not sent a second "
        "time: to ask again, send another key.",
        param=NAME,
        code="idempotency_key_used",
    )

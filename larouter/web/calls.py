"""One call of a model over HTTP, whatever the dialect: in through the gateway, out again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
from flask import Response, request
from msgspec.structs import replace

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.chat import ChatRequest
from larouter.core.errors import BadRequest, LARouterError, UnsupportedMedia
from larouter.core.money import decimal_text
from larouter.core.policy import Policy
from larouter.core.ports import Leaving
from larouter.core.rates import Asked
from larouter.gateway import Answer
from larouter.web.app import Finished
from larouter.web.conversations import session_of
from larouter.web.once import note_body, once
from larouter.web.replies import ascii_line
from larouter.web.request_id import request_id
from larouter.wire.dialects import DIALECTS

_MAX_RID = 200
# The client's headers that mean something to a provider of its own dialect, and to nobody else.
_PASSED_ON = (
    ("HTTP_ANTHROPIC_BETA", "anthropic-beta"),
    ("HTTP_ANTHROPIC_VERSION", "anthropic-version"),
    ("HTTP_OPENAI_BETA", "openai-beta"),
)


def read_body(environ: dict[str, Any]) -> bytes:
    """The client's body as it came. Raises `UnsupportedMedia` for a compressed one."""
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMedia("Send the body without a Content-Encoding.")
    body: bytes = environ["wsgi.input"].read()
    note_body(environ, body)
    return body


def respond(services: Services, project: Project, asked: ChatRequest) -> Response:
    """Answer what a door has read, streaming if that was asked for; what has an `Idempotency-Key`
    once."""
    return once(services, project, lambda: answered(services, project, asked))


def answered(services: Services, project: Project, asked: ChatRequest) -> Response:
    """The same for a door that has more to do with an answer, and calls `once` around that."""
    environ = request.environ
    asked = completed(asked, project, environ)
    leaving = Leaving()
    forget = _watch(environ, leaving)
    try:
        answer = services.gateway.answer(project, asked, request_id(environ), leaving)
    except BaseException:
        forget()
        raise
    _notice_repetition(services, asked, answer)
    return _stream(answer, DIALECTS[asked.dialect].stream_type) if asked.stream else _whole(answer)


def _notice_repetition(services: Services, asked: ChatRequest, answer: Answer) -> None:
    """Somebody who asks the same again was not content with the local answer before. What was
    asked by name teaches nothing: the classifier had no say in it."""
    was_local = answer.attempt.model.is_local and answer.decision.verdict is not None
    request_id = answer.attempt.request.id
    before = services.regenerations.note(asked, request_id, was_local=was_local)
    if before is not None:
        # Beside the request: nobody waits for what is learnt.
        gevent.spawn(_learn_repetition, services, asked.project, before)


def _learn_repetition(services: Services, project_id: str, request_id: str) -> None:
    with suppress(LARouterError):
        services.feedback.note(project_id, request_id, -1.0, "regeneration")


def completed(asked: ChatRequest, project: Project, environ: dict[str, Any]) -> ChatRequest:
    """What the body does not say: who asks, the headers, the project's own names for models."""
    rid = environ.get("HTTP_X_REQUEST_ID")
    if rid is not None and (len(rid) > _MAX_RID or not rid.isprintable()):
        raise BadRequest(f"X-Request-Id has at most {_MAX_RID} printable characters.")
    return replace(
        asked,
        model=project.aliases.get(asked.model, asked.model) if project.aliases else asked.model,
        project=project.id,
        unknown_model=project.unknown_model,
        policy=project.policy,
        bias=project.bias,
        tier=environ.get("HTTP_X_LAROUTER_TIER"),
        rid=rid,
        session=session_of(environ, asked.body),
        headers={name: environ[key] for key, name in _PASSED_ON if key in environ},
    )


def _watch(environ: dict[str, Any], leaving: Leaving) -> Any:
    """Learn of the client's leave from our own server; another WSGI server cannot tell."""
    on_leave = environ.get("larouter.on_leave")
    return on_leave(leaving.fire) if on_leave else lambda: None


def _stream(answer: Answer, kind: str) -> Response:
    return Finished(
        answer,
        [
            ("Content-Type", kind),
            ("Cache-Control", "no-cache"),
            ("X-Accel-Buffering", "no"),
            *_headers(answer),
        ],
    )


def _whole(answer: Answer) -> Response:
    try:
        body = answer.finish()
    finally:
        answer.close()
    cost = "unknown" if answer.cost is None else decimal_text(answer.cost)
    return Finished(
        [body],
        [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *_headers(answer),
            ("x-larouter-cost-usd", cost),
        ],
    )


def _rates(asked: Asked, policy: Policy) -> Iterator[tuple[str, str]]:
    """The project's own limits, as OpenAI sends its own."""
    for what, standing in zip(("requests", "tokens"), asked.standing(policy), strict=True):
        if standing is not None:
            yield f"x-ratelimit-limit-{what}", str(standing.limit)
            yield f"x-ratelimit-remaining-{what}", str(standing.left)
            yield f"x-ratelimit-reset-{what}", f"{standing.reset_s:.3f}s"


def _headers(answer: Answer) -> list[tuple[str, str]]:
    decision = answer.decision
    headers = [
        ("x-request-id", answer.attempt.request.id),
        ("x-larouter-tier", decision.tier),
        ("x-larouter-model", ascii_line(answer.attempt.model.key)),
        ("x-larouter-stage", decision.stage),
        ("x-larouter-score", f"{decision.score:.2f}"),
        ("x-larouter-reason", ascii_line(decision.reason)),
    ]
    if answer.choice.degraded:
        headers.append(("x-larouter-degraded", answer.choice.degraded))
    if answer.asked is not None:
        headers += _rates(answer.asked, answer.attempt.request.project.policy)
    if answer.attempt.max_output is not None:
        headers.append(("x-larouter-max-tokens", str(answer.attempt.max_output)))
    return headers

"""The OpenAI endpoints: `/v1/chat/completions`, `/v1/models`, and `/v1/route` for the decision."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.catalog import Nanodollars
from larouter.core.chat import ChatRequest
from larouter.core.errors import BadRequest, ModelNotFound, UnsupportedMedia
from larouter.core.ports import Leaving
from larouter.core.route import Decision
from larouter.gateway import Answer
from larouter.routing import AUTO, explicit_model
from larouter.web.app import Finished
from larouter.web.auth import Auth
from larouter.web.replies import ascii_line, decimal_text, json_response
from larouter.web.request_id import request_id
from larouter.wire.openai_chat import read_request
from larouter.wire.strict_json import decode_object

_MAX_RID = 200


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route that speaks OpenAI's dialect."""
    routes = Blueprint("openai", __name__)
    view = OpenAI(services, auth)
    routes.post("/v1/chat/completions")(view.chat_completions)
    routes.post("/v1/route")(view.route)
    routes.get("/v1/models")(view.models)
    routes.get("/v1/models/<path:name>")(view.model)
    return routes


class OpenAI:
    """Translates between HTTP and the gateway, and does nothing else."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def chat_completions(self) -> Response:
        environ = request.environ
        project = self._auth.project(environ)
        asked = _read(environ)
        leaving = Leaving()
        forget = _watch(environ, leaving)
        try:
            answer = self._services.gateway.answer(project, asked, request_id(environ), leaving)
        except BaseException:
            forget()
            raise
        return _stream(answer) if asked.stream else _whole(answer)

    def route(self) -> Response:
        """The decision alone: nothing is called and nothing is written."""
        environ = request.environ
        self._auth.project(environ)
        body = _body(environ)
        started = time.perf_counter()
        asked = read_request(body, tier=environ.get("HTTP_X_LAROUTER_TIER"), model=AUTO)
        decision = self._services.decide(asked)
        latency_ms = round((time.perf_counter() - started) * 1000, 3)
        shown = _shown(decision, asked, latency_ms)
        if decode_object(body).get("explain") is True:
            shown["features"] = _features(asked)
        return json_response(shown)

    def models(self) -> Response:
        self._auth.project(request.environ)
        catalog = self._services.catalog
        ready = [
            name for name, model in catalog.models.items() if not self._services.missing(model)
        ]
        names = [AUTO, *(tier.name.lower() for tier in catalog.tiers), *ready]
        return json_response({"object": "list", "data": [self._entry(name) for name in names]})

    def model(self, name: str) -> Response:
        self._auth.project(request.environ)
        catalog = self._services.catalog
        known = name.lower() == AUTO or catalog.tier(name) is not None
        if not known and explicit_model(name, catalog, self._services.prices) is None:
            raise ModelNotFound(f"There is no model {name!r}. GET /v1/models lists them.")
        return json_response(self._entry(name))

    def _entry(self, name: str) -> dict[str, Any]:
        model = explicit_model(name, self._services.catalog, self._services.prices)
        entry: dict[str, Any] = {
            "id": name,
            "object": "model",
            "created": self._services.started_ms // 1000,
            "owned_by": model.provider if model else "larouter",
        }
        if model is not None and model.context:
            entry["context_window"] = model.context
        return entry


def _body(environ: dict[str, Any]) -> bytes:
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMedia("Send the body without a Content-Encoding.")
    body: bytes = environ["wsgi.input"].read()
    return body


def _read(environ: dict[str, Any]) -> ChatRequest:
    rid = environ.get("HTTP_X_REQUEST_ID")
    if rid is not None and (len(rid) > _MAX_RID or not rid.isprintable()):
        raise BadRequest(f"X-Request-Id has at most {_MAX_RID} printable characters.")
    return read_request(_body(environ), tier=environ.get("HTTP_X_LAROUTER_TIER"), rid=rid)


def _watch(environ: dict[str, Any], leaving: Leaving) -> Any:
    """Learn of the client's leave from our own server; another WSGI server cannot tell."""
    on_leave = environ.get("larouter.on_leave")
    return on_leave(leaving.fire) if on_leave else lambda: None


def _stream(answer: Answer) -> Response:
    return Finished(
        answer,
        [
            ("Content-Type", "text/event-stream; charset=utf-8"),
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
    return headers


def _shown(decision: Decision, asked: ChatRequest, latency_ms: float) -> dict[str, Any]:
    first = decision.choices[0]
    verdict = decision.verdict
    return {
        "tier": decision.tier,
        "score": decision.score,
        "need_strong": verdict.need_strong if verdict else decision.score,
        "confidence": verdict.confidence if verdict else 1.0,
        "stage": decision.stage,
        "model": first.model.key,
        "provider": first.model.provider,
        "degraded": first.degraded,
        "fallbacks": [choice.model.key for choice in decision.choices[1:]],
        "reasons": decision.reason.split("; "),
        "gates": [{"model": gate.model, "why": gate.why} for gate in decision.gates],
        "estimated_cost_usd": _estimate(decision, asked),
        "latency_ms": latency_ms,
    }


_TYPICAL_OUTPUT = 500
_BYTES_PER_TOKEN = 4


def _estimate(decision: Decision, asked: ChatRequest) -> str | None:
    """What a typical answer would cost: a guess by length, as a decimal; None: unknown price."""
    output = min(asked.max_output or _TYPICAL_OUTPUT, _TYPICAL_OUTPUT) * asked.n
    cost: Nanodollars | None = decision.choices[0].model.price.bound(
        asked.size // _BYTES_PER_TOKEN, output
    )
    return None if cost is None else decimal_text(cost)


def _features(asked: ChatRequest) -> dict[str, Any]:
    last = next((turn.text for turn in reversed(asked.messages) if turn.role == "user"), "")
    return {
        "turns": len(asked.messages),
        "question_characters": len(last),
        "request_bytes": asked.size,
        "needs": sorted(asked.needs),
    }

"""`/v1/chat/completions`, and `/v1/route` for the decision alone."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.catalog import Nanodollars
from larouter.core.chat import ChatRequest
from larouter.core.route import Decision
from larouter.routing import AUTO
from larouter.web.auth import Auth
from larouter.web.calls import read_body, respond
from larouter.web.replies import decimal_text, json_response
from larouter.wire.chat.request import read_request
from larouter.wire.strict_json import decode_object


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route that speaks OpenAI's dialect."""
    routes = Blueprint("openai", __name__)
    view = OpenAI(services, auth)
    routes.post("/v1/chat/completions")(view.chat_completions)
    routes.post("/v1/route")(view.route)
    return routes


class OpenAI:
    """Translates between HTTP and the gateway, and does nothing else."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def chat_completions(self) -> Response:
        environ = request.environ
        project = self._auth.project(environ)
        return respond(self._services, project, read_request(read_body(environ)))

    def route(self) -> Response:
        """The decision alone: nothing is called and nothing is written."""
        environ = request.environ
        self._auth.project(environ)
        body = read_body(environ)
        started = time.perf_counter()
        asked = read_request(body, tier=environ.get("HTTP_X_LAROUTER_TIER"), model=AUTO)
        decision = self._services.decide(asked)
        latency_ms = round((time.perf_counter() - started) * 1000, 3)
        shown = _shown(decision, asked, latency_ms)
        if decode_object(body).get("explain") is True:
            shown["features"] = _features(asked)
        return json_response(shown)


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
        "fallbacks": [
            choice.model.key for choice in decision.choices[1:] if not choice.if_too_long
        ],
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

"""`/v1/chat/completions`, and `/v1/route` for the decision alone."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.chat import ChatRequest
from larouter.core.errors import LARouterError
from larouter.core.foresight import Foreseen
from larouter.core.money import decimal_text
from larouter.core.pace import Forecast
from larouter.core.route import Decision
from larouter.routing import AUTO
from larouter.routing.need import threshold
from larouter.routing.preference import predicted_cost
from larouter.web.auth import Auth
from larouter.web.calls import completed, read_body, respond
from larouter.web.replies import json_response
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
        """What would become of a request: nothing is called, held or written."""
        environ = request.environ
        project = self._auth.project(environ)
        body = read_body(environ)
        started = time.perf_counter()
        asked = completed(read_request(body, model=AUTO), project, environ)
        foreseen = self._services.foresight.of(project, asked)
        latency_ms = round((time.perf_counter() - started) * 1000, 3)
        shown = _shown(foreseen, latency_ms)
        if decode_object(body).get("explain") is True:
            shown |= self._explained(foreseen.decision, asked)
        return json_response(shown)

    def _explained(self, decision: Decision, asked: ChatRequest) -> dict[str, Any]:
        """The numbers behind the decision."""
        numbers, verdict = decision.numbers, decision.verdict
        names = [tier.name for tier in self._services.catalog.tiers]
        model = decision.choices[0].model
        forecast = self._services.situation.forecast(
            model, numbers.prompt_tokens, numbers.output_tokens
        )
        return {
            "probabilities": dict(zip(names, numbers.probabilities, strict=False)),
            "threshold": round(
                threshold(asked.policy, asked.bias, verdict.lean if verdict else 0.0), 4
            ),
            "tags": numbers.tags,
            "language": numbers.language,
            "prompt_tokens": numbers.prompt_tokens,
            "output_tokens": numbers.output_tokens,
            "predicted": None if forecast is None else _predicted(forecast),
            "features": {**_features(asked), **(verdict.features if verdict else {})},
        }


def _shown(foreseen: Foreseen, latency_ms: float) -> dict[str, Any]:
    decision, refusal = foreseen.decision, foreseen.refusal
    first = decision.choices[0]
    verdict = decision.verdict
    reasons = decision.reason.split("; ")
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
        "refused": None if refusal is None else _refused(refusal),
        "max_tokens": foreseen.max_output,
        "reasons": reasons if refusal is None else [refusal.message, *reasons],
        "gates": [
            {"model": gate.model, "why": gate.why, "by": gate.by, "words": gate.words}
            for gate in decision.gates
        ],
        "estimated_cost_usd": _estimate(decision),
        "latency_ms": latency_ms,
    }


def _refused(refusal: LARouterError) -> dict[str, Any]:
    return {"status": refusal.status, "code": refusal.code, "message": refusal.message}


def _estimate(decision: Decision) -> str | None:
    """What an answer of the expected length would cost, as a decimal; None: unknown price."""
    numbers = decision.numbers
    model = decision.choices[0].model
    cost = predicted_cost(model, numbers.prompt_tokens, numbers.output_tokens)
    return None if cost is None else decimal_text(cost)


def _predicted(forecast: Forecast) -> dict[str, Any]:
    return {
        "first_s": round(forecast.first_s, 3),
        "total_s": round(forecast.total_s, 3),
        "hot": forecast.hot,
    }


def _features(asked: ChatRequest) -> dict[str, Any]:
    last = next((turn.text for turn in reversed(asked.messages) if turn.role == "user"), "")
    return {
        "turns": len(asked.messages),
        "question_characters": len(last),
        "request_bytes": asked.size,
        "needs": sorted(asked.needs),
    }

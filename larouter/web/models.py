"""`/v1/models`: what a client may ask for, in the shape of whoever asks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.catalog import Model
from larouter.core.errors import ModelNotFound
from larouter.routing import AUTO, explicit_model
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.web.shapes import dialect_of
from larouter.wire.anthropic import models as anthropic
from larouter.wire.gemini import models as gemini


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("models", __name__)
    view = Models(services, auth)
    routes.get("/v1/models")(view.all)
    routes.get("/v1/models/<path:name>")(view.one)
    return routes


class Models:
    """`auto`, the tiers, and every model that is ready."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def all(self) -> Response:
        self._auth.project(request.environ)
        services = self._services
        catalog = services.catalog
        ready = [name for name, model in catalog.models.items() if not services.missing(model)]
        names = [AUTO, *(tier.name.lower() for tier in catalog.tiers), *ready]
        shape = dialect_of(request.path, request.environ)
        if shape == "anthropic":
            return json_response(anthropic.model_list(self._anthropic(name) for name in names))
        if shape == "gemini":
            entries = (gemini.model_entry(name, self._model(name)) for name in names)
            return json_response(gemini.model_list(entries))
        return json_response({"object": "list", "data": [self._openai(name) for name in names]})

    def one(self, name: str) -> Response:
        self._auth.project(request.environ)
        known = name.lower() == AUTO or self._services.catalog.tier(name) is not None
        if not known and self._model(name) is None:
            raise ModelNotFound(f"There is no model {name!r}. GET /v1/models lists them.")
        shape = dialect_of(request.path, request.environ)
        if shape == "anthropic":
            return json_response(anthropic.model_info(self._anthropic(name)))
        if shape == "gemini":
            return json_response(gemini.model_entry(name, self._model(name)))
        return json_response(self._openai(name))

    def _model(self, name: str) -> Model | None:
        return explicit_model(name, self._services.catalog, self._services.prices)

    def _openai(self, name: str) -> dict[str, Any]:
        model = self._model(name)
        entry: dict[str, Any] = {
            "id": name,
            "object": "model",
            "created": self._services.started_ms // 1000,
            "owned_by": model.provider if model else "larouter",
        }
        if model is not None and model.context:
            entry["context_window"] = model.context
        return entry

    def _anthropic(self, name: str) -> anthropic.Entry:
        model = self._model(name)
        return anthropic.Entry(
            id=name,
            title=model.title if model else name,
            created_s=self._services.started_ms // 1000,
            context=model.context if model else None,
            max_output=model.max_output if model else None,
        )

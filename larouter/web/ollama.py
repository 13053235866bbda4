"""Ollama's native API under `/api`: chats, prompts, embeddings, and what models there are.

These paths are a project's, unlike the rest of `/api`: Ollama's clients send its bearer when they
are given one (`OLLAMA_API_KEY`). Models are LARouter's to manage, so pull, create, copy, push and
delete are refused with a sentence that says where it is done.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import BadRequest, LARouterError, ModelNotFound
from larouter.routing import AUTO, explicit_model
from larouter.web.auth import Auth
from larouter.web.calls import read_body, respond
from larouter.web.embeddings import check_model
from larouter.web.replies import json_response
from larouter.wire.embeddings import no_inputs, read_ollama
from larouter.wire.fields import identifier
from larouter.wire.ollama.models import VERSION, listed, running, shown
from larouter.wire.ollama.request import (
    asks_to_load,
    asks_to_unload,
    model_name,
    read_chat,
    read_generate,
)
from larouter.wire.ollama.writer import loaded, write_error
from larouter.wire.strict_json import decode_object

_MANAGED = ("pull", "create", "copy", "push", "delete", "blobs/<path:digest>")
_NOT_HERE = (
    "LARouter does not take this from Ollama's clients: models are added on its Models page, and "
    "cloud models by their provider's key. GET /api/tags lists those that are ready."
)


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route of Ollama's API."""
    routes = Blueprint("ollama", __name__)
    view = Ollama(services, auth)
    routes.post("/api/chat")(view.chat)
    routes.post("/api/generate")(view.generate)
    routes.post("/api/embed")(view.embed)
    routes.post("/api/embeddings")(view.embeddings)
    routes.get("/api/tags")(view.tags)
    routes.post("/api/show")(view.show)
    routes.get("/api/ps")(view.ps)
    routes.get("/api/version")(view.version)
    for name in _MANAGED:
        endpoint = name.partition("/")[0]
        routes.route(f"/api/{name}", methods=["POST", "DELETE"], endpoint=endpoint)(view.manage)
    return routes


class Ollama:
    """Translates between HTTP and the gateway, and does nothing else."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def chat(self) -> Response:
        project = self._auth.project(request.environ)
        return self._answer(project, read_chat(read_body(request.environ)))

    def generate(self) -> Response:
        project = self._auth.project(request.environ)
        return self._answer(project, read_generate(read_body(request.environ)))

    def embed(self) -> Response:
        return self._embed(older=False)

    def embeddings(self) -> Response:
        return self._embed(older=True)

    def tags(self) -> Response:
        project = self._auth.project(request.environ)
        catalog = self._services.catalog
        names = [AUTO, *(tier.name.lower() for tier in catalog.tiers)]
        entries = [listed(name, self._models(project, name), catalog.date) for name in names]
        entries += [listed(model.id, (model,), catalog.date) for model in self._ready()]
        return json_response({"models": entries})

    def show(self) -> Response:
        project = self._auth.project(request.environ)
        given = decode_object(read_body(request.environ))
        name = model_name(identifier(given, "model" if given.get("model") else "name"))
        models = self._models(project, name)
        return json_response(shown(name, models, self._services.catalog.date))

    def ps(self) -> Response:
        self._auth.project(request.environ)
        runner = self._services.runner
        models = [
            model
            for model in self._services.catalog.models.values()
            if model.is_local and runner.state(model) == "ready"
        ]
        return json_response(running(models, self._services.catalog.date))

    def version(self) -> Response:
        self._auth.project(request.environ)
        return json_response({"version": VERSION})

    def manage(self, digest: str = "") -> Response:
        self._auth.project(request.environ)
        return Response(write_error(BadRequest(_NOT_HERE)), 501, mimetype="application/json")

    def _answer(self, project: Project, asked: ChatRequest) -> Response:
        if not asks_to_load(asked):
            return respond(self._services, project, asked)
        self._models(project, asked.model)
        reason = "unload" if asks_to_unload(asked) else "load"
        return Response(loaded(asked, reason), mimetype="application/json")

    def _embed(self, *, older: bool) -> Response:
        project = self._auth.project(request.environ)
        asked = read_ollama(read_body(request.environ), older=older)
        check_model(self._services, project, asked)
        empty = no_inputs(asked)
        if empty is not None:
            return Response(empty, mimetype="application/json")
        return respond(self._services, project, asked)

    def _ready(self) -> list[Model]:
        services = self._services
        return [model for model in services.catalog.models.values() if not services.missing(model)]

    def _models(self, project: Project, name: str) -> Sequence[Model]:
        """Who may answer to this name. Raises `ModelNotFound`."""
        services = self._services
        name = project.aliases.get(name, name)
        model = explicit_model(name, services.catalog, services.prices)
        if model is not None:
            return (model,)
        if services.catalog.tier(name) is None:
            unknown = project.unknown_model or services.settings.unknown_model
            if AUTO not in (name.lower(), unknown):
                raise ModelNotFound(f"model {name!r} not found: GET /api/tags lists what there is")
            return [model for model in self._ready() if "embeddings" not in model.abilities]
        try:
            choices = services.decide(_probe(name)).choices
        except LARouterError:
            # Nobody is ready for this tier now; it is still a name that may be asked for.
            return ()
        return tuple(choice.model for choice in choices)


def _probe(tier: str) -> ChatRequest:
    return ChatRequest(model=tier, messages=(Message("user", "?"),), body={}, size=0)

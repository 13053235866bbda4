"""Embeddings over HTTP, in OpenAI's and Gemini's shape; Ollama's paths are in `web/ollama.py`."""

from __future__ import annotations

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.chat import ChatRequest
from larouter.core.errors import BadRequest, ModelNotFound
from larouter.routing import AUTO, explicit_model
from larouter.web.auth import Auth
from larouter.web.calls import read_body, respond
from larouter.wire.embeddings import read_gemini, read_openai

_BY_NAME = (
    "Embeddings need one model by its name, as provider/model: for example "
    "openai/text-embedding-3-small. LARouter does not choose here, because vectors of two models "
    "do not fit into one index."
)


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("embeddings", __name__)
    view = Embeddings(services, auth)
    routes.post("/v1/embeddings")(view.openai)
    for version in ("v1beta", "v1"):
        path = f"/{version}/models/<path:model>"
        routes.post(f"{path}:embedContent", endpoint=f"{version}-one")(view.gemini)
        routes.post(f"{path}:batchEmbedContents", endpoint=f"{version}-batch")(view.gemini_batch)
    return routes


class Embeddings:
    """Translates between HTTP and the gateway, and does nothing else."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def openai(self) -> Response:
        project = self._auth.project(request.environ)
        return self._answer(project, read_openai(read_body(request.environ)))

    def gemini(self, model: str) -> Response:
        project = self._auth.project(request.environ)
        return self._answer(project, read_gemini(read_body(request.environ), model, batch=False))

    def gemini_batch(self, model: str) -> Response:
        project = self._auth.project(request.environ)
        return self._answer(project, read_gemini(read_body(request.environ), model, batch=True))

    def _answer(self, project: Project, asked: ChatRequest) -> Response:
        check_model(self._services, project, asked)
        return respond(self._services, project, asked)


def check_model(services: Services, project: Project, asked: ChatRequest) -> None:
    """Refuse what does not name one model, an alias of `auto` included: whatever a project wants
    done with unknown names, no model that talks is asked for vectors."""
    name = project.aliases.get(asked.model, asked.model)
    if name.lower() == AUTO or services.catalog.tier(name) is not None:
        raise BadRequest(_BY_NAME, param="model", code="invalid_value")
    model = explicit_model(name, services.catalog, services.prices)
    if model is None:
        raise ModelNotFound(f"There is no model {name!r}. {_BY_NAME}", param="model")
    if model.abilities and "embeddings" not in model.abilities:
        raise BadRequest(
            f"{model.key} talks and makes no embeddings. {_BY_NAME}",
            param="model",
            code="unsupported",
        )

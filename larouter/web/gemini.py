"""Gemini's endpoints, as Gemini CLI and google-genai call them: answers, counts, models."""

from __future__ import annotations

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.web.auth import Auth
from larouter.web.calls import completed, read_body, respond
from larouter.web.models import Models
from larouter.wire.gemini.count import read_count, write_counted
from larouter.wire.gemini.request import read_request

_VERSIONS = ("v1beta", "v1")
"""Google serves these methods under both: Gemini CLI asks for `v1beta`, google-genai 3 for `v1`."""
_ARRAY = "application/json; charset=utf-8"


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route that speaks Gemini's dialect."""
    routes = Blueprint("gemini", __name__)
    view = Gemini(services, auth)
    for version in _VERSIONS:
        path = f"/{version}/models/<path:model>"
        routes.post(f"{path}:generateContent", endpoint=f"{version}-whole")(view.generate)
        routes.post(f"{path}:streamGenerateContent", endpoint=f"{version}-stream")(view.stream)
        routes.post(f"{path}:countTokens", endpoint=f"{version}-count")(view.count)
    models = Models(services, auth)
    routes.get("/v1beta/models")(models.all)
    routes.get("/v1beta/models/<path:name>")(models.one)
    return routes


class Gemini:
    """Translates between HTTP and the gateway, and does nothing else."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def generate(self, model: str) -> Response:
        environ = request.environ
        project = self._auth.project(environ)
        return respond(self._services, project, read_request(read_body(environ), model=model))

    def stream(self, model: str) -> Response:
        """Events with `alt=sse`; without it Google's answer is one array that grows."""
        environ = request.environ
        project = self._auth.project(environ)
        sse = "sse" in (request.args.get("alt"), request.args.get("$alt"))
        asked = read_request(read_body(environ), model=model, stream=True, sse=sse)
        response = respond(self._services, project, asked)
        if not sse:
            response.headers["Content-Type"] = _ARRAY
        return response

    def count(self, model: str) -> Response:
        environ = request.environ
        project = self._auth.project(environ)
        asked = completed(read_count(read_body(environ), model=model), project, environ)
        tokens = self._services.count_tokens(asked)
        return Response(write_counted(tokens), mimetype="application/json")

"""Anthropic's endpoints: `/v1/messages`, and its tokens counted. The list of models is at
`/v1/models`, in Anthropic's shape for who sends `anthropic-version`."""

from __future__ import annotations

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.web.auth import Auth
from larouter.web.calls import completed, read_body, respond
from larouter.wire.anthropic.count import read_count_request, write_count
from larouter.wire.anthropic.request import read_request


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route that only Anthropic's clients call."""
    routes = Blueprint("anthropic", __name__)
    view = Anthropic(services, auth)
    routes.post("/v1/messages")(view.messages)
    routes.post("/v1/messages/count_tokens")(view.count_tokens)
    return routes


class Anthropic:
    """Translates between HTTP and the gateway, and does nothing else."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def messages(self) -> Response:
        environ = request.environ
        project = self._auth.project(environ)
        return respond(self._services, project, read_request(read_body(environ)))

    def count_tokens(self) -> Response:
        environ = request.environ
        project = self._auth.project(environ)
        asked = completed(read_count_request(read_body(environ)), project, environ)
        tokens = self._services.count_tokens(asked)
        return Response(write_count(tokens), mimetype="application/json")

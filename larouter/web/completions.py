"""`POST /v1/completions`: OpenAI's legacy completions over HTTP."""

from __future__ import annotations

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.web.auth import Auth
from larouter.web.calls import read_body, respond
from larouter.wire.completions.request import read_request


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("completions", __name__)

    @routes.post("/v1/completions")
    def completions() -> Response:
        project = auth.project(request.environ)
        return respond(services, project, read_request(read_body(request.environ)))

    return routes

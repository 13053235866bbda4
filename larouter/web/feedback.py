"""What somebody thought of an answer, and what a project's feedback has taught."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.errors import BadRequest
from larouter.core.learning import in_words
from larouter.store.projects import DEFAULT
from larouter.web.auth import Auth
from larouter.web.calls import read_body
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

THUMBS = {"up": 1.0, "down": -1.0}


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """`/v1/feedback` for projects, a project's `learning` for the admin."""
    routes = Blueprint("feedback", __name__)
    view = FeedbackRoutes(services, auth)
    routes.post("/v1/feedback")(view.note)
    routes.get("/api/projects/<path:id>/learning")(view.learnt)
    routes.delete("/api/projects/<path:id>/learning")(view.reset)
    return routes


class FeedbackRoutes:
    """One method a route; each begins with who may."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def note(self) -> Response:
        """Feedback on one of the project's own requests; said again, it changes."""
        project = self._auth.project(request.environ)
        given = decode_object(read_body(request.environ))
        request_id, score, kind = _feedback(given)
        bias = self._services.feedback.note(project.id, request_id, score, kind)
        return json_response({"request_id": request_id, "score": score, "kind": kind, "bias": bias})

    def learnt(self, id: str) -> Response:
        return json_response(self._shown(self._project(id)))

    def reset(self, id: str) -> Response:
        """Back to the shipped model; the feedback is forgotten too."""
        project = self._project(id)
        forgotten = self._services.feedback.reset(project.id)
        return json_response({**self._shown(project), "forgotten": forgotten})

    def _project(self, id: str) -> Project:
        self._auth.require_admin(request.environ)
        if id == DEFAULT:
            self._services.projects.ensure_default()
        return self._services.projects.get(id)

    def _shown(self, project: Project) -> dict[str, Any]:
        learnt = self._services.feedback.learnt(project.id)
        return {
            "project": project.name,
            "bias": learnt.bias,
            "feedback": learnt.feedback,
            "counted": learnt.counted,
            "text": in_words(learnt.bias, learnt.feedback),
        }


def _feedback(given: dict[str, Any]) -> tuple[str, float, str]:
    request_id, score = given.get("request_id"), given.get("score")
    kind = given.get("kind", "thumb")
    if not isinstance(request_id, str):
        raise BadRequest(
            "The field 'request_id' must be a string: the answer's x-request-id.",
            param="request_id",
        )
    if isinstance(score, str):
        score = THUMBS.get(score)
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise BadRequest("score is up, down, or a number from -1 to 1.", param="score")
    if not isinstance(kind, str):
        raise BadRequest("The field 'kind' must be a string.", param="kind")
    return request_id, float(score), kind

"""The baseline over our own API: which model savings are measured against."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.errors import BadRequest
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_FROM_NOW_ON = (
    "This counts for requests from now on. What earlier ones were measured against stays."
)


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("baseline_api", __name__)
    view = BaselineRoutes(services, auth)
    routes.get("/api/usage/baseline")(view.baseline)
    routes.put("/api/usage/baseline")(view.choose)
    return routes


class BaselineRoutes:
    """One method a route; each begins with who may."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def baseline(self) -> Response:
        """What is in force: for a project its own; for the admin this machine's, and those that
        projects chose."""
        project = self._auth.project_or_admin(request.environ)
        if project is not None:
            return json_response(self._told(project.id))
        names = {row.id: row.name for row in self._services.projects.list()}
        choosers = self._services.baselines.choosers()
        own = [{"project": names[id], **self._told(id)} for id in choosers if id in names]
        return json_response({**self._told(None), "projects": own})

    def choose(self) -> Response:
        """`{"model": "claude-opus-5-5", "project": "notes"}`; a model of null takes the choice
        back, without a project it is this machine's."""
        self._auth.require_admin(request.environ)
        given = decode_object(request.environ["wsgi.input"].read())
        unknown = given.keys() - {"model", "project"}
        if unknown or "model" not in given:
            raise BadRequest('Give {"model": …} and, for one project, "project".', param="model")
        for field in ("model", "project"):
            if not isinstance(given.get(field), str | None):
                raise BadRequest(f"The field '{field}' must be a string or null.", param=field)
        name = given.get("project")
        project = self._services.projects.get(name).id if name is not None else None
        self._services.baselines.choose(project, given["model"])
        return json_response({**self._told(project), "note": _FROM_NOW_ON})

    def _told(self, project_id: str | None) -> dict[str, Any]:
        baselines = self._services.baselines
        model, owner = baselines.of(project_id), baselines.owner(project_id)
        whose = None if owner is None else "project" if owner else "machine"
        return {
            "projectId": project_id,
            "baselineModel": model.key if model else None,
            "chosenFor": whose,
        }

"""A project's bearers over our own API: list, make, change, revoke, rotate. For the admin."""

from __future__ import annotations

from shlex import quote
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.errors import BadRequest
from larouter.store.bearer_row import Bearer
from larouter.store.bearers import MOST_OVERLAP_MS
from larouter.store.projects import DEFAULT
from larouter.web.auth import Auth
from larouter.web.projects import project_json
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_GRANT_S = 600
_MOST_OVERLAP_S = MOST_OVERLAP_MS // 1000


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route below a project that has to do with its bearers."""
    routes = Blueprint("bearers_api", __name__)
    view = BearerRoutes(services, auth)
    routes.get("/api/projects/<path:id>/bearers")(view.list_bearers)
    routes.post("/api/projects/<path:id>/bearers")(view.create)
    routes.patch("/api/projects/<path:id>/bearers/<bearer>")(view.change)
    routes.delete("/api/projects/<path:id>/bearers/<bearer>")(view.revoke)
    routes.post("/api/projects/<path:id>/rotate")(view.rotate)
    routes.post("/api/projects/<path:id>/grant")(view.grant)
    return routes


class BearerRoutes:
    """One method a route; each begins with who may. A bearer is named by its id or its name."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def list_bearers(self, id: str) -> Response:
        project = self._project(id)
        return json_response({"data": [_shown(row) for row in self._services.bearers.of(project)]})

    def create(self, id: str) -> Response:
        """`{"name", "expires": "30d", a date, or "never"}`; the bearer is shown this once."""
        project = self._project(id)
        given = _fields({"name": str, "expires": str})
        if "name" not in given:
            raise BadRequest("A bearer needs a name: who will use it?", param="name")
        row, bearer = self._services.bearers.create(project, **given)
        return json_response({**_shown(row), "bearer": bearer}, 201)

    def change(self, id: str, bearer: str) -> Response:
        """Another `name`, or another end."""
        project = self._project(id)
        given = _fields({"name": str, "expires": str})
        if not given:
            raise BadRequest("Give at least one of name, expires.")
        row = self._services.bearers.change(
            project, bearer, name=given.get("name"), expires=given.get("expires")
        )
        return json_response(_shown(row))

    def revoke(self, id: str, bearer: str) -> Response:
        """It stops at once. Of the last one it is said what follows."""
        project = self._project(id)
        row, left = self._services.bearers.revoke(project, bearer)
        gone: dict[str, Any] = {"id": row.id, "name": row.name, "deleted": True, "left": left}
        if not left:
            gone["message"] = (
                f"The project {project.name!r} has no bearer now, so no program can ask in its "
                f"name. Make one: larouter bearers create {quote(project.name)} NAME"
            )
        return json_response(gone)

    def rotate(self, id: str) -> Response:
        """One new bearer for all; the old ones stop at once, or after `overlap_s` seconds."""
        project = self._project(id)
        overlap_s = _fields({"overlap_s": int}).get("overlap_s", 0)
        if not 0 <= overlap_s <= _MOST_OVERLAP_S:
            raise BadRequest(
                f"overlap_s is a number of seconds from 0 to {_MOST_OVERLAP_S}, 30 days.",
                param="overlap_s",
            )
        _, bearer = self._services.bearers.rotate(project, overlap_ms=overlap_s * 1000)
        if not overlap_s:
            self._services.results.forget_all(project.id)
        return json_response({**project_json(project), "bearer": bearer})

    def grant(self, id: str) -> Response:
        """A bearer of ten minutes, for command-line calls."""
        project = self._project(id)
        bearer = self._services.bearers.grant(project, seconds=_GRANT_S)
        return json_response({"bearer": bearer, "expires_in": _GRANT_S}, 201)

    def _project(self, id: str) -> Project:
        self._auth.require_admin(request.environ)
        if id == DEFAULT:
            # There for whoever names it, before the first start too.
            self._services.projects.ensure_default()
        return self._services.projects.get(id)


def _shown(row: Bearer) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "begins": row.begins,
        "created_ms": row.created_ms,
        "expires_ms": row.expires_ms,
        "last_used_ms": row.last_used_ms,
    }


def _fields(known: dict[str, type]) -> dict[str, Any]:
    """The body, which may be missing; a field that there is not is a slip, and said so."""
    body = request.environ["wsgi.input"].read()
    given = decode_object(body) if body else {}
    for field, value in given.items():
        if field not in known:
            raise BadRequest(
                f"There is no field {field!r} here; there is {', '.join(known)}.",
                param=field[:100],
            )
        if type(value) is not known[field]:
            kind = "a string" if known[field] is str else "a whole number"
            raise BadRequest(f"The field '{field}' must be {kind}.", param=field)
    return given

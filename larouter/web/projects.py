"""Projects over our own API: make, change, delete, and their bearers. For the admin."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.errors import BadRequest, Forbidden
from larouter.core.policy import Policy
from larouter.core.policy_json import policy_json, read_policy
from larouter.store.project_row import MACHINE_ZONE
from larouter.store.projects import DEFAULT
from larouter.web.auth import Auth
from larouter.web.policies import check_names
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route of `/api/projects`. A project is named by its id or its name, slashes and all."""
    routes = Blueprint("projects_api", __name__)
    view = ProjectRoutes(services, auth)
    routes.get("/api/projects")(view.list_projects)
    routes.post("/api/projects")(view.create_project)
    routes.get("/api/projects/<path:id>")(view.project)
    routes.patch("/api/projects/<path:id>")(view.change_project)
    routes.delete("/api/projects/<path:id>")(view.delete_project)
    routes.delete("/api/projects/<path:id>/responses")(view.forget_responses)
    routes.get("/api/projects/<path:id>/export")(view.export)
    routes.post("/api/projects/<path:id>/archive")(view.archive_project)
    routes.post("/api/projects/<path:id>/restore")(view.restore_project)
    return routes


class ProjectRoutes:
    """One method a route; each begins with who may."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def list_projects(self) -> Response:
        """Those in use; with `archived=1` all of them."""
        self._admin()
        rows = self._services.projects.list()
        if request.args.get("archived") != "1":
            rows = [row for row in rows if row.archived_ms is None]
        return json_response({"data": [project_json(row) for row in rows]})

    def create_project(self) -> Response:
        self._admin()
        project, bearer = self._services.projects.create(_text("name"))
        return json_response({**project_json(project), "bearer": bearer}, 201)

    def project(self, id: str) -> Response:
        self._admin()
        self._make_default(id)
        return json_response(project_json(self._services.projects.get(id)))

    def change_project(self, id: str) -> Response:
        """Change what is given: name, aliases (all of them at once), unknown_model, zone, and
        of the policy the fields that are in it."""
        self._admin()
        self._make_default(id)
        given = decode_object(request.environ["wsgi.input"].read())
        if "name" in given:
            self._refuse_default(id, "renamed")
        changes = _changes(given)
        if "policy" in changes:
            changes["policy"] = self._policy(id, changes["policy"])
        project = self._services.projects.update(id, **changes)
        if "zone" in changes:
            self._services.budgets.reload()
            self._services.bookkeeping.moved(project.id)
        return json_response(project_json(project))

    def delete_project(self, id: str) -> Response:
        self._admin()
        self._refuse_default(id, "deleted")
        project = self._services.projects.delete(id)
        self._services.budgets.reload()
        self._services.results.forget_all(project.id)
        return json_response({**project_json(project), "deleted": True})

    def forget_responses(self, id: str) -> Response:
        """Delete the answers of a project that are kept, on disk or in memory (TRUST S11)."""
        self._admin()
        project = self._services.projects.get(id)
        held = self._services.results.forget_all(project.id)
        return json_response({"deleted": self._services.responses.forget_all(project.id) + held})

    def export(self, id: str) -> Response:
        """Everything that is kept of a project, one JSON object a line, as it is read."""
        self._admin()
        self._make_default(id)
        project = self._services.projects.get(id)
        name = f"larouter-{project.id}.jsonl"
        return Response(
            self._services.exports.lines(project),
            mimetype="application/x-ndjson",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def archive_project(self, id: str) -> Response:
        """Refuse its bearers and keep everything, until it is restored."""
        self._admin()
        self._refuse_default(id, "archived")
        return json_response(project_json(self._services.projects.archive(id)))

    def restore_project(self, id: str) -> Response:
        self._admin()
        return json_response(project_json(self._services.projects.restore(id)))

    def _policy(self, id: str, given: dict[str, Any]) -> Policy:
        """The project's policy with what is given; names in it must be somebody's."""
        policy = read_policy(given, base=self._services.projects.get(id).policy)
        check_names(policy, given, self._services.catalog, self._services.prices)
        return policy

    def _refuse_default(self, id: str, what: str) -> None:
        # Command-line calls and requests without a bearer (LAROUTER_KEYLESS) belong to it.
        if self._services.projects.get(id).name == DEFAULT:
            raise Forbidden(f"The project 'default' cannot be {what}; rotate its bearer instead.")

    def _make_default(self, id: str) -> None:
        """The project `default` is there for whoever names it, before the first start too."""
        if id == DEFAULT:
            self._services.projects.ensure_default()

    def _admin(self) -> None:
        self._auth.require_admin(request.environ)


def project_json(project: Project) -> dict[str, Any]:
    """A project as every answer about it shows it."""
    return {
        "id": project.id,
        "name": project.name,
        "created_ms": project.created_ms,
        "archived_ms": project.archived_ms,
        "aliases": project.aliases,
        "unknown_model": project.unknown_model or "default",
        "policy": policy_json(project.policy),
        "zone": project.zone or MACHINE_ZONE,
    }


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """What a PATCH wants changed; a field that there is not is a slip, and said so."""
    kinds = {"name": str, "aliases": dict, "unknown_model": str, "policy": dict, "zone": str}
    for field, value in given.items():
        if field not in kinds:
            raise BadRequest(f"A project has no field {field!r} to change.", param=field[:100])
        if not isinstance(value, kinds[field]):
            kind = "an object" if kinds[field] is dict else "a string"
            raise BadRequest(f"The field '{field}' must be {kind}.", param=field)
    if not given:
        raise BadRequest(f"Give at least one of {', '.join(kinds)}.")
    if not all(isinstance(model, str) for model in given.get("aliases", {}).values()):
        raise BadRequest("Each alias means one model, by its name.", param="aliases")
    return given


def _text(name: str) -> str:
    value = decode_object(request.environ["wsgi.input"].read()).get(name)
    if not isinstance(value, str):
        raise BadRequest(f"The field '{name}' must be a string.", param=name)
    return value

"""A project's bill of a month over our own API: as JSON, or as a page to keep."""

from __future__ import annotations

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.errors import BadRequest
from larouter.store.projects import DEFAULT, not_found
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.web.statement_view import as_file, as_json
from larouter.web.usage_query import read_month

_FORMATS = ("json", "html")


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("statement_api", __name__)
    view = StatementRoutes(services, auth)
    routes.get("/api/usage/statement")(view.statement)
    return routes


class StatementRoutes:
    """A project reads its own; the admin that of the project it names."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def statement(self) -> Response:
        project = self._auth.project_or_admin(request.environ)
        asked = request.args.get("projectId")
        if project is not None and asked not in {None, project.id, project.name}:
            raise not_found(asked)
        wanted = project.id if project is not None else asked
        if not wanted:
            raise BadRequest("Name the project: projectId=notes.", param="projectId")
        if wanted == DEFAULT:
            # It is there for whoever names it, before the first start too.
            self._services.projects.ensure_default()
        form = request.args.get("format", "json")
        if form not in _FORMATS:
            raise BadRequest(f"format is one of {', '.join(_FORMATS)}.", param="format")
        bills = self._services.bills
        month = (
            request.args.get("month") or f"{bills.today(project.zone if project else None):%Y-%m}"
        )
        found = bills.statement(wanted, read_month(month))
        if form == "json":
            return json_response(as_json(found))
        page = as_file(found, bills.today(found.owner.zone))
        return Response(page, mimetype="text/html")

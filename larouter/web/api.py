"""LARouter's own API: projects, usage, providers. For the admin, and each project for itself."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from msgspec import Raw

from larouter.bootstrap import Services
from larouter.config import SettingsError, parse_url
from larouter.core.account import Project
from larouter.core.catalog import Nanodollars
from larouter.core.errors import BadRequest, Forbidden
from larouter.providers import ENDPOINTS, WIRES
from larouter.store.projects import DEFAULT
from larouter.store.providers import AddedProvider
from larouter.store.reports import PERIOD_DAYS
from larouter.web import session
from larouter.web.auth import Auth
from larouter.web.replies import decimal_text, json_response
from larouter.wire.strict_json import decode_object, encode

_GRANT_S = 600


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route below `/api`. A project is named by its id or its name, slashes and all."""
    routes = Blueprint("api", __name__)
    view = Api(services, auth)
    routes.get("/api/projects")(view.list_projects)
    routes.post("/api/projects")(view.create_project)
    routes.patch("/api/projects/<path:id>")(view.rename_project)
    routes.delete("/api/projects/<path:id>")(view.delete_project)
    routes.post("/api/projects/<path:id>/rotate")(view.rotate_project)
    routes.post("/api/projects/<path:id>/grant")(view.grant)
    routes.get("/api/usage")(view.usage)
    routes.get("/api/usage/attempts")(view.attempts)
    routes.get("/api/providers")(view.list_providers)
    routes.post("/api/providers")(view.add_provider)
    routes.delete("/api/providers/<name>")(view.remove_provider)
    routes.get("/api/models/catalog")(view.catalog)
    routes.post("/api/sign-in-codes")(view.sign_in_code)
    return routes


class Api:
    """One method a route; each begins with who may."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def list_projects(self) -> Response:
        self._admin()
        return json_response({"data": [_project(row) for row in self._services.projects.list()]})

    def create_project(self) -> Response:
        self._admin()
        project, bearer = self._services.projects.create(_text("name"))
        return json_response({**_project(project), "bearer": bearer}, 201)

    def rename_project(self, id: str) -> Response:
        self._admin()
        self._refuse_default(id, "renamed")
        return json_response(_project(self._services.projects.rename(id, _text("name"))))

    def delete_project(self, id: str) -> Response:
        self._admin()
        self._refuse_default(id, "deleted")
        return json_response({**_project(self._services.projects.delete(id)), "deleted": True})

    def rotate_project(self, id: str) -> Response:
        self._admin()
        self._make_default(id)
        project, bearer = self._services.projects.rotate(id)
        return json_response({**_project(project), "bearer": bearer})

    def grant(self, id: str) -> Response:
        """A bearer of ten minutes, for command-line calls."""
        self._admin()
        self._make_default(id)
        bearer = self._services.projects.grant(id, seconds=_GRANT_S)
        return json_response({"bearer": bearer, "expires_in": _GRANT_S}, 201)

    def usage(self) -> Response:
        project_id = self._project_in_question()
        period = request.args.get("period", "all")
        if period not in PERIOD_DAYS:
            raise BadRequest(f"period is one of {', '.join(PERIOD_DAYS)}.", param="period")
        report = self._services.reports.usage(period, project_id)
        return json_response(
            {
                "period": period,
                "projectId": project_id,
                **_money("totalCost", report.cost_nusd),
                "totalCalls": report.calls,
                "succeededCalls": report.succeeded,
                "inputTokens": report.input_tokens,
                "outputTokens": report.output_tokens,
                "byModel": _grouped("model", report.by_model),
                "byTier": _grouped("tier", report.by_tier),
                "dailyCosts": _grouped("date", report.by_day),
            }
        )

    def attempts(self) -> Response:
        """One JSON object a line (TRUST B17)."""
        rows = self._services.reports.attempts(self._project_in_question())
        lines = b"".join(encode(row) + b"\n" for row in rows)
        return Response(lines, mimetype="application/x-ndjson")

    def list_providers(self) -> Response:
        self._admin()
        settings = self._services.settings
        keys = {*settings.keys, *self._services.vault.names()}
        built_in = [
            {
                "name": row.name,
                "wire": row.wire,
                "url": settings.addresses.get(row.name, row.url),
                "has_key": row.name in keys,
                "added": False,
            }
            for row in ENDPOINTS
        ]
        added = [
            {"name": row.name, "wire": row.wire, "url": row.url, "has_key": row.name in keys,
             "added": True}
            for row in self._services.added.list()
        ]  # fmt: skip
        return json_response({"data": built_in + added})

    def add_provider(self) -> Response:
        self._admin()
        given = decode_object(request.environ["wsgi.input"].read())
        provider = _provider(given)
        self._services.added.add(provider)
        key = given.get("key")
        place = self._services.vault.set(provider.name, key) if key else None
        self._services.reload_providers()
        return json_response(
            {"name": provider.name, "wire": provider.wire, "url": provider.url, "key_in": place},
            201,
        )

    def remove_provider(self, name: str) -> Response:
        self._admin()
        self._services.added.remove(name)
        self._services.vault.delete(name)
        self._services.reload_providers()
        return json_response({"name": name, "deleted": True})

    def catalog(self) -> Response:
        self._admin()
        models = [
            {
                "id": model.id,
                "provider": model.provider,
                "title": model.title,
                "context": model.context,
                "abilities": sorted(model.abilities),
                "missing": self._services.missing(model),
            }
            for model in self._services.catalog.models.values()
        ]
        return json_response({"date": self._services.catalog.date, "data": models})

    def sign_in_code(self) -> Response:
        """A one-time code for a browser; single use, ten minutes (TRUST S5)."""
        self._admin()
        return json_response({"code": session.issue_code()}, 201)

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

    def _project_in_question(self) -> str | None:
        """A project's own id; for the admin the one that it names, or None for all."""
        project = self._auth.project_or_admin(request.environ)
        asked = request.args.get("projectId")
        if project is None:
            return self._services.projects.get(asked).id if asked else None
        if asked not in {None, project.id, project.name}:
            raise Forbidden("A project's bearer reads its own usage only.")
        return project.id


def _project(project: Project) -> dict[str, Any]:
    return {"id": project.id, "name": project.name, "created_ms": project.created_ms}


def _money(name: str, nusd: Nanodollars) -> dict[str, Any]:
    """A decimal for people and programs that want one, and the exact integer (TRUST B1)."""
    return {name: Raw(decimal_text(nusd).encode()), f"{name}Nusd": nusd}


def _grouped(key: str, rows: list[tuple[str, int, Nanodollars]]) -> list[dict[str, Any]]:
    return [{key: name, "calls": calls, **_money("cost", cost)} for name, calls, cost in rows]


def _text(name: str) -> str:
    value = decode_object(request.environ["wsgi.input"].read()).get(name)
    if not isinstance(value, str):
        raise BadRequest(f"The field '{name}' must be a string.", param=name)
    return value


def _provider(given: dict[str, Any]) -> AddedProvider:
    name, wire, url, key = (given.get(field) for field in ("name", "wire", "url", "key"))
    if not (isinstance(name, str) and name.isascii() and name.replace("-", "").isalnum()):
        raise BadRequest("A provider's name has letters, digits and hyphens.", param="name")
    if name in {"local", "auto", *(row.name for row in ENDPOINTS)}:
        raise BadRequest(f"The name {name!r} is taken by LARouter itself.", param="name")
    if not (isinstance(wire, str) and wire in WIRES):
        raise BadRequest(
            f"wire must be one of {', '.join(sorted(WIRES))} in this version.", param="wire"
        )
    if key is not None and not (isinstance(key, str) and key.isascii() and key.isprintable()):
        raise BadRequest("The key must be printable ASCII.", param="key")
    try:
        return AddedProvider(name=name, wire=wire, url=parse_url("url", str(url)))
    except SettingsError as error:
        raise BadRequest(str(error), param="url") from error

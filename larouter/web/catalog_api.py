"""The catalogue over our own API: what is in force, and another one in its place. For the admin."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.catalog import Model
from larouter.core.catalog_changes import Change
from larouter.core.errors import BadRequest
from larouter.core.price_table import price_table
from larouter.store.catalog_source import fetch_catalog
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_UNKNOWN = "unknown"


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route of `/api/catalog`."""
    routes = Blueprint("catalog", __name__)
    view = CatalogRoutes(services, auth)
    routes.get("/api/catalog")(view.show)
    routes.post("/api/catalog")(view.update)
    routes.delete("/api/catalog")(view.reset)
    return routes


class CatalogRoutes:
    """One method a route."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def show(self) -> Response:
        self._auth.require_admin(request.environ)
        return json_response({**self._state(), "toml": self._services.catalogs.text})

    def update(self) -> Response:
        """Say what would change; with `apply` and the `digest` of that answer, change it."""
        self._auth.require_admin(request.environ)
        given = decode_object(request.environ["wsgi.input"].read())
        text = self._text(given)
        catalogs = self._services.catalogs
        if given.get("apply") is not True:
            digest, found = catalogs.preview(text)
            return json_response(
                {"applied": False, "digest": digest, "changes": [_change(row) for row in found]}
            )
        found = catalogs.replace(text, str(given.get("digest")))
        return self._changed(found)

    def reset(self) -> Response:
        """Back to the catalogue that came with this version."""
        self._auth.require_admin(request.environ)
        return self._changed(self._services.catalogs.reset())

    def _text(self, given: dict[str, Any]) -> str:
        toml, url = given.get("toml"), given.get("url")
        if isinstance(toml, str) and url is None:
            return toml
        if isinstance(url, str) and toml is None:
            return fetch_catalog(url, self._services.settings.proxies)
        raise BadRequest("Give the catalogue as 'toml', its text, or as 'url', where it is.")

    def _changed(self, found: list[Change]) -> Response:
        changes = [_change(row) for row in found]
        return json_response({**self._state(), "applied": True, "changes": changes})

    def _state(self) -> dict[str, Any]:
        catalogs = self._services.catalogs
        return {
            "date": catalogs.current.date,
            "from": "shipped" if catalogs.is_shipped else "kept",
            "problem": catalogs.problem,
            "models": len(catalogs.current.models),
        }


def model_row(model: Model, missing: str | None) -> dict[str, Any]:
    """What is known of a model, with sources; `unknown` is what nobody has read."""
    return {
        "id": model.id,
        "provider": model.provider,
        "title": model.title,
        "context": model.context or _UNKNOWN,
        "max_output": model.max_output or _UNKNOWN,
        "abilities": sorted(model.abilities),
        "refuses": sorted(model.refuses),
        "source": model.source,
        "checked": str(model.checked) if model.checked else _UNKNOWN,
        "retires": str(model.retires) if model.retires else None,
        "successor": model.successor,
        "price": {"input": _UNKNOWN, "output": _UNKNOWN, **price_table(model.price)},
        "prices": [price_table(price) for price in model.prices],
        "missing": missing,
    }


def _change(row: Change) -> dict[str, str]:
    return {name: text for name, text in row._asdict().items() if text}

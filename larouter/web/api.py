"""LARouter's own API: providers, models, codes to sign in with. For the admin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.config import SettingsError, parse_key, parse_url
from larouter.core.errors import BadRequest
from larouter.providers import ENDPOINTS
from larouter.providers.known import ADDABLE_WIRES, Known
from larouter.store.providers import AddedProvider
from larouter.web import session
from larouter.web.auth import Auth
from larouter.web.catalog_api import model_row
from larouter.web.local_rows import advice_row, local_row, machine_row
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """The routes below `/api` that are nobody else's."""
    routes = Blueprint("api", __name__)
    view = Api(services, auth)
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

    def list_providers(self) -> Response:
        self._admin()
        settings = self._services.settings
        place = self._services.keys.place
        built_in = [
            {
                "name": row.name,
                "wire": row.wire,
                "url": settings.addresses.get(row.name, row.url),
                "has_key": place(row.name) != "none",
                "key_in": place(row.name),
                "key_refused": self._services.key_refused(row.name),
                "added": False,
            }
            for row in ENDPOINTS
        ]
        added = [
            {"name": row.name, "wire": row.wire, "url": row.url,
             "has_key": place(row.name) != "none", "key_in": place(row.name),
             "key_refused": self._services.key_refused(row.name), "added": True}
            for row in self._services.added.list()
        ]  # fmt: skip
        return json_response({"data": built_in + added})

    def add_provider(self) -> Response:
        self._admin()
        given = decode_object(request.environ["wsgi.input"].read())
        provider = _provider(given, self._services.known)
        key = read_key(given["key"]) if given.get("key") is not None else None
        self._services.added.add(provider)
        place = self._services.keys.set(provider.name, key) if key else None
        self._services.reload_providers()
        return json_response(
            {"name": provider.name, "wire": provider.wire, "url": provider.url, "key_in": place},
            201,
        )

    def remove_provider(self, name: str) -> Response:
        self._admin()
        self._services.added.remove(name)
        self._services.keys.delete(name)
        self._services.reload_providers()
        return json_response({"name": name, "deleted": True})

    def catalog(self) -> Response:
        """Every model; what of it is on this machine, and which would fit."""
        self._admin()
        catalog, missing = self._services.catalog, self._services.missing
        now = self._services.local_models()
        local = {row.model.id: local_row(row) for row in now.models}
        models = [
            {**model_row(model, missing(model)), **local.get(model.id, {})}
            for model in catalog.models.values()
        ]
        return json_response(
            {
                "date": catalog.date,
                "machine": machine_row(now.machine),
                "recommended": advice_row(now.advice),
                "data": models,
            }
        )

    def sign_in_code(self) -> Response:
        """A one-time code for a browser; single use, ten minutes (TRUST S5)."""
        self._admin()
        return json_response({"code": session.issue_code()}, 201)

    def _admin(self) -> None:
        self._auth.require_admin(request.environ)


def read_key(given: object) -> str:
    """A provider's key out of a body; raises `BadRequest`, which does not repeat it."""
    if not isinstance(given, str):
        raise BadRequest("The key must be a string.", param="key")
    try:
        return parse_key("The key", given)
    except SettingsError as error:
        raise BadRequest(str(error), param="key") from None


def _provider(given: dict[str, Any], known: Mapping[str, Known]) -> AddedProvider:
    name, wire, url = (given.get(field) for field in ("name", "wire", "url"))
    if not (isinstance(name, str) and name.isascii() and name.replace("-", "").isalnum()):
        raise BadRequest("A provider's name has letters, digits and hyphens.", param="name")
    if name in {"local", "auto", *(row.name for row in ENDPOINTS)}:
        raise BadRequest(f"The name {name!r} is taken by LARouter itself.", param="name")
    row = known.get(name)
    if url is None and row is None:
        raise BadRequest(
            f"No address is known for {name!r}; give one with --url. Known by name: "
            f"{', '.join(sorted(known))}.",
            param="url",
        )
    # A known address goes with its own format, a given one with what most servers speak.
    if wire is None:
        wire = row.wire if row is not None and url is None else "openai"
    if not (isinstance(wire, str) and wire in ADDABLE_WIRES):
        raise BadRequest(f"wire must be one of {', '.join(ADDABLE_WIRES)}.", param="wire")
    if url is None and row is not None:
        url = row.url
    try:
        return AddedProvider(name=name, wire=wire, url=parse_url("url", str(url)))
    except SettingsError as error:
        raise BadRequest(str(error), param="url") from error

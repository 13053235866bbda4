"""The keys of providers: where each comes from, give one, take it away, ask what it opens.

A key comes in and never goes out again: no answer, no error and no log has it (TRUST S6).
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.errors import NotFound
from larouter.providers import Endpoint
from larouter.providers.lifecycle import Lost
from larouter.web.api import read_key
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route below `/api/keys`, for the admin."""
    routes = Blueprint("keys", __name__)
    view = KeyRoutes(services, auth)
    routes.get("/api/keys")(view.list_keys)
    routes.put("/api/keys/<name>")(view.set_key)
    routes.delete("/api/keys/<name>")(view.remove_key)
    routes.post("/api/keys/<name>/check")(view.check_key)
    return routes


class KeyRoutes:
    """One method a route."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def list_keys(self) -> Response:
        self._auth.require_admin(request.environ)
        rows = [self._row(row) for row in self._services.endpoints.values()]
        return json_response({"data": rows})

    def set_key(self, name: str) -> Response:
        """Keep a key; it is used from the next request on."""
        row = self._provider(name)
        key = read_key(decode_object(request.environ["wsgi.input"].read()).get("key"))
        kept_in = self._services.keys.set(name, key)
        self._services.reload_providers()
        return json_response({**self._row(row), "kept_in": kept_in})

    def remove_key(self, name: str) -> Response:
        row = self._provider(name)
        if not self._services.keys.is_kept(name):
            raise NotFound(f"LARouter keeps no key of {name}.")
        self._services.keys.delete(name)
        self._services.reload_providers()
        return json_response({**self._row(row), "deleted": True})

    def check_key(self, name: str) -> Response:
        """Ask the provider; this may take some seconds."""
        self._provider(name)
        found, lost = self._services.check_key(name)
        return json_response(
            {
                "name": name,
                "ok": found.ok,
                "reason": found.reason,
                "models": found.models,
                "lost": [_lost(model) for model in lost],
            }
        )

    def _provider(self, name: str) -> Endpoint:
        self._auth.require_admin(request.environ)
        row = self._services.endpoints.get(name)
        if row is None:
            raise NotFound(f"There is no provider {name!r}. larouter providers list names them.")
        return row

    def _row(self, row: Endpoint) -> dict[str, Any]:
        return {
            "name": row.name,
            "title": row.title,
            "key_in": self._services.keys.place(row.name),
            "is_kept": self._services.keys.is_kept(row.name),
            "variable": row.key_variable,
            "needs_key": row.key_variable is not None,
            "has_address": row.url is not None,
        }


def _lost(lost: Lost) -> dict[str, Any]:
    retires = lost.model.retires
    return {
        "model": lost.model.key,
        "why": lost.why,
        "retires": retires.isoformat() if retires else None,
        "successor": lost.successor.key if lost.successor else None,
    }

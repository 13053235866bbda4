"""Downloads of models over our own API: start, watch, pause, resume, cancel. For the admin."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.errors import BadRequest, ModelNotFound
from larouter.downloads.order import Order, order_of
from larouter.downloads.reference import read_reference
from larouter.downloads.row import Row
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object, encode

_EVERY_S = 0.5
_HEARTBEAT_S = 15.0
_LIFE_S = 3600.0
_EVENTS = "text/event-stream"


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route about downloads."""
    routes = Blueprint("downloads", __name__)
    view = DownloadRoutes(services, auth)
    routes.post("/api/models/download")(view.start)
    routes.get("/api/models/downloads")(view.list_downloads)
    routes.post("/api/models/downloads/<id>/pause")(view.pause)
    routes.post("/api/models/downloads/<id>/resume")(view.resume)
    routes.delete("/api/models/downloads/<id>")(view.cancel)
    routes.delete("/api/models/<id>")(view.remove)
    return routes


class DownloadRoutes:
    """One method a route."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth
        self._downloads = services.downloads

    def start(self) -> Response:
        """Put a model of the catalogue, or any `owner/repo:file` of the hub, into the queue; one
        that is there already is left so."""
        self._auth.require_admin(request.environ)
        model_id = decode_object(request.environ["wsgi.input"].read()).get("id")
        if not isinstance(model_id, str):
            raise BadRequest("Name a model of the catalogue, as 'id'.", param="id")
        row = self._downloads.start(self._order(model_id))
        return json_response(row, 200 if row.state == "done" else 202)

    def list_downloads(self) -> Response:
        """All of them; as events, whenever something changes, until the server stops."""
        self._auth.require_admin(request.environ)
        if _EVENTS in request.headers.get("Accept", ""):
            return Response(self._events(), mimetype=_EVENTS)
        return json_response({"data": self._downloads.rows()})

    def pause(self, id: str) -> Response:
        self._auth.require_admin(request.environ)
        return json_response(self._downloads.pause(id))

    def resume(self, id: str) -> Response:
        self._auth.require_admin(request.environ)
        return json_response(self._downloads.resume(id))

    def cancel(self, id: str) -> Response:
        """Give it up; what has arrived is deleted."""
        self._auth.require_admin(request.environ)
        freed = self._downloads.cancel(id)
        return json_response({"id": id, "deleted": True, "freed_bytes": freed})

    def remove(self, id: str) -> Response:
        """Delete a model's files; with `preview=1`, only say how much that would free."""
        self._auth.require_admin(request.environ)
        model = self._services.catalog.models.get(id.removeprefix("local/"))
        if model is None:
            raise ModelNotFound(f"There is no model {id!r}. larouter models list names them.")
        is_preview = request.args.get("preview") == "1"
        freed = self._services.removal.remove(model, is_preview=is_preview)
        return json_response({"id": model.id, "deleted": not is_preview, "freed_bytes": freed})

    def _order(self, name: str) -> Order:
        model = self._services.catalog.models.get(name.removeprefix("local/"))
        if model is not None:
            return order_of(model, round(time.time() * 1000))
        reference = read_reference(name)
        if reference is not None:
            return self._services.bringing.order(reference, self._downloads.orders)
        raise ModelNotFound(
            f"The catalogue has no model {name!r}. larouter models list names them; another one of "
            "the hub is OWNER/REPO:FILE.",
            param="id",
        )

    def _events(self) -> Iterator[bytes]:
        said_at = time.monotonic()
        for rows in self._downloads.watch(_EVERY_S, _LIFE_S):
            if rows is not None:
                yield _event(rows)
            elif time.monotonic() - said_at >= _HEARTBEAT_S:
                yield b": still here\n\n"
            else:
                continue
            said_at = time.monotonic()
        yield b"event: end\ndata: {}\n\n"


def _event(rows: list[Row]) -> bytes:
    return b"event: downloads\ndata: " + encode({"data": rows}) + b"\n\n"

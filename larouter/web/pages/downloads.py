"""Downloads on the page of local models: one button, and how far each is while it comes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from flask import Blueprint, Response, abort, request

from larouter.core.errors import LARouterError, ModelNotFound
from larouter.downloads.order import order_of
from larouter.downloads.row import Row
from larouter.downloads.words import percent, words
from larouter.web import assets, htmx, session
from larouter.web.shown import Shown

ENTRY = None

_OPEN = frozenset({"queued", "running", "paused", "failed"})


def blueprint(services: Shown) -> Blueprint:
    page = Blueprint("downloads_page", __name__)
    view = DownloadsPart(services)
    page.after_request(assets.secure)
    page.get("/models/downloads")(view.far)
    page.post("/models/downloads")(view.act)
    page.add_app_template_global(view.shown, "open_downloads")
    page.add_app_template_global(view.seen, "seen_downloads")
    return page


class DownloadsPart:
    """What the page asks for every second while something comes, and what its buttons do."""

    def __init__(self, services: Shown) -> None:
        self._services = services

    def far(self) -> Response:
        """How far each is. `seen`: what the page shows; where that has changed, a button or a model
        that has come must change as well, so the page is asked for anew."""
        if not session.sessions().is_live():
            return htmx.go_to("/sign-in")
        if not htmx.is_fragment_wanted():
            return htmx.go_to("/models")
        response = htmx.render("models", "far")
        if request.args.get("seen") != self.seen():
            response.headers["HX-Refresh"] = "true"
        return response

    def act(self) -> Response:
        """`do` with each `id`: download, pause, resume or cancel."""
        if not session.is_own_origin(request):
            abort(403)
        if not session.sessions().is_live():
            return htmx.go_to("/sign-in")
        if not session.is_csrf_safe(request):
            abort(403)
        downloads = self._services.downloads
        actions = {
            "download": self._start,
            "pause": downloads.pause,
            "resume": downloads.resume,
            "cancel": downloads.cancel,
        }
        act = actions.get(request.form.get("do", ""))
        if act is None:
            abort(400)
        refused = None
        for model_id in request.form.getlist("id"):
            try:
                act(model_id)
            except LARouterError as error:
                refused = error.message
        if htmx.is_fragment_wanted():
            return htmx.render("models", "downloads", refused=refused)
        return htmx.go_to("/models")

    def shown(self) -> list[tuple[Row, int | None, str]]:
        """Those that have not come yet: the row, how far in per cent, and that in words."""
        return [
            (row, percent(said := msgspec.to_builtins(row)), words(said)) for row in self._open()
        ]

    def seen(self) -> str:
        """What the buttons depend on."""
        return " ".join(f"{row.id}:{row.state}" for row in self._open())

    def _open(self) -> Sequence[Row]:
        return [row for row in self._services.downloads.rows() if row.state in _OPEN]

    def _start(self, model_id: str) -> Row:
        model = self._services.catalog.models.get(model_id)
        if model is None:
            raise ModelNotFound(f"There is no model {model_id!r}.")
        return self._services.downloads.start(order_of(model, round(time.time() * 1000)))

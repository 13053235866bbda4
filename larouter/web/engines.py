"""The engines of local models over our own API: how they stand, load, unload, and how fast.

For the admin.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request
from msgspec import structs

from larouter.bootstrap import Services
from larouter.core.catalog import Model
from larouter.core.errors import ModelNotFound
from larouter.engines.bench import Measure, bench
from larouter.web import progress
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route of one model's engine."""
    routes = Blueprint("engines", __name__)
    view = EngineRoutes(services, auth)
    routes.get("/api/models/<id>/engine")(view.show)
    routes.post("/api/models/<id>/load")(view.load)
    routes.post("/api/models/<id>/unload")(view.unload)
    routes.post("/api/models/<id>/bench")(view.bench)
    return routes


class EngineRoutes:
    """One method a route."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def show(self, id: str) -> Response:
        """With the end of its log."""
        self._auth.require_admin(request.environ)
        return json_response(self._row(self._model(id)))

    def load(self, id: str) -> Response:
        """Start it, after a quarantine too, and answer when it is ready."""
        self._auth.require_admin(request.environ)
        model, given = self._model(id), self._given()
        runner = self._services.runner
        runner.reset(model)

        def work() -> dict[str, Any]:
            runner.ensure_ready(model)
            return self._row(model)

        def told() -> dict[str, Any]:
            found = runner.status(model)
            # Until it is started it waits for room.
            status = "loading" if found.state in {"loading", "ready"} else "waiting"
            return {"status": status, "progress": found.progress}

        return progress.answer(streamed=given.get("stream") is True, work=work, told=told)

    def unload(self, id: str) -> Response:
        """Free its memory; with `force` even while it answers somebody."""
        self._auth.require_admin(request.environ)
        model, given = self._model(id), self._given()
        if given.get("force") is True:
            self._services.runner.stop(model)
        else:
            self._services.runner.unload(model)
        return json_response(self._row(model))

    def bench(self, id: str) -> Response:
        """Time it on prompts of a few lengths. Nothing is written to the ledger: nobody asked."""
        self._auth.require_admin(request.environ)
        model, given = self._model(id), self._given()
        services, done = self._services, list[Measure]()

        def work() -> dict[str, Any]:
            began = time.monotonic()
            was_hot = services.runner.state(model) == "ready"
            address = services.runner.ensure_ready(model)
            load_s = None if was_hot else time.monotonic() - began
            most = services.runner.status(model).context
            for row in bench(address, most):
                done.append(row)
                services.pace.learn(
                    model,
                    prompt_tokens=row.prompt_tokens,
                    output_tokens=row.output_tokens,
                    first_s=row.first_s,
                    total_s=row.total_s,
                )
            rows = [asdict(row) for row in done]
            return {"id": model.id, "load_s": load_s, "rows": rows}

        def told() -> dict[str, Any]:
            return {"status": services.runner.state(model), "rows": len(done)}

        return progress.answer(streamed=given.get("stream") is True, work=work, told=told)

    def _given(self) -> dict[str, Any]:
        body = request.environ["wsgi.input"].read()
        return decode_object(body) if body else {}

    def _model(self, id: str) -> Model:
        model = self._services.catalog.models.get(id)
        if model is None or not model.is_local:
            raise ModelNotFound(
                f"There is no model {id!r} on this machine. larouter models list names them."
            )
        return model

    def _row(self, model: Model) -> dict[str, Any]:
        timing = self._services.pace.timing(model.key)
        measured = structs.asdict(timing) if timing else None
        status = asdict(self._services.runner.status(model))
        return {"id": model.id, **status, "measured": measured}

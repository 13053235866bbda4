"""Alerts over our own API: a project reads its own; the admin marks them and says where to."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.errors import BadRequest, UpstreamError
from larouter.core.report import AlertLine
from larouter.outbound import host_of
from larouter.store import sender
from larouter.store.alerts import MACHINE, letter, new_event
from larouter.store.webhooks import Webhook
from larouter.web.auth import Auth
from larouter.web.budgets import amount
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_MOST_IDS = 1_000


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route of `/api/alerts`."""
    routes = Blueprint("alerts_api", __name__)
    view = AlertRoutes(services, auth)
    routes.get("/api/alerts")(view.list_alerts)
    routes.post("/api/alerts/seen")(view.see)
    routes.get("/api/alerts/webhooks")(view.list_webhooks)
    routes.post("/api/alerts/webhooks")(view.add)
    routes.delete("/api/alerts/webhooks/<int:id>")(view.remove)
    routes.post("/api/alerts/webhooks/<int:id>/test")(view.test)
    return routes


class AlertRoutes:
    """One method a route; each begins with who may."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def list_alerts(self) -> Response:
        """A project's own, or for the admin everybody's or (`project`) one's; the newest first."""
        project = self._auth.project_or_admin(request.environ)
        owner = self._asked_project() if project is None else project.id
        unseen = request.args.get("unseen", "0")
        if unseen not in ("0", "1"):
            raise BadRequest("unseen is 1 (those that nobody has seen yet) or 0.", param="unseen")
        rows = self._services.reports.alerts(owner, unseen=unseen == "1")
        return json_response({"data": [_shown(row) for row in rows]})

    def see(self) -> Response:
        """`{"ids": [3]}`, with which the lower marks of the same budget and period are seen too;
        or `{"newest": 3}`: all up to that id."""
        self._auth.require_admin(request.environ)
        given = decode_object(request.environ["wsgi.input"].read())
        ids, newest = given.get("ids"), given.get("newest")
        if type(newest) is int and ids is None:
            return json_response({"seen": self._services.telling.alerts.see_all(newest)})
        if newest is not None or not isinstance(ids, list) or {type(id) for id in ids} - {int}:
            raise BadRequest('Give {"ids": [3]}, or {"newest": 3} for all up to it.', param="ids")
        return json_response({"seen": self._services.telling.alerts.see(ids[:_MOST_IDS])})

    def list_webhooks(self) -> Response:
        self._auth.require_admin(request.environ)
        rows = self._services.telling.webhooks.every(self._asked_project())
        return json_response({"data": [_webhook(row) for row in rows]})

    def add(self) -> Response:
        """`{"url", "project"}`; without a project, for everything. Its secret is shown now only."""
        self._auth.require_admin(request.environ)
        given = decode_object(request.environ["wsgi.input"].read())
        for field, value in given.items():
            if field not in ("url", "project") or not isinstance(value, str):
                raise BadRequest('A webhook is {"url", "project"}, both text.', param=field[:100])
        if "url" not in given:
            raise BadRequest("A webhook needs a url.", param="url")
        owner = given.get("project", MACHINE)
        project = None if owner == MACHINE else self._services.projects.get(owner).id
        id, secret = self._services.telling.webhooks.add(project, given["url"])
        row = self._services.telling.webhooks.get(id)
        return json_response({**_webhook(row), "secret": secret}, 201)

    def remove(self, id: int) -> Response:
        self._auth.require_admin(request.environ)
        url = self._services.telling.webhooks.remove(id)
        return json_response({"id": id, "url": url, "deleted": True})

    def test(self, id: int) -> Response:
        """Send a letter that says nothing, now. A webhook that was stopped goes on when it is
        taken."""
        self._auth.require_admin(request.environ)
        url, secret = self._services.telling.webhooks.target(id)
        now = time.time()
        body = letter("webhook.test", {"webhook_id": id}, int(now * 1_000))
        proxies = self._services.settings.proxies
        answer = sender.send(url, secret, new_event(), body, int(now), proxies)
        if answer.error is not None:
            raise UpstreamError(f"The webhook was not taken: {answer.error}.", sent=False)
        self._services.telling.webhooks.resume(id)
        took_ms = round((time.time() - now) * 1_000)
        return json_response(
            {"id": id, "host": host_of(url), "status": answer.status, "took_ms": took_ms}
        )

    def _asked_project(self) -> str | None:
        asked = request.args.get("project")
        return self._services.projects.get(asked).id if asked else None


def _shown(row: AlertLine) -> dict[str, Any]:
    is_budget = row.budget_id is not None
    return {
        "id": row.id,
        "type": "budget" if is_budget else "unusual",
        "project": row.project or MACHINE,
        "budget_id": row.budget_id,
        "budget": row.budget or None,
        "percent": row.mark or None,
        "blocked": is_budget and row.mark == 0,
        "created_ms": row.created_ms,
        "starts_ms": row.start_ms,
        "renews_ms": row.renews_ms,
        "seen": row.seen_ms is not None,
        "metric": row.metric,
        **amount("spent", row.metric, row.spent),
        **amount("cap", row.metric, row.cap),
    }


def _webhook(row: Webhook) -> dict[str, Any]:
    return {
        "id": row.id,
        "project": row.project or MACHINE,
        "url": row.url,
        "created_ms": row.created_ms,
        "stopped": row.stopped_ms is not None,
        "waiting": row.waiting,
        "sent": row.sent,
        "failed": row.failed,
        "error": row.error,
        "tried_ms": row.tried_ms,
        "next_ms": row.next_ms if row.waiting and row.next_ms else None,
    }

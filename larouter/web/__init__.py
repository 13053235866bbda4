"""The Flask app: the OpenAI endpoint, our own API, and the pages."""

from __future__ import annotations

import time

from flask import Flask, Response

from larouter.bootstrap import Services
from larouter.config import folder
from larouter.web import (
    alerts,
    anthropic,
    api,
    bearers,
    budgets,
    catalog_api,
    completions,
    database,
    downloads,
    embeddings,
    engines,
    feedback,
    gemini,
    keys,
    local_models,
    metrics,
    models,
    ollama,
    openai,
    pages,
    policies,
    projects,
    replay,
    replies,
    responses,
    statement_api,
    usage,
    usage_baseline,
)
from larouter.web.app import App
from larouter.web.auth import Auth

_DOORS = (
    bearers, downloads,
    openai, models, responses, completions, embeddings, anthropic, gemini, ollama, api, catalog_api,
    keys, projects, policies, budgets, alerts, feedback, replay, usage,
    usage_baseline, statement_api, metrics, database, local_models, engines,
)  # fmt: skip


def create_app(services: Services) -> Flask:
    """Build the app over services that are ready; it holds no state of its own."""
    app = App("larouter", template_folder=str(folder("templates")), static_folder=None)
    auth = Auth(
        services.projects,
        services.admin_key,
        keyless=services.settings.keyless,
        is_shared=services.is_shared,
    )
    replies.install(app)
    for door in _DOORS:
        app.register_blueprint(door.blueprint(services, auth))
    pages.install(app, services)

    @app.get("/health")
    def health() -> Response:
        uptime = time.time() - services.started_ms / 1000
        return replies.json_response({"status": "ok", "uptime": round(uptime, 3)})

    return app

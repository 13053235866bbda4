"""The pages: one module each, registered in this order."""

from __future__ import annotations

from flask import Flask

from larouter import __version__
from larouter.config import folder
from larouter.web import assets, session, theme, words
from larouter.web.pages import alerts, downloads, models, overview, sign_in, statements
from larouter.web.shown import Shown

PAGES = (overview, models, downloads, statements, alerts, sign_in)
"""Each has `blueprint(services)`, and `ENTRY`: its line in the navigation, or None."""

LAUNCH_PATHS = ("/sign-in", "/sign-out", "/theme", "/alerts/seen", "/models/downloads")
"""Where the listener's guard lets a POST of the origin `null` pass (TRUST S5): the launcher's file
has that origin, and so has a plain form of our own pages under `Referrer-Policy: no-referrer`.
Each of these looks at Sec-Fetch-Site and its token or code itself."""


def install(app: Flask, services: Shown) -> None:
    """Register every page and what they share: sessions, static files, words, the theme."""
    sessions = session.Sessions(services.admin_key, codes=services.codes)
    session.install(app, services.admin_key, services.address, sessions)
    assets.install(app, folder("static"))
    words.install(app)
    app.register_blueprint(theme.blueprint())
    for page in PAGES:
        app.register_blueprint(page.blueprint(services))
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        navigation=[page.ENTRY for page in PAGES if page.ENTRY is not None],
        theme=theme.chosen,
        themes=theme.THEMES,
        version=__version__,
    )

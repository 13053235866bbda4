"""Light, dark, or as the system has it: kept in a cookie, so that a page arrives in its theme."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request

from larouter.web import assets, htmx, session

THEMES = (
    ("system", "As the system", "monitor"),
    ("light", "Light", "sun"),
    ("dark", "Dark", "moon"),
)
"""Name, words, icon."""

_COOKIE = "larouter_theme"
_YEAR_S = 365 * 24 * 3600


def chosen() -> str:
    """This browser's theme: `system` until another was chosen."""
    theme = request.cookies.get(_COOKIE, "")
    return theme if theme in _names() else "system"


def blueprint() -> Blueprint:
    page = Blueprint("theme", __name__)
    page.after_request(assets.secure)

    @page.post("/theme")
    def choose() -> Response:
        theme = request.form.get("theme", "")
        if not session.is_own_origin(request):
            abort(403)
        if not session.sessions().is_live():
            return htmx.go_to("/")
        if not session.is_csrf_safe(request):
            abort(403)
        if theme not in _names():
            abort(400)
        if htmx.is_fragment_wanted():
            response = make_response(render_template("_ui/_theme.html", theme=lambda: theme))
            response.headers["HX-Trigger"] = f'{{"larouter:theme": "{theme}"}}'
        else:
            response = htmx.go_to("/")
        response.set_cookie(_COOKIE, theme, max_age=_YEAR_S, httponly=True, samesite="Strict")
        return response

    return page


def _names() -> tuple[str, ...]:
    return tuple(name for name, _, _ in THEMES)

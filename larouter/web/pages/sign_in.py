"""Signing in and out: a one-time code or the admin key for a session (TRUST S5)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from larouter.web import assets, htmx, session
from larouter.web.session import Road
from larouter.web.shown import Shown

ENTRY = None

_WRONG: dict[Road, str] = {
    "code": "This link was used before or is older than ten minutes: run larouter open again.",
    "key": "That is not the admin key of this LARouter. Check for a missing character.",
}
_FOREIGN = "This request came from another site, so it was not accepted."


def blueprint(_services: Shown) -> Blueprint:
    page = Blueprint("sign_in", __name__)
    page.after_request(assets.secure)
    page.add_url_rule("/sign-in", view_func=form, methods=["GET"])
    page.add_url_rule("/sign-in", view_func=enter, methods=["POST"])
    page.add_url_rule("/sign-in/<code>", view_func=link, methods=["GET"])
    page.add_url_rule("/sign-out", view_func=leave, methods=["POST"])
    return page


def form() -> Response:
    if session.sessions().is_live():
        return htmx.go_to("/")
    return htmx.render("sign_in")


def first() -> Response:
    """What somebody who is not signed in gets in place of a page."""
    return htmx.go_to("/sign-in") if htmx.is_fragment_wanted() else htmx.render("sign_in")


def link(code: str) -> Response:
    """Ask for one click: a program that looks at links ahead of people must not use it up."""
    return make_response(render_template("sign_in/link.html", code=code))


def enter() -> Response:
    """Exchange a code or the admin key for a session."""
    code, key = request.form.get("code"), request.form.get("admin_key", "")
    road: Road = "key" if code is None else "code"
    if not _may_ask(road):
        return _refuse(403, _FOREIGN)
    # A code is too long to be guessed: a right one is heard even while wrong ones are not.
    if code is not None and session.sessions().codes.redeem(code):
        session.sessions().sign_in()
        # A redirect would still count as the launcher's file going here, and a browser keeps a
        # SameSite=Strict cookie from such a journey; a page of ours that moves on starts its own.
        return make_response(render_template("sign_in/done.html"))
    wait_s = session.sessions().limiter.wait_s(road)
    if wait_s:
        response = _refuse(429, f"Too many attempts. Try again in {wait_s} seconds.")
        response.headers["Retry-After"] = str(wait_s)
        return response
    if road == "key" and session.sessions().accepts_key(key.strip()):
        session.sessions().sign_in()
        return htmx.go_to("/")
    session.sessions().limiter.failed(road)
    return _refuse(401, _WRONG[road])


def leave() -> Response:
    if not session.is_own_origin(request):
        return _refuse(403, _FOREIGN)
    if session.sessions().is_live():
        if not session.is_csrf_safe(request):
            return _refuse(403, "This page is out of date: go back, reload it and try again.")
        session.sessions().sign_out()
    return htmx.go_to("/")


def _may_ask(road: Road) -> bool:
    # The launcher's file is a stranger to the browser: its origin is `null`, and cross-site.
    is_launcher = road == "code" and request.headers.get("Origin") == "null"
    return is_launcher or session.is_own_origin(request)


def _refuse(status: int, words: str) -> Response:
    response = htmx.render("sign_in", problem=words)
    response.status_code = status
    return response

"""The banner on every page: alerts that nobody has seen yet, and trouble with the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flask import Blueprint, Response, abort, make_response, render_template, request

from larouter.core.report import AlertLine
from larouter.web import alert_words, assets, htmx, session
from larouter.web.shown import Shown

ENTRY = None

_SHOWN = 3
_MOST = 200


def blueprint(services: Shown) -> Blueprint:
    page = Blueprint("alerts", __name__)
    page.after_request(assets.secure)
    parts = alert_parts(services)

    @page.post("/alerts/seen")
    def see() -> Response:
        """`id`: one, and the lower marks of its budget; `newest`: all up to that one."""
        if not session.is_own_origin(request):
            abort(403)
        if not session.sessions().is_live():
            return htmx.go_to("/")
        if not session.is_csrf_safe(request):
            abort(403)
        id, newest = (request.form.get(name, type=int) for name in ("id", "newest"))
        if newest is not None:
            services.telling.alerts.see_all(newest)
        elif id is not None:
            services.telling.alerts.see([id])
        else:
            abort(400)
        if htmx.is_fragment_wanted():
            return make_response(parts["alerts"]())
        return htmx.go_to("/")

    page.add_app_template_global(
        lambda: {name: render() for name, render in parts.items()}, "alert_parts"
    )
    return page


def alert_parts(services: Shown) -> Mapping[str, Callable[[], str]]:
    """What the banner is made of, by name; each renders itself as things are now.

    `alerted` is read out and names the newest alert alone: the figures of the others change with
    every request, and nobody wants to hear each of them.
    """

    def lines() -> list[AlertLine]:
        return newest_of(services.reports.alerts(unseen=True, limit=_MOST))

    def alerts() -> str:
        found = lines()
        return render_template(
            "_ui/_alerts.html",
            alerts=found[:_SHOWN],
            more=len(found[_SHOWN:]),
            newest=max((line.id for line in found), default=0),
            headline=alert_words.headline,
            standing=alert_words.standing,
            command=alert_words.command,
        )

    def alerted() -> str:
        words = [alert_words.headline(line) for line in lines()[:1]]
        return render_template("_ui/_alerted.html", words=words)

    def trouble() -> str:
        return render_template("_ui/_trouble.html", words=services.alarm.words())

    return {"trouble": trouble, "alerts": alerts, "alerted": alerted}


def newest_of(alerts: Sequence[AlertLine]) -> list[AlertLine]:
    """Of several marks of one budget in one period the newest: it says all that the others do."""
    found: dict[object, AlertLine] = {}
    for alert in alerts:
        found.setdefault((alert.budget_id, alert.project, alert.start_ms), alert)
    return list(found.values())

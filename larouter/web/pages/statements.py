"""A project's bill of a month, as a page that prints well; and the list of whose there are."""

from __future__ import annotations

from flask import Blueprint, Response

from larouter.core.errors import BadRequest, NotFound
from larouter.web import assets, htmx, session
from larouter.web.pages import sign_in
from larouter.web.shown import Shown
from larouter.web.statement_view import context_of
from larouter.web.usage_query import read_month

ENTRY = ("statements.index", "Statements", "file-text")


def blueprint(services: Shown) -> Blueprint:
    page = Blueprint("statements", __name__)
    view = Statements(services)
    page.before_request(_require_session)
    page.after_request(assets.secure)
    page.add_url_rule("/statements", endpoint="index", view_func=view.index)
    page.add_url_rule("/statements/<path:project>/<month>", endpoint="page", view_func=view.page)
    return page


def _require_session() -> Response | None:
    if session.sessions().is_live():
        session.sessions().touch()
        return None
    return sign_in.first()


class Statements:
    """The list, and one statement."""

    def __init__(self, services: Shown) -> None:
        self._services = services

    def index(self) -> Response:
        bills = self._services.bills
        rows = [(owner, f"{bills.today(owner.zone):%Y-%m}") for owner in bills.owners()]
        return htmx.render("statements/list", rows=rows)

    def page(self, project: str, month: str) -> Response:
        bills = self._services.bills
        try:
            statement = bills.statement(project, read_month(month))
        except (NotFound, BadRequest) as error:
            response = htmx.render("statements/lost", words=str(error))
            response.status_code = 404
            return response
        today = bills.today(statement.owner.zone)
        return htmx.render("statements", **context_of(statement, today))

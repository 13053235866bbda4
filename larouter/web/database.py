"""The database over our own API: let go of what is old. For the admin."""

from __future__ import annotations

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.errors import BadRequest
from larouter.web.auth import Auth
from larouter.web.calls import read_body
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_WITHIN_S = 5.0
"""One answer does not take longer; who asks goes on until all is done."""
_MOST_DAYS = 36_500


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("database_api", __name__)
    view = DatabaseRoutes(services, auth)
    routes.post("/api/database/purge")(view.purge)
    return routes


class DatabaseRoutes:
    """One method a route; each begins with who may."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def purge(self) -> Response:
        """Delete requests and stored responses that are older; their sums stay (TRUST S11)."""
        self._auth.require_admin(request.environ)
        given = decode_object(read_body(request.environ))
        days = given.get("older_than_days")
        if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= _MOST_DAYS:
            raise BadRequest(
                "older_than_days is a whole number of days, from 1.", param="older_than_days"
            )
        gone = self._services.retention.purge(days, within_s=_WITHIN_S)
        return json_response(gone._asdict())

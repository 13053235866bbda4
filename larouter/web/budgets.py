"""Budgets over our own API: the admin makes and changes them, a project sees those that bind it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from msgspec import Raw
from msgspec.structs import replace

from larouter.bootstrap import Services
from larouter.budget import NEVER_MS
from larouter.core.budget import ALERTS, Budget
from larouter.core.errors import BadRequest
from larouter.core.money import decimal_text, nanodollars
from larouter.routing import explicit_model
from larouter.store.admission import Place
from larouter.store.budgets import checked, checked_alerts, checked_cap, checked_name
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_TEXTS = ("project", "name", "metric", "period", "scope", "of")
_CHANGEABLE = ("cap", "hard", "name", "alerts")
_MACHINE = "machine"


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route of `/api/budget` and `/api/budgets`."""
    routes = Blueprint("budgets_api", __name__)
    view = BudgetRoutes(services, auth)
    routes.get("/api/budget")(view.of_project)
    routes.get("/api/budgets")(view.list_budgets)
    routes.post("/api/budgets")(view.add)
    routes.patch("/api/budgets/<int:id>")(view.change)
    routes.delete("/api/budgets/<int:id>")(view.remove)
    routes.post("/api/budgets/<int:id>/resume")(view.resume)
    return routes


class BudgetRoutes:
    """One method a route; each begins with who may."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def of_project(self) -> Response:
        """What binds a project: its own budgets. Of this machine's it learns nothing, as they tell
        what others spend."""
        project = self._auth.project(request.environ)
        return self._standing(self._services.budgets.every(project.id))

    def list_budgets(self) -> Response:
        self._admin()
        asked = request.args.get("project")
        project = self._services.projects.get(asked).id if asked else None
        return self._standing(self._services.budgets.every(project))

    def add(self) -> Response:
        """`{"project": name or "machine", "name", "cap", "metric", "period", "scope", "of", "hard",
        "alerts"}`. A cap is a decimal of dollars as text, or a whole number of tokens, requests."""
        self._admin()
        given = _fields(("cap", "hard", "alerts", *_TEXTS))
        for field in ("name", "cap", "project"):
            if field not in given:
                raise BadRequest(f"A budget needs a {field}.", param=field)
        owner = given.pop("project")
        project = None if owner == _MACHINE else self._services.projects.get(owner).id
        given["cap"] = _cap(given["cap"], given.get("metric", "cost"))
        wanted = checked(project_id=project, **given)
        budget = self._services.budgets.add(replace(wanted, of=self._named(wanted)))
        (place,) = self._services.budgets.standing([budget])
        return json_response(self._shown(place), 201)

    def change(self, id: int) -> Response:
        """Change cap, hard, name or alerts; what is spent stays spent."""
        self._admin()
        given = _fields(_CHANGEABLE)
        budgets = self._services.budgets
        metric = budgets.get(id).metric
        budget = budgets.change(
            id,
            cap=checked_cap(_cap(given["cap"], metric)) if "cap" in given else None,
            hard=given.get("hard"),
            name=checked_name(given["name"]) if "name" in given else None,
            alerts=checked_alerts(given["alerts"]) if "alerts" in given else None,
        )
        (place,) = budgets.standing([budget])
        return json_response(self._shown(place))

    def remove(self, id: int) -> Response:
        self._admin()
        budget = self._services.budgets.remove(id)
        return json_response({"id": budget.id, "name": budget.name, "deleted": True})

    def resume(self, id: int) -> Response:
        self._admin()
        (place,) = self._services.budgets.standing([self._services.budgets.resume(id)])
        return json_response(self._shown(place))

    def _named(self, budget: Budget) -> str:
        """What a budget is for, as the ledger writes it. A slip would limit nothing."""
        services, name = self._services, budget.of
        if budget.scope == "tier" and services.catalog.tier(name) is None:
            tiers = ", ".join(tier.name for tier in services.catalog.tiers)
            raise BadRequest(f"There is no tier {name!r}; there are {tiers}.", param="of")
        if budget.scope == "provider" and name not in (*services.prices, "local"):
            raise BadRequest(
                f"There is no provider {name!r}. See: larouter providers list.", param="of"
            )
        if budget.scope != "model":
            return name
        model = explicit_model(name, services.catalog, services.prices)
        if model is None:
            raise BadRequest(
                f"There is no model {name!r}: write an id of GET /v1/models, or provider/model.",
                param="of",
            )
        return model.key

    def _standing(self, budgets: list[Budget]) -> Response:
        places = self._services.budgets.standing(budgets)
        return json_response({"data": [self._shown(place) for place in places]})

    def _shown(self, place: Place) -> dict[str, Any]:
        budget = place.budget
        owner = budget.project_id
        return {
            "id": budget.id,
            "name": budget.name,
            "project": _MACHINE if owner is None else self._services.projects.get(owner).name,
            "metric": budget.metric,
            "period": budget.period,
            "zone": budget.zone,
            "scope": budget.scope,
            "of": budget.of,
            "hard": budget.hard,
            "alerts": budget.alerts,
            "blocked": place.is_blocked,
            "starts_ms": place.start_ms,
            "renews_ms": None if place.end_ms >= NEVER_MS else place.end_ms,
            **amount("cap", budget.metric, budget.cap),
            **amount("spent", budget.metric, place.spent),
            **amount("reserved", budget.metric, place.reserved),
            **amount("left", budget.metric, place.rest),
        }

    def _admin(self) -> None:
        self._auth.require_admin(request.environ)


def amount(name: str, metric: str, amount: int) -> dict[str, Any]:
    """Money as a decimal and as the exact integer (TRUST B1); what is counted, as it is."""
    if metric != "cost":
        return {name: amount}
    return {name: Raw(decimal_text(amount).encode()), f"{name}Nusd": amount}


def _fields(known: tuple[str, ...]) -> dict[str, Any]:
    """The body, its fields checked for their kinds; one that does not exist is a slip."""
    given = decode_object(request.environ["wsgi.input"].read())
    for field, value in given.items():
        if field not in known:
            raise BadRequest(f"A budget has no field {field!r} to set.", param=field[:100])
        if field in _TEXTS and not isinstance(value, str):
            raise BadRequest(f"The field '{field}' must be a string.", param=field)
        if field == "hard" and not isinstance(value, bool):
            raise BadRequest("The field 'hard' must be true or false.", param=field)
    if not given:
        raise BadRequest(f"Give at least one of {', '.join(known)}.")
    if "alerts" in given:
        given["alerts"] = _marks(given["alerts"])
    return given


def _marks(given: object) -> tuple[int, ...]:
    if not isinstance(given, list) or not all(type(mark) is int for mark in given):
        raise BadRequest(
            f"alerts is a list of whole per cents, such as {list(ALERTS)}.", param="alerts"
        )
    return tuple(given)


def _cap(given: object, metric: str) -> int:
    if metric != "cost":
        if type(given) is not int:
            raise BadRequest(f"A budget of {metric} has a whole number as its cap.", param="cap")
        return given
    if not isinstance(given, (str, int, float)) or isinstance(given, bool):
        raise BadRequest('cap is an amount of dollars, such as "5" or "0.50".', param="cap")
    try:
        # The shortest text of a float is what was written.
        return nanodollars(str(given))
    except ValueError as error:
        raise BadRequest(f"cap: {error}.", param="cap") from None

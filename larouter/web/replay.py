"""`/api/replay`: what another policy would have changed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.catalog import Catalog, Model, Price
from larouter.core.errors import BadRequest
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.policy_json import read_policy
from larouter.core.replay import BASELINES, Ranks, Recorded, Replay, Saving, replay
from larouter.routing import explicit_model
from larouter.routing.again import Again, Wishes
from larouter.store.projects import DEFAULT, not_found
from larouter.store.replays import History
from larouter.web.auth import Auth
from larouter.web.calls import read_body
from larouter.web.policies import check_names
from larouter.web.replies import json_response
from larouter.wire.strict_json import decode_object

_PERIOD = re.compile(r"([1-9]\d{0,3})d")
_DEFAULT_PERIOD = "30d"
_DAY_S = 86_400


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("replay", __name__)
    view = ReplayRoute(services, auth)
    routes.post("/api/replay")(view.replay)
    return routes


class ReplayRoute:
    """Nothing is asked of any model, and nothing is written."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def replay(self) -> Response:
        """The recorded requests of a project, or for the admin of all, under another policy."""
        asker = self._auth.project_or_admin(request.environ)
        given = decode_object(read_body(request.environ))
        _check_fields(given)
        project = self._project(asker, given.get("project"))
        projects = self._services.projects.list() if project is None else [project]
        wanted = given.get("policy", {})
        if not isinstance(wanted, dict):
            raise BadRequest("The field 'policy' must be an object.", param="policy")
        period = given.get("period", _DEFAULT_PERIOD)
        names = _baselines(given.get("baseline"))
        question = _question(
            self._services,
            {row.id: (self._policy(wanted, row.policy), row.bias) for row in projects},
            {row.id: (row.policy, row.bias) for row in projects},
            self._policy(wanted, DEFAULT_POLICY),
            names,
        )
        found = self._services.replays.read(
            question,
            since_ms=_since_ms(period),
            project_id=None if project is None else project.id,
        )
        return json_response(
            {"project": project.name if project else None, "period": period, **found}
        )

    def _policy(self, wanted: dict[str, Any], base: Policy) -> Policy:
        policy = read_policy(wanted, base=base)
        check_names(policy, wanted, self._services.catalog, self._services.prices)
        return policy

    def _project(self, asker: Project | None, name: object) -> Project | None:
        """Whose requests are meant; None: everybody's, for the admin."""
        if name is not None and not isinstance(name, str):
            raise BadRequest("The field 'project' must be a string.", param="project")
        if asker is None:
            if name == DEFAULT:
                self._services.projects.ensure_default()
            return None if name is None else self._services.projects.get(name)
        if name not in {None, asker.id, asker.name}:
            raise not_found(str(name))
        return asker


def _check_fields(given: Mapping[str, Any]) -> None:
    fields = ("project", "period", "policy", "baseline")
    for name in given:
        if name not in fields:
            raise BadRequest(
                f"A replay has {', '.join(fields)}, and no {name!r}.", param=name[:100]
            )


def _baselines(given: object) -> tuple[str, ...]:
    if given is None:
        return BASELINES
    if not isinstance(given, str) or given not in BASELINES:
        raise BadRequest(f"baseline is one of {', '.join(BASELINES)}.", param="baseline")
    return (given,)


def _since_ms(period: object) -> int:
    """When a period such as `7d` began, in Unix milliseconds; `all`: at the beginning of time."""
    if period == "all":
        return 0
    match = _PERIOD.fullmatch(period) if isinstance(period, str) else None
    if match is None:
        raise BadRequest("period is a number of days such as 7d, or all.", param="period")
    return int((time.time() - int(match[1]) * _DAY_S) * 1000)


def _question(
    services: Services,
    wanted: Wishes,
    present: Wishes,
    others: Policy,
    names: tuple[str, ...],
) -> Callable[[History], dict[str, Any]]:
    """What is worked out beside the hub; everything that is gevent's is asked here, before."""
    catalog, providers = services.catalog, dict(services.prices)
    why = {model.key: services.missing(model) for model in catalog.models.values()}
    for provider in providers:
        # A model that the catalogue does not know is there when its provider is.
        unlisted = Model(id=provider, name="", provider=provider)
        why[unlisted.key] = services.missing(unlisted)

    def missing(model: Model) -> str | None:
        return why[model.key] if model.key in why else why.get(f"{model.provider}/", "no-key")

    def question(history: History) -> dict[str, Any]:
        models = _models(catalog, providers, history, present)
        found = replay(
            history.rows(),
            Again(catalog, providers, missing, wanted, others).decide,
            present=Again(catalog, providers, missing, present).decide,
            ranks=Ranks(catalog),
            baselines={name: models[name] for name in names},
        )
        return _shown(found, history.without_numbers(), history.is_cut)

    return question


def _models(
    catalog: Catalog, providers: Mapping[str, Price], history: History, present: Wishes
) -> dict[str, Callable[[Recorded], Model | None]]:
    """Each baseline's model for a request; one that named its model keeps it in every baseline,
    and a text to embed has no other."""
    first = catalog.models[catalog.tiers[-1].models[0]] if catalog.tiers else None
    used = history.most_used()
    pins = {project: _pinned(policy, catalog) for project, (policy, _) in present.items()}

    def pin(row: Recorded) -> Model | None:
        name = pins.get(row.project) or used.get(row.project)
        return explicit_model(name, catalog, providers) if name else None

    def unless_named(
        of: Callable[[Recorded], Model | None],
    ) -> Callable[[Recorded], Model | None]:
        return lambda row: None if (row.stage, row.tier) == ("explicit", "-") else of(row)

    return {
        "frontier": unless_named(lambda row: first),
        "pin": unless_named(pin),
        "recorded": lambda row: None,
    }


def _pinned(policy: Policy, catalog: Catalog) -> str | None:
    """The model that a project has pinned to the dearest of its pinned tiers."""
    tiers = [tier.name for tier in reversed(catalog.tiers) if policy.pins.get(tier.name)]
    return policy.pins[tiers[0]][0] if tiers else None


def _shown(found: Replay, without_numbers: int, is_cut: bool) -> dict[str, Any]:
    return {
        "requests": found.requests,
        "changed": found.changed,
        "up": found.up,
        "down": found.down,
        "sideways": found.sideways,
        "refused": found.refused,
        "moves": found.moves,
        "savings": [_saving(saving) for saving in found.savings],
        "quality": found.quality,
        "without_numbers": without_numbers,
        "unanswered": found.unanswered,
        "unpriced": found.unpriced,
        "named": found.named,
        "anyway": found.anyway,
        "assumptions": _assumptions(found, without_numbers, is_cut),
    }


def _saving(saving: Saving) -> dict[str, Any]:
    low, high = saving.saving_between.low, saving.saving_between.high
    percent = saving.percent_between
    return {
        "baseline": saving.baseline,
        "requests": saving.requests,
        "cost_nusd": saving.cost,
        "new_cost_nusd": saving.new_cost,
        "saving_nusd": saving.saving,
        "saving_between_nusd": [int(low), int(high)],
        "percent": saving.percent,
        "percent_between": [percent.low, percent.high] if percent else None,
    }


def _assumptions(found: Replay, without_numbers: int, is_cut: bool) -> list[str]:
    """What the figures rest on, in sentences; of the counted ones those that are not zero."""
    counted = (
        (found.named, "Named their model and keep it where the policy allows it"),
        (found.unanswered, "Were never answered, and count with the tokens that were expected"),
        (found.unpriced, "Have an unknown price somewhere, and are left out of that money"),
        (found.refused, "Would be refused, and are left out of the money"),
        (found.anyway, "Would go elsewhere under the present policy too, as models, keys or the "
                       "classifier have changed"),
        (without_numbers, "Were recorded without numbers, so they are not looked at"),
    )  # fmt: skip
    return [
        "Prices are today's. Every model is priced for the tokens that were recorded, cached ones "
        "included; a model on this machine costs nothing.",
        "What is ready now may answer; what conversations remembered, and how busy models were, "
        "is not brought back. A privacy rule finds only what one found then.",
        "Of a hundred samples of requests like these, 95 come out between the two bounds.",
        *(["Only the newest requests are looked at."] if is_cut else []),
        *(f"{words}: {count}." for count, words in counted if count),
    ]

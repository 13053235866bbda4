"""What a policy may say: the words for people, and whether the names in one are somebody's."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from flask import Blueprint, Response, request

from larouter.bootstrap import Services
from larouter.core.catalog import Catalog, Price
from larouter.core.errors import BadRequest
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.policy_json import policy_json
from larouter.core.policy_rules import EXAMPLE, FIELDS, LOCAL
from larouter.core.policy_words import WORDS
from larouter.routing import explicit_model
from larouter.web.auth import Auth
from larouter.web.replies import json_response

_SEE = {
    "tier": "The tiers are {}.",
    "model": "Models are those of larouter models list, and provider/model.",
    "provider": "Providers are those of larouter providers list.",
}


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """The one route of `/api/policies`."""
    routes = Blueprint("policies", __name__)

    @routes.get("/api/policies")
    def policies() -> Response:
        """Every choice of a policy with its meaning, and the policy of who never chose."""
        auth.require_admin(request.environ)
        return json_response(
            {
                **{field: [word._asdict() for word in words] for field, words in WORDS.items()},
                "rules": {"fields": FIELDS, "example": EXAMPLE},
                "default": policy_json(DEFAULT_POLICY),
            }
        )

    return routes


def check_names(
    policy: Policy, given: Container[str], catalog: Catalog, providers: Mapping[str, Price]
) -> None:
    """Refuse tiers, models and providers that there are not, in the fields that are given: a slip
    would make a rule or a pin that never holds. Those kept before stay, as a catalogue may change.

    Raises `BadRequest`.
    """
    for field, what, name in _names(policy):
        if field not in given:
            continue
        is_known = {
            "tier": catalog.tier(name) is not None,
            "model": explicit_model(name, catalog, providers) is not None,
            "provider": name in providers,
        }
        if not any(is_known[kind] for kind in what):
            see = " ".join(_SEE[kind] for kind in what)
            tiers = ", ".join(tier.name for tier in catalog.tiers)
            raise BadRequest(
                f"There is no {' or '.join(what)} {name!r}. {see.format(tiers)}",
                param=f"policy.{field}",
            )


def _names(policy: Policy) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Every name in a policy: its field, what it may be, and the name."""
    for tier, models in policy.pins.items():
        yield "pins", ("tier",), tier
        yield from (("pins", ("model",), model) for model in models)
    for rule in policy.rules:
        for condition in rule.conditions:
            if condition.field == "tier":
                yield "rules", ("tier",), str(condition.value)
        if rule.action != LOCAL:
            yield "rules", ("tier", "model"), rule.action
    yield from (("providers", ("provider",), name) for name in sorted(policy.providers or ()))

"""A small house to route in: five tiers, a situation, and a verdict that the test chooses."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from larouter.core.catalog import FREE, Model, Price
from larouter.core.policy import Policy
from larouter.core.route import Verdict
from larouter.routing import Situation, route
from larouter.routing.situation import Case, estimated_tokens
from tests.fakes import a_catalog, a_request, with_fields

DEAR = Price(input=Decimal(5), output=Decimal(25), source="a page")


def local(name, **more):
    return Model(id=name, name=name, provider="local", title=name.title(), price=FREE, **more)


TINY, SMALL, LARGE, LESSER = local("tiny"), local("small"), local("large"), local("lesser")
SMART = Model(
    id="smart", name="smart-2026", provider="google", title="Smart", price=DEAR, max_output=1000
)
GENIUS = Model(
    id="genius", name="genius", provider="anthropic", title="Genius", price=DEAR, max_output=4000
)
HOUSE = a_catalog(
    TINY, SMALL, LARGE, LESSER, SMART, GENIUS,
    starter="tiny",
    HEARTBEAT=("tiny",), SIMPLE=("small",), MODERATE=("large", "lesser"),
    COMPLEX=("smart",), FRONTIER=("genius",),
)  # fmt: skip
PROVIDERS = {"local": FREE, "google": Price(), "anthropic": Price(), "openai": Price()}


def a_verdict(tier="SIMPLE", need_strong=0.3, **more):
    fields = {"score": 0.3, "confidence": 0.9, "stage": "rules", "reason": "said", **more}
    return Verdict(tier=tier, need_strong=need_strong, **fields)


def a_situation(*, catalog=HOUSE, without=None, verdict="SIMPLE", **more):
    """`without` says which models are missing and why; `verdict` is one, or its tier."""
    missing = without or {}
    found = a_verdict(verdict) if isinstance(verdict, str) else verdict
    return Situation(
        catalog=lambda: catalog,
        providers=PROVIDERS,
        missing=lambda model: missing.get(model.id),
        classify=lambda request: found,
        **more,
    )


def asking(policy=None, /, *, model="auto", text="hello", tier=None, **fields):
    """A request of a project with this policy, as keywords of `Policy`."""
    return with_fields(
        a_request(text, model=model, tier=tier), policy=Policy(**(policy or {})), **fields
    )


def routed(request=None, **situation):
    return route(request or a_request(), a_situation(**situation))


def a_case(request=None, *, limits=(), private=None, **situation):
    """The request as the steps see it."""
    request = request or a_request()
    world = a_situation(**situation)
    return Case(
        request=request,
        situation=world,
        catalog=world.catalog(),
        policy=request.policy,
        prompt_tokens=estimated_tokens(request),
        limits=limits,
        private=private,
    )


def names(decision):
    return [choice.model.id for choice in decision.choices]


def first(decision):
    return decision.choices[0].model.id, decision.choices[0].degraded


def changed(model, *, catalog=HOUSE, **more):
    """The catalogue with another version of one model."""
    return replace(catalog, models={**catalog.models, model.id: replace(model, **more)})

"""What a project's policy forbids: one row each, and a function that says why.

A row refuses models; it never makes an impossible one possible. How a policy *prefers* (cheapest,
best, the quality slider) is in `need.py` and `preference.py`; its rules are in `rules.py`.
"""

from __future__ import annotations

from larouter.core.budget import Bound
from larouter.core.catalog import Model, Tier
from larouter.core.money import Nanodollars, decimal_text
from larouter.routing.names import explicit_model
from larouter.routing.situation import Case, Limit

CHANGE = "larouter projects policy NAME"
"""The command that changes a policy."""

KINDS = {
    "secrets": "a secret",
    "email": "an e-mail address",
    "card": "a card number",
    "id": "an identity number",
    "pattern": "a word of your own list",
}
"""What a kind of private text is called."""


def _leaves(model: Model, case: Case) -> str | None:
    if model.is_local:
        return None
    return f"is not on this machine, which {private_words(case)} may not leave"


def _is_not_local(model: Model, case: Case) -> str | None:
    return None if model.is_local else "is not on this machine, and the mode is local-only"


def _is_local(model: Model, case: Case) -> str | None:
    return "is on this machine, and the mode is cloud-only" if model.is_local else None


def _is_not_allowed(model: Model, case: Case) -> str | None:
    # This machine is no provider that learns or charges anything; `cloud-only` keeps it out.
    if model.is_local or model.provider in (case.policy.providers or ()):
        return None
    return f"is of {model.provider}, which is not among the allowed providers"


def _costs_too_much(model: Model, case: Case) -> str | None:
    limit = case.policy.max_cost
    assert limit is not None, "the row applies where there is a limit"
    most = most_cost(case.situation.bound(model, case.request))
    if most is None:
        return f"has no known upper price, and a request may cost ${decimal_text(limit)}"
    if most <= limit:
        return None
    return f"may cost up to ${decimal_text(most)}, over the ${decimal_text(limit)} for a request"


def _costs(model: Model, case: Case) -> str | None:
    return None if model.price.is_free else "costs money, and the budget is spent"


def _is_spent(case: Case) -> bool:
    return case.request.over_budget


def _is_not_ruled(model: Model, case: Case) -> str | None:
    return None if model.is_local else "is not on this machine, and a rule says local"


POLICIES = (
    # name        counts when                        refuses a model that
    Limit("privacy", lambda case: case.private is not None, _leaves, "local-only", "privacy",
          "Ask for auto or a local model, begin a conversation without the private text, or allow "
          f"it: {CHANGE} --private none."),
    Limit("local-only", lambda case: case.policy.mode == "local-only", _is_not_local, "local-only",
          "policy", f"Another mode would let it: {CHANGE} --mode balanced."),
    Limit("cloud-only", lambda case: case.policy.mode == "cloud-only", _is_local, "policy",
          "policy", f"Another mode would let it: {CHANGE} --mode balanced."),
    Limit("providers", lambda case: case.policy.providers is not None, _is_not_allowed, "policy",
          "policy", f"To allow a provider: {CHANGE} --allow PROVIDER."),
    Limit("max-cost", lambda case: case.policy.max_cost is not None, _costs_too_much, "policy",
          "policy", f"Ask with a smaller max_tokens, or allow more: {CHANGE} --max-cost USD."),
    Limit("budget", _is_spent, _costs, "budget",
          "policy", "The budget's next period begins anew; a larger budget would help at once."),
)  # fmt: skip
"""The first one that refuses a model is the one that is told."""

RULED_LOCAL = Limit(
    "rule", lambda case: False, _is_not_ruled, "local-only", "policy",
    f"A rule can be taken away: {CHANGE} --drop-rule N.",
)  # fmt: skip
"""What a rule adds whose action is `local`; the rule itself says when."""

STAGES = {row.name: row.stage for row in (*POLICIES, RULED_LOCAL)}
REMEDIES = {row.name: row.remedy for row in (*POLICIES, RULED_LOCAL)}


def limits_of(case: Case) -> tuple[Limit, ...]:
    """The rows that count for this request."""
    return tuple([row for row in POLICIES if row.applies(case)])


def private_words(case: Case) -> str:
    """What it is that may not leave this machine."""
    return KINDS.get(case.private or "", "something private")


def own_models(tier: Tier, case: Case) -> tuple[Model, ...]:
    """The tier's models for this project, best first: its pins, else the catalogue's. A pin whose
    model is no longer there is passed over."""
    pins = case.policy.pins
    if pins and tier.name in pins:
        names = pins[tier.name]
        found = [explicit_model(name, case.catalog, case.situation.providers) for name in names]
        pinned = tuple([model for model in found if model is not None])
        if pinned:
            return pinned
    models = case.catalog.models
    return tuple([models[name] for name in tier.models])


def most_cost(bound: Bound) -> Nanodollars | None:
    """The most that a call can cost (TRUST B5); None: nobody can say."""
    if bound.price.is_free:
        return 0
    return None if bound.output is None or bound.tool else bound.cost(bound.output)

"""How strong a model a request needs: the classifier's word, moved by what the project prefers.

Between local and cloud stands a border. A classifier gives each tier a chance; together those
beyond the border are the chance that a strong model is needed. The quality slider, the mode and
what feedback has taught (`bias`) move the threshold on it, added up as log-odds to the classifier's
own lean. In the middle of the slider, without the others, the classifier's tier stands as it is.
"""

from __future__ import annotations

from math import exp, log

from msgspec import Struct

from larouter.core.catalog import Catalog, Model, Tier
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.route import Verdict

MODE_SHIFT = {"cheapest": -1.5, "best": 1.5}
"""Log-odds. A slider in the middle then has its threshold at 0.82 or 0.18: each mode moves the
unsure requests to its side, and leaves what is plain."""
NEGLIGIBLE = 0.05
"""Nothing crosses the border when the chance that it belongs on the other side is below this: no
setting sends a greeting to a cloud, or a proof to a small model."""
_END = 0.02
"""A slider at its end asks for odds of 50 to 1, not for certainty."""
_CERTAIN = 0.001
"""Nearer to 0 or 1 no classifier can say that it knows."""


class Need(Struct, frozen=True, kw_only=True):
    """What is looked for: a tier, who found it, and why."""

    tier: Tier
    stage: str
    score: float
    reasons: tuple[str, ...]
    """The weightiest first."""
    verdict: Verdict | None = None
    """None: the tier was asked for by name, and is never left upwards."""
    model: Model | None = None
    """The one that a rule names; the tier's own are behind it."""
    keeps: Model | None = None
    """The tier's own model that has the conversation: it goes before the tier's others."""
    is_firm: bool = False
    """Asked for by name or by a rule: no stand-in goes before it for being quicker."""

    @classmethod
    def named(cls, tier: Tier, catalog: Catalog) -> Need:
        """The client asked for this tier."""
        score = tier.rank / max(1, len(catalog.tiers) - 1)
        reasons = (f"tier {tier.name} was asked for",)
        return cls(tier=tier, stage="explicit", score=score, reasons=reasons, is_firm=True)


def shift(policy: Policy, bias: float) -> float:
    """What is added to the log-odds of `need_strong`; 0.0 leaves the verdict alone."""
    if policy is DEFAULT_POLICY:
        return bias
    return bias + slider(policy) + MODE_SHIFT.get(policy.mode, 0.0)


def threshold(policy: Policy, bias: float, lean: float = 0.0) -> float:
    """A chance above this wants a strong model, 0–1. `lean` is the verdict's own."""
    return 1 / (1 + exp(shift(policy, bias) + lean))


def strength(verdict: Verdict, first: int) -> float:
    """The chance that a strong model's tier is needed, 0–1; those are the tiers from `first` on. A
    stage without probabilities has only its `need_strong`."""
    return sum(verdict.probabilities[first:]) if verdict.probabilities else verdict.need_strong


def slider(policy: Policy) -> float:
    """Where the quality slider stands, in log-odds; 0.0 in the middle."""
    return _log_odds(policy.quality, _END)


def _log_odds(chance: float, least: float) -> float:
    chance = min(max(chance, least), 1 - least)
    return log(chance / (1 - chance))


def border(catalog: Catalog) -> int:
    """The rank of the first tier whose own model is not on this machine; 0 or the number of tiers
    where there is no such border."""
    for tier in catalog.tiers:
        if not catalog.models[tier.models[0]].is_local:
            return tier.rank
    return len(catalog.tiers)


def tier_for(verdict: Verdict, policy: Policy, bias: float, catalog: Catalog) -> Tier:
    """The verdict's tier, or its neighbour across the border where the preference says so."""
    found = catalog.tier(verdict.tier)
    assert found is not None, f"a stage named the tier {verdict.tier}, which is not there"
    moved = shift(policy, bias)
    first = border(catalog) if moved else 0
    if not 0 < first < len(catalog.tiers):
        return found
    is_strong = _log_odds(strength(verdict, first), _CERTAIN) + verdict.lean + moved > 0
    if moved > 0 and is_strong and found.rank < first:
        target = catalog.tiers[first]
    elif moved < 0 and not is_strong and found.rank >= first:
        target = catalog.tiers[first - 1]
    else:
        return found
    return target if _may_cross(verdict, found, target, first) else found


def _may_cross(verdict: Verdict, found: Tier, target: Tier, first: int) -> bool:
    """Is the other side likely enough? A stage that gives no probabilities is only sure enough of
    the tier that it names to let its neighbour stand in."""
    chances = verdict.probabilities
    if not chances:
        return abs(found.rank - target.rank) == 1
    beyond = chances[first:] if target.rank >= first else chances[:first]
    return sum(beyond) >= NEGLIGIBLE


def need_of(verdict: Verdict, policy: Policy, bias: float, catalog: Catalog) -> Need:
    """The verdict under the project's preference, with the numbers behind it."""
    tier = tier_for(verdict, policy, bias, catalog)
    strong = strength(verdict, border(catalog))
    limit = threshold(policy, bias, verdict.lean)
    likely = f"needs a strong model: {strong:.0%} likely"
    if tier.name == verdict.tier:
        stage = verdict.stage
        reasons = (verdict.reason, f"{likely}, limit {limit:.0%}")
    else:
        stage = "policy"
        side = "over" if strong > limit else "under"
        moved = f"{tier.name} instead of {verdict.tier}"
        reasons = (f"{moved}: {likely}, {side} your limit of {limit:.0%}", verdict.reason)
    return Need(tier=tier, stage=stage, score=verdict.score, reasons=reasons, verdict=verdict)

"""Lets through as much of a learnt bias as does no harm to prompts whose tier is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from larouter.core.catalog import Catalog
from larouter.core.learning import GuardRow, guarded
from larouter.core.policy import DEFAULT_POLICY
from larouter.core.route import Verdict
from larouter.routing.need import border, threshold, tier_for


def guard_of(
    rows: Sequence[GuardRow], catalog: Callable[[], Catalog], lean: float = 0.0
) -> Callable[[float], float]:
    """A function from what was learnt to what is used of it, measured with the tiers in force.
    `lean` is the classifier's (`Verdict.lean`)."""

    def guard(bias: float) -> float:
        tiers = catalog()
        return guarded(bias, rows, lambda row, moved: _rank(row, moved, tiers, lean), border(tiers))

    return guard


def _rank(row: GuardRow, bias: float, catalog: Catalog, lean: float) -> int:
    """The rank that the row's tier, as the classifier names it, gets under `bias` and no policy."""
    chances, first = row.probabilities, border(catalog)
    is_strong = sum(chances[first:]) >= threshold(DEFAULT_POLICY, 0.0, lean)
    side = range(first, len(chances)) if is_strong else range(min(first, len(chances)))
    likeliest = max(side, key=chances.__getitem__)
    # A catalogue of the user's own may have fewer tiers.
    tier = catalog.tiers[min(likeliest, len(catalog.tiers) - 1)]
    verdict = Verdict(
        tier=tier.name,
        score=0.0,
        need_strong=row.need_strong,
        lean=lean,
        confidence=1.0,
        stage="learned",
        reason="",
        probabilities=row.probabilities,
    )
    return tier_for(verdict, DEFAULT_POLICY, bias, catalog).rank

"""The declared order: who answers for a tier, and who stands in for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from larouter.core.catalog import Catalog, Model, Tier

Own = Callable[[Tier], Sequence[Model]]
"""A tier's own models, best first: the catalogue's, or a project's pins."""


class Candidate(Struct, frozen=True):
    """A model that may be considered for a tier."""

    model: Model
    rank: int
    """Of the tier that it is taken from; -1: the starter, which is below all of them."""
    is_own: bool
    """Of the tier itself; else it stands in."""


class Line(Struct, frozen=True):
    """Everybody behind one tier."""

    candidates: tuple[Candidate, ...]
    """The tier's own, cheaper tiers' from the nearest down, then dearer tiers' free models (never
    a dearer price: TRUST A4), the starter last."""
    dearer: tuple[Candidate, ...]
    """Of dearer tiers, cheapest first: asked only for what nobody before them can take."""


def line_of(tier: Tier, catalog: Catalog, own: Own) -> Line:
    above = catalog.tiers[tier.rank + 1 :]
    dearer = [Candidate(model, other.rank, False) for other in above for model in own(other)]
    return Line(tuple(_unique(_candidates(tier, catalog, own))), tuple(_unique(dearer)))


def _candidates(tier: Tier, catalog: Catalog, own: Own) -> Iterator[Candidate]:
    for model in own(tier):
        yield Candidate(model, tier.rank, True)
    below = catalog.tiers[: tier.rank]
    for other in (*reversed(below), *catalog.tiers[tier.rank + 1 :]):
        for model in own(other):
            if other.rank < tier.rank or model.price.is_free:
                yield Candidate(model, other.rank, False)
    if catalog.starter:
        yield Candidate(catalog.models[catalog.starter], -1, False)


def _unique(candidates: Iterator[Candidate] | Sequence[Candidate]) -> Iterator[Candidate]:
    """A model's first place is the one that counts."""
    seen = set()
    for candidate in candidates:
        if candidate.model.key not in seen:
            seen.add(candidate.model.key)
            yield candidate


class Lines:
    """The lines of the catalogue in force, each worked out once: they are needed at each request
    and change when the catalogue does."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._lines: dict[str, Line] = {}

    def of(self, tier: Tier, catalog: Catalog) -> Line:
        if catalog is not self._catalog:
            self._catalog, self._lines = catalog, {}
        line = self._lines.get(tier.name)
        if line is None:
            models = catalog.models
            line = line_of(tier, catalog, lambda tier: [models[name] for name in tier.models])
            self._lines[tier.name] = line
        return line

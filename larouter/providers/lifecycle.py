"""Models that a key does not open, or that their provider has retired, and who may follow. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from larouter.core.catalog import Catalog, Model

# What providers append to a name for one state of the model: claude-x-20260901, gpt-x-2026-09-01.
_STATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{3}|latest)")
_FAMILY = re.compile(r"[a-z]+(?:-[a-z]+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A model of the catalogue that cannot be called with this key any more."""

    model: Model
    why: str
    """`retired`: its last day has passed. `unlisted`: the provider does not name it to this key."""
    successor: Model | None
    """What may be asked instead; None: nothing of this provider is like it."""


def lost_models(
    catalog: Catalog, provider: str, listed: Collection[str], today: date
) -> list[Lost]:
    """Compare the catalogue's models of one provider with the names that it lists."""
    own = [model for model in catalog.models.values() if model.provider == provider]
    why = {model.id: _why(model, listed, today) for model in own}
    left = [model for model in own if why[model.id] is None]
    return [
        Lost(model=model, why=reason, successor=successor(catalog, model, left))
        for model in own
        if (reason := why[model.id]) is not None
    ]


def successor(catalog: Catalog, model: Model, left: Collection[Model]) -> Model | None:
    """Of `left`: whom the provider names, else the first one of the model's own tier, else the
    nearest name of its family."""
    mates = {other.id: other for other in left if other.provider == model.provider}
    for name in (model.successor or "", *_tier_mates(catalog, model)):
        if name in mates:
            return mates[name]
    family = [other for other in mates.values() if _family(other.name) == _family(model.name)]
    return max(family, key=lambda other: _likeness(other, model), default=None)


def _why(model: Model, listed: Collection[str], today: date) -> str | None:
    if model.retires is not None and model.retires <= today:
        return "retired"
    return None if _is_listed(model.name, listed) else "unlisted"


def _is_listed(name: str, listed: Collection[str]) -> bool:
    """Is it there, by its own name or as one of its dated states?"""
    return name in listed or any(
        other.startswith(name) and _STATE.fullmatch(other, len(name)) for other in listed
    )


def _tier_mates(catalog: Catalog, model: Model) -> Iterator[str]:
    for tier in catalog.tiers:
        if model.id in tier.models:
            yield from tier.models


def _family(name: str) -> str:
    """`claude-opus-5-5` is of `claude-opus`, `gpt-6.2-sol` of `gpt`."""
    found = _FAMILY.match(name)
    return found[0].lower() if found else ""


def _likeness(one: Model, other: Model) -> int:
    """How many letters two names begin with in common."""
    pairs = zip(one.name, other.name, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

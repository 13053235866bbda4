"""How the local models stand on this machine: what each needs, what it does, what to keep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from larouter.core.catalog import Catalog, Model
from larouter.core.fit import Fit, Measured, Speed, fit, speed
from larouter.core.machine import Machine
from larouter.core.recommend import Advice, recommend

ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    model: Model
    state: str
    """absent, stopped, loading, ready, crashed or quarantined."""
    fit: Fit
    speed: Speed | None
    serves: tuple[str, ...] = ()
    """Tiers that it would serve in the recommended set."""
    wanted_by: tuple[str, ...] = ()
    """Tiers of the catalogue that name it."""
    is_starter: bool = False

    @property
    def is_here(self) -> bool:
        return self.state != ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    machine: Machine
    models: tuple[LocalModel, ...]
    advice: Advice


def standing(
    catalog: Catalog, machine: Machine, state: Callable[[Model], str], measured: Measured
) -> Standing:
    """`state` is asked once for each local model."""
    local = [model for model in catalog.models.values() if model.is_local]
    states = {model.id: state(model) for model in local}
    advice = recommend(catalog, machine, lambda model: states[model.id] != ABSENT)
    serves = {pick.model.id: pick.tiers for pick in advice.picks}
    return Standing(
        machine=machine,
        advice=advice,
        models=tuple(
            LocalModel(
                model=model,
                state=states[model.id],
                fit=fit(model, machine),
                speed=speed(model, machine, measured),
                serves=serves.get(model.id, ()),
                wanted_by=tuple(tier.name for tier in catalog.tiers if model.id in tier.models),
                is_starter=model.id == catalog.starter,
            )
            for model in local
        ),
    )

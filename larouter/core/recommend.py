"""Which local models to keep on this machine: one set for all local tiers.

Sets are tried from the best one down. One where all models are loaded side by side comes before
one where they take turns; where memory is short the lower tiers share one model. The tiers stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from larouter.core.catalog import Catalog, Model
from larouter.core.fit import LOADS, NO_AVX2, Line, needs, size
from larouter.core.machine import GIB, Machine
from larouter.core.shape import Load

_ROOMY = LOADS[:-1]
_DISK_LEFT = 2 * GIB
"""What downloads leave on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A model of the set."""

    model: Model
    tiers: tuple[str, ...]
    """Those that it serves."""
    is_here: bool
    """Is its file on this machine?"""
    lines: tuple[Line, ...]

    @property
    def needs(self) -> int:
        return sum(line.bytes for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """No picks: `why` says what stands against every set."""

    picks: tuple[Pick, ...] = ()
    load: Load | None = None
    take_turns: bool = False
    """Only one of them fits at a time; a request for another waits until it is loaded."""
    why: str = ""

    @property
    def download_bytes(self) -> int:
        files = [pick.model.file for pick in self.picks if not pick.is_here]
        return sum(file.bytes or 0 for file in files if file is not None)

    @property
    def memory_bytes(self) -> int:
        """What they hold at most, at one time."""
        held = [pick.needs for pick in self.picks]
        return (max if self.take_turns else sum)(held) if held else 0


def recommend(catalog: Catalog, machine: Machine, is_here: Callable[[Model], bool]) -> Advice:
    """The best set that fits memory and disk."""
    if not machine.runs_engine:
        return Advice(why=NO_AVX2)
    tiers = _local(catalog)
    if not tiers:
        return Advice(why="no tier of the catalogue has a local model whose needs are known")
    names = [name for name, _ in tiers]
    short_of_disk: Advice | None = None
    for models, loads, take_turns in _sets([models for _, models in tiers]):
        for load in loads:
            advice = _advice(names, models, load, machine, is_here, take_turns)
            if advice.memory_bytes > machine.budget_bytes:
                continue
            if _disk_holds(machine, advice.download_bytes):
                return advice
            short_of_disk = short_of_disk or advice
            break
    return Advice(why=_nothing(machine, short_of_disk))


def _local(catalog: Catalog) -> list[tuple[str, list[Model]]]:
    """Tiers with the models that may serve them, the preferred one first; not the starter."""
    found = []
    for tier in catalog.tiers:
        rows = [catalog.models[id] for id in tier.models if id != catalog.starter]
        known = [row for row in rows if row.shape and row.file and row.file.bytes]
        if known:
            found.append((tier.name, known))
    return found


def _sets(
    tiers: Sequence[Sequence[Model]],
) -> Iterator[tuple[tuple[Model, ...], Sequence[Load], bool]]:
    """A model for each tier, how it may be loaded, and whether they take turns."""
    *lower, top = tiers
    own = tuple(models[0] for models in lower)
    shared = [(one,) * len(lower) for one in reversed(own)]
    for best in top if lower else ():
        for small in (own, *shared):
            yield (*small, best), _ROOMY, False
    for best in top if lower else ():
        yield (*shared[0], best), _ROOMY, True
    if own:
        yield (*own, own[-1]), LOADS, False
    for one in (*reversed(own), *(() if own else top)):
        yield (one,) * len(tiers), LOADS, False


def _advice(
    names: Sequence[str],
    models: Sequence[Model],
    load: Load,
    machine: Machine,
    is_here: Callable[[Model], bool],
    take_turns: bool,
) -> Advice:
    serving: dict[str, list[str]] = {}
    for name, model in zip(names, models, strict=True):
        serving.setdefault(model.id, []).append(name)
    by_id = {model.id: model for model in models}
    picks = tuple(
        Pick(
            model=by_id[id],
            tiers=tuple(serves),
            is_here=is_here(by_id[id]),
            lines=needs(by_id[id], load, machine),
        )
        for id, serves in serving.items()
    )
    return Advice(picks=picks, load=load, take_turns=take_turns)


def _disk_holds(machine: Machine, download: int) -> bool:
    return machine.disk_free_bytes is None or (
        not download or download + _DISK_LEFT <= machine.disk_free_bytes
    )


def _nothing(machine: Machine, short_of_disk: Advice | None) -> str:
    if short_of_disk is not None:
        return (
            f"the disk is short: {size(machine.disk_free_bytes or 0)} are free, and the set for "
            f"this memory is {size(short_of_disk.download_bytes)} to download"
        )
    return (
        f"no downloadable model fits: models may use {size(machine.budget_bytes)} here, so that "
        f"{size(machine.left_bytes)} are left to everything else"
    )

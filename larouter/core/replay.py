"""What if: recorded requests decided again, and what that would have changed.

Nothing is asked and no text is read: there is none, only numbers (TRUST S11). A cost under another
model is that model's price for the tokens that were recorded, cached ones included; a request that
was never answered counts with the tokens that were expected of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean
from typing import NamedTuple

from msgspec import Struct

from larouter.core.catalog import Catalog, Model
from larouter.core.chat import Usage
from larouter.core.interval import Interval, interval, resampled
from larouter.core.money import Nanodollars
from larouter.core.route import Numbers

BASELINES = ("frontier", "pin", "recorded")
"""What a saving is measured against: every request by the dearest tier's first model, by the
model that the project has pinned or uses most, or as it was."""


class Recorded(Struct, frozen=True, kw_only=True):
    """A request that ended, as the ledger has it."""

    id: str
    project: str
    """The project's id."""
    asked: str
    tier: str
    stage: str
    started_ms: int
    numbers: Numbers
    model: str | None = None
    """`provider/model` of whoever answered; None: nobody did."""
    usage: Usage = Usage()
    """What the answer took."""
    cost: Nanodollars | None = 0
    """Of all its attempts; None: the price of one is unknown."""

    @property
    def spent(self) -> Usage:
        """The tokens to price another model by."""
        if self.model is not None:
            return self.usage
        return Usage(input=self.numbers.prompt_tokens, output=self.numbers.output_tokens)


class Remade(Struct, frozen=True):
    """What the same request would have got."""

    tier: str
    model: Model


Decide = Callable[[Recorded], Remade | None]
"""Decides a recorded request; None: nobody would be allowed to answer it."""


class Move(Struct, frozen=True, kw_only=True, order=True):
    """So many requests would go from one model to another."""

    count: int
    from_tier: str
    from_model: str | None
    """None: nobody answered."""
    to_tier: str | None
    """None: the request would be refused."""
    to_model: str | None


class Saving(Struct, frozen=True, kw_only=True):
    """The new policy beside one baseline, over the requests whose two prices are both known."""

    baseline: str
    requests: int
    cost: Nanodollars
    """Under the baseline."""
    new_cost: Nanodollars
    saving: Nanodollars
    """What the new policy costs less; below zero: it costs more."""
    saving_between: Interval
    percent: float | None
    """Of the baseline's cost; None where that is nothing."""
    percent_between: Interval | None


class Quality(Struct, frozen=True, kw_only=True):
    """What the recorded probabilities say of who answers, 0–1, mean over judged requests."""

    requests: int
    """Those that the classifier has judged."""
    below_before: float = 0.0
    """The chance that a request needs a dearer tier than the one whose model answers."""
    below_after: float = 0.0
    hard_before: float = 0.0
    """The chance that it needs a strong model and is answered on this machine."""
    hard_after: float = 0.0


class Replay(Struct, frozen=True, kw_only=True):
    """What would change."""

    requests: int
    changed: int
    """Another model, or none; `up`, `down`, `sideways` and `refused` add up to it."""
    up: int
    """To a dearer tier's model."""
    down: int
    sideways: int
    refused: int
    named: int
    """They named their model, so no policy but a prohibition moves them."""
    unanswered: int
    """Counted with the tokens that were expected."""
    unpriced: int
    """A price is unknown, so their money is left out."""
    anyway: int
    """They would change under the present policy too: keys, models or the classifier have."""
    moves: tuple[Move, ...]
    """The most frequent first."""
    savings: tuple[Saving, ...]
    quality: Quality


def replay(
    rows: Iterable[Recorded],
    decide: Decide,
    *,
    present: Decide,
    ranks: Ranks,
    baselines: Mapping[str, Callable[[Recorded], Model | None]],
) -> Replay:
    """Decide `rows` again and add up; a baseline names its model for a row, None: as it was."""
    lines = [_line(row, decide(row), present(row), ranks, baselines.values()) for row in rows]
    ways = Counter(line.way for line in lines if line.way)
    moves = Counter(line.move for line in lines if line.way)
    return Replay(
        requests=len(lines),
        changed=ways.total(),
        up=ways["up"],
        down=ways["down"],
        sideways=ways["sideways"],
        refused=ways["refused"],
        named=sum(line.named for line in lines),
        unanswered=sum(line.move[1] is None for line in lines),
        unpriced=sum(line.unpriced for line in lines),
        anyway=sum(line.anyway for line in lines),
        moves=tuple(
            Move(count=count, from_tier=a, from_model=b, to_tier=c, to_model=d)
            for (a, b, c, d), count in moves.most_common()
        ),
        savings=_savings(lines, tuple(baselines)),
        quality=_quality(lines),
    )


class Ranks:
    """How high a model stands in the tiers."""

    def __init__(self, catalog: Catalog) -> None:
        self._top = max((tier.rank for tier in catalog.tiers), default=0)
        # A model of several tiers stands as high as the dearest of them.
        tiers = sorted(catalog.tiers, key=lambda tier: tier.rank)
        self._ranks = {
            catalog.models[name].key: tier.rank for tier in tiers for name in tier.models
        }

    def of(self, model: str) -> int:
        """The rank of `provider/model`. Of those in no tier, a local one is small, like the
        starter, and a cloud's is as strong as any: somebody chose it by name."""
        return self._ranks.get(model, 0 if is_local(model) else self._top)


def is_local(model: str) -> bool:
    """Is this key that of a model on this machine?"""
    return model.startswith("local/")


_Way = tuple[str, str | None, str | None, str | None]


class _Risk(NamedTuple):
    below: float
    """The chance that the request needs a dearer tier than the one whose model answers."""
    hard: float
    """The chance that it needs a strong model and does not get one."""


class _Line(NamedTuple):
    """One request, before and after."""

    move: _Way
    way: str | None
    """up, down, sideways or refused; None: nothing changes."""
    named: bool
    anyway: bool
    cost: Nanodollars | None
    """None: unknown, or the request would be refused, which saves nothing."""
    baselines: tuple[Nanodollars | None, ...]
    unpriced: bool
    risks: tuple[_Risk, _Risk] | None
    """Before and after; None: there is nothing to compare, or the classifier has not judged it."""


def _line(
    row: Recorded,
    remade: Remade | None,
    now: Remade | None,
    ranks: Ranks,
    baselines: Iterable[Callable[[Recorded], Model | None]],
) -> _Line:
    before, after = row.model, remade.model.key if remade else None
    cost = _cost(row, remade.model) if remade else None
    costs = tuple(_baseline_cost(row, baseline(row)) for baseline in baselines)
    risks = None
    if row.numbers.probabilities and before is not None and after is not None:
        risks = _risk(row.numbers, before, ranks), _risk(row.numbers, after, ranks)
    return _Line(
        move=(row.tier, before, remade.tier if remade else None, after),
        way=_way(before, after, ranks),
        named=row.stage == "explicit" and row.tier == "-",
        anyway=_way(before, now.model.key if now else None, ranks) is not None,
        cost=cost,
        baselines=costs,
        unpriced=remade is not None and (cost is None or None in costs),
        risks=risks,
    )


def _way(before: str | None, after: str | None, ranks: Ranks) -> str | None:
    """Which way a request goes; one that nobody answered is no change when somebody may now."""
    if after is None:
        return "refused" if before is not None else None
    if before is None or before == after:
        return None
    change = ranks.of(after) - ranks.of(before)
    return "up" if change > 0 else "down" if change < 0 else "sideways"


def _cost(row: Recorded, model: Model) -> Nanodollars | None:
    if model.key == row.model:
        return row.cost
    began = datetime.fromtimestamp(row.started_ms / 1000, UTC)
    return model.price.cost(row.spent, at=began)


def _baseline_cost(row: Recorded, model: Model | None) -> Nanodollars | None:
    return row.cost if model is None else _cost(row, model)


def _risk(numbers: Numbers, model: str, ranks: Ranks) -> _Risk:
    return _Risk(
        below=sum(numbers.probabilities[ranks.of(model) + 1 :]),
        hard=numbers.need_strong if is_local(model) else 0.0,
    )


def _savings(lines: Sequence[_Line], names: tuple[str, ...]) -> tuple[Saving, ...]:
    """Every baseline with its own requests: those where both prices are known. The columns stand
    in pairs, the baseline's and the new policy's."""
    columns: list[list[int]] = []
    counts = []
    for index in range(len(names)):
        pairs = [(line.baselines[index], line.cost) for line in lines]
        known = [(a, b) if a is not None and b is not None else (0, 0) for a, b in pairs]
        counts.append(sum(a is not None and b is not None for a, b in pairs))
        columns += [[a for a, _ in known], [b for _, b in known]]
    draws = resampled(columns)
    return tuple(
        _saving(name, counts[index], columns[2 * index : 2 * index + 2], draws, 2 * index)
        for index, name in enumerate(names)
    )


def _saving(
    name: str,
    requests: int,
    columns: Sequence[Sequence[int]],
    draws: Sequence[tuple[int, ...]],
    at: int,
) -> Saving:
    cost, new_cost = map(sum, columns)
    percent = between = None
    if cost > 0:
        percent = _percent(cost, new_cost)
        between = interval(draws, lambda sums: _percent(sums[at], sums[at + 1]))
    return Saving(
        baseline=name,
        requests=requests,
        cost=cost,
        new_cost=new_cost,
        saving=cost - new_cost,
        saving_between=interval(draws, lambda sums: sums[at] - sums[at + 1]),
        percent=percent,
        percent_between=between,
    )


def _percent(cost: int, new_cost: int) -> float:
    """What part of `cost` is saved; a draw without any cost saves nothing."""
    return 100 * (cost - new_cost) / cost if cost else 0.0


def _quality(lines: Iterable[_Line]) -> Quality:
    risks = [line.risks for line in lines if line.risks is not None]
    if not risks:
        return Quality(requests=0)
    return Quality(
        requests=len(risks),
        below_before=fmean(before.below for before, _ in risks),
        below_after=fmean(after.below for _, after in risks),
        hard_before=fmean(before.hard for before, _ in risks),
        hard_after=fmean(after.hard for _, after in risks),
    )

"""Learning at home: one number a project, by which the classifier looks up sooner or later there.

The shipped model says how likely it is that a request needs a strong model. The number is added to
the log-odds of that, and is the likeliest one given the project's feedback and a bell curve around
0 (the shipped model) that `PRIOR_SD` wide: little feedback moves it little, and none leaves it
where it was. It never passes `LIMIT`, and a guard of shipped rows pulls it back where it would
spoil what is known to be right.

What feedback teaches: a local answer that was bad says that a strong model was needed, one that was
good says a little that it was not. A cloud's good answer does not say what a small model would have
made of it, and its bad one even less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import exp, log
from typing import NamedTuple

import msgspec
from msgspec import Struct

LIMIT = 1.5
"""The furthest that a project goes, in log-odds: an even 50 % becomes at most 82 %."""
PRIOR_SD = 0.4
"""How far a project is believed to be from the shipped model, in log-odds. It weighs as much as 25
even answers, so that one thumb down moves the number by about 0.1."""
WEIGHTS = {"thumb": 1.0, "escalation": 0.5, "regeneration": 0.3}
"""By kind of feedback. A person who says so counts whole; that an answer was empty or malformed is
a machine's view of it; people also ask again out of curiosity."""
MOST = {"escalation": 5.0, "regeneration": 3.0}
"""All feedback of a kind weighs together at most as much as so many thumbs: a program that asks
the same again and again must not teach more than a person."""
GOOD = 0.5
"""What a good answer of a local model weighs beside a bad one: most answers are good, and only
some of them would have been missed."""
CLOUD_GOOD = 0.02
"""What a good answer of a cloud weighs, as a hint that asking it was right."""

HARD_MAY_RISE = 0.01
"""Of the guard's hard rows, how many more may be sent to a local model (0–1)."""
ACCURACY_MAY_FALL = 0.02
"""Of the guard's rows, how many fewer may get their tier (0–1)."""

_HALVINGS = 8
"""After so many the number is within 0.006 of the shipped model, and is taken for it."""
_STEPS = 30
_EDGE = 1e-6


class Lesson(Struct, frozen=True, kw_only=True):
    """One piece of feedback and what was known of its request."""

    kind: str
    """A key of `WEIGHTS`."""
    score: float
    """-1 (bad) to 1 (good)."""
    need_strong: float
    """0–1, as the classifier said it."""
    was_local: bool


class GuardRow(NamedTuple):
    """A prompt whose tier is known: numbers only."""

    tier: int
    """Its rank, 0 the cheapest."""
    need_strong: float
    probabilities: tuple[float, ...]


def read_guard(data: bytes) -> tuple[GuardRow, ...]:
    """The rows of `guard.json`: `[[tier, need_strong, p0, p1, p2, p3, p4], …]`.

    Raises `msgspec.MsgspecError` for anything else.
    """
    rows = msgspec.json.decode(
        data, type=list[tuple[int, float, float, float, float, float, float]]
    )
    return tuple(
        GuardRow(tier=tier, need_strong=need_strong, probabilities=tuple(probabilities))
        for tier, need_strong, *probabilities in rows
    )


def learn(lessons: Iterable[Lesson]) -> float:
    """The likeliest bias, within ±`LIMIT`; 0.0 for no lessons."""
    facts = _weighed(lessons)
    low, high = -LIMIT, LIMIT
    # The slope only falls, so that halving finds where it is 0, or the end that is nearest.
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _slope(middle, facts) > 0:
            low = middle
        else:
            high = middle
    return round((low + high) / 2, 3) if facts else 0.0


def guarded(
    bias: float,
    rows: Sequence[GuardRow],
    choose: Callable[[GuardRow, float], int],
    strong_from: int,
) -> float:
    """`bias`, or as much of it as the guard lets through: halved until it does no harm, at last 0.

    `choose` gives the rank that a row gets under a bias; from rank `strong_from` on, a tier's
    models are strong ones.
    """
    hard, right = _measured(rows, 0.0, choose, strong_from)
    for _ in range(_HALVINGS):
        hard_now, right_now = _measured(rows, bias, choose, strong_from)
        if hard_now <= hard + HARD_MAY_RISE and right_now >= right - ACCURACY_MAY_FALL:
            return bias
        bias = round(bias / 2, 3)
    return 0.0


_NAMES = {
    "thumb": ("thumb", "thumbs"),
    "regeneration": ("repeated question", "repeated questions"),
    "escalation": ("escalation", "escalations"),
}
_LITTLE, _MUCH = 0.05, 0.6


def in_words(bias: float, feedback: Mapping[str, int]) -> str:
    """One sentence for people: what there is by kind, and what it does."""
    counts = [
        f"{feedback[kind]} {many if feedback[kind] != 1 else one}"
        for kind, (one, many) in _NAMES.items()
        if feedback.get(kind)
    ]
    if not counts:
        return "Nothing was learnt yet: the shipped model decides."
    if abs(bias) < _LITTLE:
        effect = "the shipped model decides as before"
    else:
        much = "" if abs(bias) >= _MUCH else "a little "
        effect = f"strong models are asked {much}{'sooner' if bias > 0 else 'later'}"
    return f"{', '.join(counts)}, bias {bias:+.2f}: {effect}."


_Fact = tuple[float, float, float]
"""Log-odds of need_strong, whether it was needed (0 or 1), and what that weighs."""


def _weighed(lessons: Iterable[Lesson]) -> list[_Fact]:
    by_kind: dict[str, list[_Fact]] = {}
    for lesson in lessons:
        target, weight = _said(lesson)
        weight *= WEIGHTS[lesson.kind]
        if weight:
            fact = (_log_odds(lesson.need_strong), target, weight)
            by_kind.setdefault(lesson.kind, []).append(fact)
    return [
        (at, target, weight * share)
        for kind, facts in by_kind.items()
        for share in [_share(kind, facts)]
        for at, target, weight in facts
    ]


def _said(lesson: Lesson) -> tuple[float, float]:
    """Whether a strong model was needed, and how loudly that was said."""
    if lesson.was_local:
        return (1.0, -lesson.score) if lesson.score < 0 else (0.0, lesson.score * GOOD)
    return 1.0, max(0.0, lesson.score) * CLOUD_GOOD


def _share(kind: str, facts: list[_Fact]) -> float:
    """How much of its weight each fact of this kind keeps."""
    return min(1.0, MOST.get(kind, float("inf")) / sum(weight for _, _, weight in facts))


def _slope(bias: float, facts: list[_Fact]) -> float:
    """Of the logarithm of how likely `bias` is."""
    pull = sum(weight * (target - 1 / (1 + exp(-at - bias))) for at, target, weight in facts)
    return pull - bias / PRIOR_SD**2


def _log_odds(chance: float) -> float:
    inside = min(max(chance, _EDGE), 1 - _EDGE)
    return log(inside / (1 - inside))


def _measured(
    rows: Sequence[GuardRow],
    bias: float,
    choose: Callable[[GuardRow, float], int],
    strong_from: int,
) -> tuple[float, float]:
    """The share of hard rows that stay local, and the share of rows that get their tier."""
    chosen = [(row.tier, choose(row, bias)) for row in rows]
    hard = [rank < strong_from for tier, rank in chosen if tier >= strong_from]
    right = [tier == rank for tier, rank in chosen]
    return sum(hard) / max(1, len(hard)), sum(right) / max(1, len(right))

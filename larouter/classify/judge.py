"""Stage 3: where a verdict could as well be the other way, a local model that is loaded is asked.

It is asked only inside a band around the border between local and cloud, only when it has nothing
else to do, and only for so long. What it says is weighed with the verdict and does not override it:
the two are pooled by their logarithms (a geometric mean with weights), so that a judge that is
unsure changes little and one that agrees makes the verdict surer. Whatever goes wrong, the verdict
stays as it was.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from math import exp, log
from typing import NamedTuple

from msgspec.structs import replace

from larouter.classify.answers import Answers
from larouter.classify.rubric import LEVELS, PREFIX, as_data, shown
from larouter.core.breaker import Breaker, Limits
from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.errors import UpstreamError, UpstreamTimeout
from larouter.core.ports import Asker
from larouter.core.route import Verdict
from larouter.routing.need import threshold

BAND = 0.15
"""How far P(cloud) may be from the threshold. With the threshold in the middle that is 0.35 to
0.65, where the verdict is little better than a coin."""
LIMITS = Limits(failures=3, window_s=60.0, first_pause_s=60.0, longest_pause_s=600.0)
"""A machine that is too slow stays so for a while, and each try makes somebody wait."""
_CLOUD = 3
"""The first of the tiers whose own models are clouds: COMPLEX."""
_MIDDLE = 0.5
_ONE_SIDED = frozenset({"local-only", "cloud-only"})
"""Modes of a project for which there is no border."""
_LEAST = 1e-6
"""Nothing is impossible: a probability of nought could not be weighed."""
_TIERS = tuple(LEVELS)
_WORDS = tuple(LEVELS.values())


class Trust(NamedTuple):
    """How far a judge is believed: a row of `data/judge.toml`."""

    weight: float
    """0-1: its share beside the classifier."""
    temperature: float
    """Above 1 flattens what it says."""


def read_trust(text: str) -> dict[str, Trust]:
    """The models that may judge, by id, the preferred one first."""
    rows = tomllib.loads(text)["judge"]
    return {row["model"]: Trust(row["weight"], row["temperature"]) for row in rows}


class Judge:
    """Refines verdicts. `asked`, `answered` and `too_late` count questions to the engine; what was
    asked and is neither of the others had no good answer."""

    def __init__(
        self,
        asker: Asker,
        trust: Mapping[str, Trust],
        *,
        deadline_s: float,
        clock: Callable[[], float],
        key: bytes,
    ) -> None:
        self._asker = asker
        self._trust = trust
        self._deadline_s = deadline_s
        self._breaker = Breaker(clock, LIMITS)
        self._answers = Answers(clock, key)
        self.asked = 0
        self.answered = 0
        self.too_late = 0

    def refine(self, request: ChatRequest, verdict: Verdict) -> Verdict:
        """The verdict after a second look, or as it was."""
        if not _could_be_either(request, verdict):
            return verdict
        text = shown(request)
        if not text:
            return verdict
        found = self._ask(as_data(text))
        if found is None:
            return verdict
        model, said = found
        return _together(verdict, model, said, self._trust[model.id])

    def _ask(self, question: str) -> tuple[Model, tuple[float, ...]] | None:
        """What a judge says of the question, as log-probabilities, and who it is."""
        loaded = [model for model in self._asker.loaded() if model.id in self._trust]
        for model in loaded:
            known = self._answers.find(model.id, question)
            if known is not None:
                return model, known
        for model in loaded:
            if self._breaker.wait_s(model.key):
                continue
            try:
                said = self._asker.ask(model, PREFIX, question, _WORDS, self._deadline_s)
            except UpstreamError as error:
                self.asked += 1
                self.too_late += isinstance(error, UpstreamTimeout)
                self._breaker.failed(model.key)
                return None  # the time for another one is over
            if said is None:
                self._breaker.undecided(model.key)
                continue
            self.asked += 1
            self.answered += 1
            self._breaker.succeeded(model.key)
            answer = tuple(said[word] for word in _WORDS)
            self._answers.keep(model.id, question, answer)
            return model, answer
        return None


def pooled(chances: Sequence[float], others: Sequence[float], weight: float) -> tuple[float, ...]:
    """The weighted geometric mean of two distributions over the same tiers, summing to 1."""
    return _distribution(
        [
            (1 - weight) * log(max(one, _LEAST)) + weight * log(max(other, _LEAST))
            for one, other in zip(chances, others, strict=True)
        ]
    )


def _could_be_either(request: ChatRequest, verdict: Verdict) -> bool:
    """Is there a border, and is the request near it? A turn that only goes on with what came
    before it says nothing by itself."""
    policy = request.policy
    if len(verdict.probabilities) != len(_TIERS) or verdict.follows or policy.mode in _ONE_SIDED:
        return False
    distance = sum(verdict.probabilities[_CLOUD:]) - threshold(policy, request.bias, verdict.lean)
    return abs(distance) <= BAND


def _together(verdict: Verdict, model: Model, said: Sequence[float], trust: Trust) -> Verdict:
    """The verdict that both come to. Score and need move as far as the probabilities do, so that
    the stage before keeps its own measure of them."""
    before = verdict.probabilities
    judged = _distribution([value / trust.temperature for value in said])
    after = pooled(before, judged, trust.weight)
    rank = _likeliest(after, 1 / (1 + exp(verdict.lean)))
    first = _likeliest(judged, _MIDDLE)
    cloud = sum(after[_CLOUD:])
    moved = _mean_rank(after) - _mean_rank(before)
    name = model.title or model.key
    reason = (
        f"the judge ({name}) says {_TIERS[first]} {judged[first]:.2f}; together {cloud:.2f}; "
        f"{verdict.reason}"
    )
    return replace(
        verdict,
        tier=_TIERS[rank],
        score=min(max(verdict.score + moved / (len(_TIERS) - 1), 0.0), 1.0),
        need_strong=_sigmoid(
            _log_odds(verdict.need_strong) + _log_odds(cloud) - _log_odds(sum(before[_CLOUD:]))
        ),
        confidence=after[rank],
        stage="judge",
        reason=reason,
        probabilities=after,
        features={
            **verdict.features,
            "judge_p_cloud": sum(judged[_CLOUD:]),
            "judge_weight": trust.weight,
            "p_cloud_before": sum(before[_CLOUD:]),
        },
    )


def _likeliest(chances: Sequence[float], middle: float) -> int:
    """The likeliest tier on its side of the border: the cloud's from `middle` on."""
    ranks = range(len(chances))
    side = ranks[_CLOUD:] if sum(chances[_CLOUD:]) >= middle else ranks[:_CLOUD]
    return max(side, key=chances.__getitem__)


def _mean_rank(chances: Sequence[float]) -> float:
    return sum(rank * chance for rank, chance in enumerate(chances))


def _distribution(logs: Sequence[float]) -> tuple[float, ...]:
    highest = max(logs)
    odds = [exp(value - highest) for value in logs]
    total = sum(odds)
    return tuple(value / total for value in odds)


def _log_odds(chance: float) -> float:
    chance = min(max(chance, _LEAST), 1 - _LEAST)
    return log(chance / (1 - chance))


def _sigmoid(odds: float) -> float:
    return 1 / (1 + exp(-odds))

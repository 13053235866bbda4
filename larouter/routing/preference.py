"""Who goes first among those that may answer.

The declared order stands: a tier's own models, then its stand-ins. Another model goes before the
first one only where it is predicted to be done much sooner and its expected loss is smaller:

    loss = P(the request needs more than this model's tier) × what a bad answer costs
         + the predicted price
         + the predicted seconds × what a second costs

Money, time and quality are compared in nano-dollars. What was never measured has no prediction, so
it neither overtakes nor is overtaken. In the mode `cheapest` a tier's own models go by their
predicted price. Models of a dearer price than the tier's are not among the candidates at all.
"""

from __future__ import annotations

from math import exp, inf
from typing import NamedTuple

from msgspec import Struct

from larouter.core.catalog import Model
from larouter.core.chat import Usage
from larouter.core.money import Nanodollars
from larouter.core.pace import Forecast
from larouter.routing.line import Candidate
from larouter.routing.need import Need, slider
from larouter.routing.situation import Case

_HOUR = 12_000_000_000
"""What an hour of waiting is worth: $12, so that a second costs a third of a cent."""
_SECOND = _HOUR // 3_600


class Weights(NamedTuple):
    """What the terms of the loss weigh, in nano-dollars."""

    bad_answer: Nanodollars
    second: Nanodollars


WEIGHTS = {
    # A bad answer costs three minutes: it is read, found wanting, and asked again.
    "balanced": Weights(180 * _SECOND, _SECOND),
    # Money counts ten times as much: the others a tenth.
    "cheapest": Weights(18 * _SECOND, _SECOND // 10),
    # Half an hour is waited for rather than a bad answer had.
    "best": Weights(1_800 * _SECOND, _SECOND),
}
"""By mode; the others are as balanced as they can be."""
MUCH_SOONER_S = 10.0
"""Seconds. Nobody changes their model for less."""


class Ranking(Struct, frozen=True, kw_only=True):
    """The candidates in the order in which they are asked."""

    order: tuple[Candidate, ...]
    forecast: Forecast | None = None
    """Of the first one."""
    overtook: tuple[Candidate, Forecast] | None = None
    """Who would have been first, and what its answer would have taken."""


def ranked(allowed: tuple[Candidate, ...], need: Need, case: Case) -> Ranking:
    """Put the candidates (at least one) in order."""
    keeps = need.keeps
    if keeps is not None:
        # Of the tier itself, so no price is passed by.
        allowed = tuple(sorted(allowed, key=lambda candidate: candidate.model.key != keeps.key))
    elif case.policy.mode == "cheapest":
        allowed = _by_price(allowed, need, case)
    first = allowed[0]
    forecast = _forecast(first, need, case)
    if forecast is None or forecast.total_s < MUCH_SOONER_S:
        return Ranking(order=allowed, forecast=forecast)
    sooner = _sooner(allowed, forecast, need, case)
    if sooner is None:
        return Ranking(order=allowed, forecast=forecast)
    best, soon = sooner
    order = (best, *[candidate for candidate in allowed if candidate is not best])
    return Ranking(order=order, forecast=soon, overtook=(first, forecast))


def _sooner(
    allowed: tuple[Candidate, ...], forecast: Forecast, need: Need, case: Case
) -> tuple[Candidate, Forecast] | None:
    """Who goes before the first one, whose forecast is known: the one of the least loss."""
    least = _loss(allowed[0], forecast, need, case)
    if least == inf:
        return None
    found = None
    for rival in allowed[1:]:
        if need.is_firm and not rival.is_own:
            continue
        waits = _forecast(rival, need, case)
        if waits is None or waits.total_s + MUCH_SOONER_S > forecast.total_s:
            continue
        loss = _loss(rival, waits, need, case)
        if loss < least:
            found, least = (rival, waits), loss
    return found


def predicted_cost(model: Model, prompt: int, output: int) -> Nanodollars | None:
    """Of a fresh prompt and an answer of so many tokens; None: the price is unknown."""
    return model.price.cost(Usage(input=prompt, output=output))


def chance_above(rank: int, need: Need, tiers: int) -> float:
    """The chance that the request needs a tier above `rank`, 0–1."""
    verdict = need.verdict
    if verdict is not None and len(verdict.probabilities) == tiers:
        return sum(verdict.probabilities[rank + 1 :])
    if rank >= need.tier.rank:
        return 0.0
    # A stage without probabilities: it is as sure of its tier as it says, and never less than
    # that a small model would do worse.
    return max(verdict.confidence, verdict.need_strong) if verdict is not None else 1.0


def _loss(candidate: Candidate, forecast: Forecast, need: Need, case: Case) -> float:
    """The formula above; infinite for an unknown price."""
    cost = _cost(candidate, need, case)
    if cost is None:
        return inf
    weights = WEIGHTS.get(case.policy.mode, WEIGHTS["balanced"])
    odds = exp(slider(case.policy))  # the slider weighs quality here too
    above = chance_above(candidate.rank, need, len(case.catalog.tiers))
    return above * weights.bad_answer * odds + cost + forecast.total_s * weights.second


def _forecast(candidate: Candidate, need: Need, case: Case) -> Forecast | None:
    output = case.output_tokens(need.tier)
    return case.situation.forecast(candidate.model, case.prompt_tokens, output)


def _cost(candidate: Candidate, need: Need, case: Case) -> Nanodollars | None:
    output = case.output_tokens(need.tier) * case.request.n
    return predicted_cost(candidate.model, case.prompt_tokens, output)


def _by_price(allowed: tuple[Candidate, ...], need: Need, case: Case) -> tuple[Candidate, ...]:
    """Own models first, the cheapest before the others; an unknown price is the dearest."""

    def dearness(candidate: Candidate) -> tuple[bool, float]:
        if not candidate.is_own:
            return True, 0.0
        cost = _cost(candidate, need, case)
        return False, inf if cost is None else cost

    return tuple(sorted(allowed, key=dearness))

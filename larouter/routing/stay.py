"""Should a conversation keep its model? `core/conversations.py` remembers, this judges.

A model is changed only at a fresh turn of the user. Upwards at once, when the turn is harder than
the conversation was or its tools have failed again and again: an answer that is no good costs more
than a cache. Downwards only when this answer saves more than is lost: the new model reads the whole
history for the first time, and on the way back the old one does it again.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from larouter.core.catalog import Model, Tier
from larouter.core.conversations import Seen, is_beside, is_fresh
from larouter.core.money import Nanodollars, decimal_text
from larouter.routing.caches import kept_tokens, switch
from larouter.routing.gates import shut
from larouter.routing.need import Need
from larouter.routing.policies import own_models
from larouter.routing.reasons import named
from larouter.routing.situation import Case
from larouter.routing.stalled import tool_errors

STALLED = 3
"""Results of tools in a row: one error is chance, two are a correction, three are a wall."""
SHORT_HISTORY = 4_000
"""Tokens that a small local model reads within seconds. Thanks after a longer conversation are
weighed like any other turn."""


class _Here(NamedTuple):
    """Where the conversation is."""

    tier: Tier
    model: Model | None
    """Who answered last, if it is of the tier itself and may answer again; else nobody has a
    claim, and the tier has its models as ever."""


def stayed(need: Need, case: Case) -> Need:
    """`need` as the conversation's past wants it; unchanged where it has nothing to say."""
    seen = case.seen
    tier = case.catalog.tier(seen.tier) if seen is not None else None
    if seen is None or tier is None or is_beside(seen, case.request):
        return need
    last = (model for model in own_models(tier, case) if model.key == seen.model)
    here = _Here(tier, next((model for model in last if _may_answer(model, tier, case)), None))
    if not is_fresh(case.request):
        return _kept(need, here, "a tool's result goes on with its turn", case)
    return need if need.tier.rank > tier.rank else _fresh(need, here, seen, case)


def _fresh(need: Need, here: _Here, seen: Seen, case: Case) -> Need:
    """A turn of the user that is no harder than the conversation was."""
    verdict = need.verdict
    follows = verdict is not None and verdict.follows
    if need.tier.rank == 0 and not follows:
        return _thanked(need, here, seen, case)
    raised = _raised(need, here.tier, case)
    if raised is not None:
        return raised
    if follows:
        return _kept(need, here, "goes on with what came before", case)
    if need.tier.rank < here.tier.rank:
        return _down(need, here, seen, case)
    if here.model is not None and kept_tokens(seen, here.model, case):
        return _kept(need, here, f"{named(here.model)} has this conversation in its cache", case)
    return need


def _may_answer(model: Model, tier: Tier, case: Case) -> bool:
    return shut(model, case, case.output_tokens(tier)) is None


def _raised(need: Need, tier: Tier, case: Case) -> Need | None:
    """One tier up where the conversation's own is at a wall."""
    above = case.catalog.tiers[tier.rank + 1 :]
    errors = tool_errors(case.request.messages)
    if errors < STALLED or not above:
        return None
    return _kept(need, _Here(above[0], None), f"stalled: {errors} tool errors in a row", case)


def _thanked(need: Need, here: _Here, seen: Seen, case: Case) -> Need:
    """Thanks go to the smallest model, and the conversation stays where it is: a word does not
    cost it its cache."""
    if case.prompt_tokens > SHORT_HISTORY:
        return _down(need, here, seen, case)
    starter = case.catalog.starter
    models = [*own_models(need.tier, case), *([case.catalog.models[starter]] if starter else ())]
    if any(_may_answer(model, need.tier, case) for model in models):
        return need
    return _kept(need, here, f"no model of {need.tier.name} is ready", case)


def _kept(need: Need, here: _Here, reason: str, case: Case) -> Need:
    return replace(
        need,
        tier=here.tier,
        stage="sticky",
        score=here.tier.rank / max(1, len(case.catalog.tiers) - 1),
        reasons=(reason, need.reasons[0]),
        keeps=here.model,
    )


def _down(need: Need, here: _Here, seen: Seen, case: Case) -> Need:
    """Is it worth the cache to go down?"""
    old = here.model
    if old is None:
        return need
    if case.policy.mode == "best":
        return _kept(need, here, "the mode is best", case)
    cheaper = own_models(need.tier, case)
    new = next((model for model in cheaper if _may_answer(model, need.tier, case)), None)
    if new is None:
        return _kept(need, here, f"no model of {need.tier.name} is ready", case)
    found = switch(
        old,
        new,
        kept=kept_tokens(seen, old, case),
        prompt=case.prompt_tokens,
        output=case.output_tokens(need.tier) * case.request.n,
    )
    if found is None:
        return _kept(need, here, f"nobody knows what leaving {named(old)} would save", case)
    figures = f"{named(new)} saves {_dollars(found.saved)} on this answer and loses "
    figures += f"{_dollars(found.lost)} of {named(old)}'s cache"
    if found.pays:
        return replace(need, reasons=(*need.reasons, figures))
    return _kept(need, here, figures, case)


def _dollars(amount: Nanodollars) -> str:
    """To a hundredth of a cent: these are expectations."""
    return f"${decimal_text(round(amount, -5))}"

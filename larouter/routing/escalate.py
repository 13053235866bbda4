"""Who may be asked when a local answer turns out to be no good: one tier up, and only where the
project agreed to it. Whether an answer is any good is `core/faults.py`'s to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from larouter.core.catalog import Model, Tier
from larouter.core.route import Choice
from larouter.routing.gates import shut
from larouter.routing.line import Candidate
from larouter.routing.policies import own_models
from larouter.routing.situation import Case


def escalations(first: Candidate, case: Case) -> tuple[Choice, ...]:
    """The models above the first one that is asked, if that is on this machine; free ones first.

    From the nearest tier above that has any: local models, and in a project that lets poor answers
    go to the cloud (`escalation = cloud`), after them the nearest tier's cloud models. Whatever
    refuses a model (privacy, providers, the price of a request, a budget) refuses it here too.
    """
    allowed = case.policy.escalation
    if allowed == "off" or not first.model.is_local or "embeddings" in case.request.needs:
        return ()
    above = case.catalog.tiers[first.rank + 1 :]
    models = _nearest(above, case, lambda model: model.is_local and model != first.model)
    if allowed == "cloud":
        models += _nearest(above, case, lambda model: not model.is_local)
    return tuple([Choice(model=model) for model in models])


def _nearest(tiers: Iterable[Tier], case: Case, meant: Callable[[Model], bool]) -> list[Model]:
    """Those that are meant and may answer, of the first tier that has one."""
    for tier in tiers:
        output = case.output_tokens(tier)
        models = filter(meant, own_models(tier, case))
        found = [model for model in models if shut(model, case, output) is None]
        if found:
            return found
    return []

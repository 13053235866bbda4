"""Who may be asked when a local answer turns out to be no good: one tier up, and only where the
project agreed to it. Whether an answer is any good is `core/faults.py`'s to say.
"""

from __future__ import annotations

from larouter.core.catalog import Model
from larouter.core.route import Choice
from larouter.routing.candidates import Field
from larouter.routing.gates import shut
from larouter.routing.line import Candidate
from larouter.routing.policies import own_models
from larouter.routing.situation import Case


def escalations(first: Candidate, field: Field, case: Case) -> tuple[Choice, ...]:
    """The models above the first one that is asked, if that is on this machine; free ones first.

    From the nearest tier above that has any: local models, and in a project that lets poor answers
    go to the cloud (`escalation = cloud`), after them the nearest tier's cloud models. Whatever
    refuses a model (privacy, providers, the price of a request, a budget) refuses it here too.
    """
    allowed = case.policy.escalation
    if allowed == "off" or not first.model.is_local or "embeddings" in case.request.needs:
        return ()
    models = _local(first, field, case)
    if allowed == "cloud":
        models += _cloud(first, case)
    return tuple([Choice(model=model) for model in models])


def _local(first: Candidate, field: Field, case: Case) -> list[Model]:
    """Those of the nearest tier that has one. The gates have let all that are free through."""
    ready = {other.model.key for other in field.allowed if other.model.is_local}
    ready.discard(first.model.key)
    for tier in case.catalog.tiers[first.rank + 1 :] if ready else ():
        found = [model for model in own_models(tier, case) if model.key in ready]
        if found:
            return found
    return []


def _cloud(first: Candidate, case: Case) -> list[Model]:
    """Those of the nearest tier that has one that may answer."""
    for tier in case.catalog.tiers[first.rank + 1 :]:
        output = case.output_tokens(tier)
        clouds = [model for model in own_models(tier, case) if not model.is_local]
        found = [model for model in clouds if shut(model, case, output) is None]
        if found:
            return found
    return []

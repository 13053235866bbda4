"""Who cannot answer, whatever is preferred: a table of small questions about one model.

Every gate refuses what is certain and leaves the rest: what cannot be known before the call (how
many tokens a prompt has for a model whose tokenizer is not here) is refused by the provider or the
engine itself, and the next model is asked. Nothing is ever cut to make it fit.
"""

from __future__ import annotations

from collections.abc import Callable

from larouter.core.catalog import Model
from larouter.core.route import Gate
from larouter.routing.situation import Case

WHY = {
    "no-key": "has no key",
    "no-address": "has no address",
    "not-downloaded": "is not downloaded",
    "engine-down": "could not be started",
    "provider-down": "did not answer",
    "context": "cannot hold a prompt this long",
    "policy": "cannot do what this request needs",
}
"""Words for people, by the reason codes of `x-larouter-degraded`."""

_BYTES_PER_TOKEN_AT_MOST = 12
"""A token is hardly ever longer. So without a tokenizer only the certain is refused."""
_COUNTED_WITHIN = 2
"""An exact count costs time; it is asked for when the estimate is at least this part (a half) of
what the model holds. A text has hardly more than twice the tokens of its estimate."""

Refusal = tuple[str, str]
"""A code of `WHY`, and the reason in words that go on after the model's name."""


def is_missing(model: Model, case: Case, output: int) -> Refusal | None:
    """No key, no address, no file, or an engine that keeps crashing."""
    why = case.missing(model)
    return None if why is None else (why, WHY.get(why, why))


def is_resting(model: Model, case: Case, output: int) -> Refusal | None:
    """It has failed again and again just now (TRUST A3)."""
    rests_s = 0.0 if model.is_local else case.situation.rests(model.key)
    if not rests_s:
        return None
    return "provider-down", f"failed several times in a row and rests for {rests_s:.0f} s"


def lacks_ability(model: Model, case: Case, output: int) -> Refusal | None:
    """It is known not to do something that the request needs."""
    if not case.request.needs:
        return None
    lacking = lacking_ability(model, case)
    return None if lacking is None else ("policy", f"cannot do {lacking}")


def is_too_small(model: Model, case: Case, output: int) -> Refusal | None:
    """The prompt and the answer that is expected do not fit into it together."""
    request, holds = case.request, model.context
    # A batch of texts to embed may be as long as it likes: the context is each text's own.
    if holds is None or request.size + output <= holds or "embeddings" in request.needs:
        return None
    if request.size > (holds - output) * _BYTES_PER_TOKEN_AT_MOST:
        return "context", f"holds {holds} tokens, too few for a prompt this long"
    if model.is_local and _COUNTED_WITHIN * case.prompt_tokens + output > holds:
        counted = case.situation.count(model, request)
        if counted is not None and counted + output > holds:
            return "context", f"holds {holds} tokens, and the prompt alone has {counted}"
    return None


GATES: tuple[tuple[str, Callable[[Model, Case, int], Refusal | None]], ...] = (
    ("abilities", lacks_ability),
    ("context", is_too_small),
    ("missing", is_missing),
    ("resting", is_resting),
)
"""Asked in this order, after the project's policy; the first refusal is the one that is told."""


def lacking_ability(model: Model, case: Case) -> str | None:
    """The first ability that the request needs and the model is known not to have."""
    if not model.abilities:
        return None
    return min(case.request.needs - model.abilities, default=None)


def forbidden(model: Model, case: Case) -> Gate | None:
    """What the project's policy has against this model."""
    for limit in case.limits:
        words = limit.refuses(model, case)
        if words is not None:
            return Gate(model=model.key, why=limit.why, by=limit.name, words=words)
    return None


def shut(model: Model, case: Case, output: int) -> Gate | None:
    """Why this model may not answer with so many tokens; None: nothing is against it."""
    if case.limits:
        gate = forbidden(model, case)
        if gate is not None:
            return gate
    for name, ask in GATES:
        refusal = ask(model, case, output)
        if refusal is not None:
            return Gate(model=model.key, why=refusal[0], by=name, words=refusal[1])
    return None

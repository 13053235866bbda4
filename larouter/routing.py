"""From a request and a verdict to the models that may answer it, best first. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from msgspec.structs import replace

from larouter.core.catalog import Catalog, Model, Price, Tier
from larouter.core.chat import ChatRequest
from larouter.core.errors import (
    BadRequest,
    ContextExceeded,
    EngineDown,
    LARouterError,
    ModelNotFound,
    ProviderNotConfigured,
)
from larouter.core.route import Choice, Decision, Gate, Verdict

AUTO = "auto"

Missing = Callable[[Model], str | None]
"""Asks a model's provider why it cannot answer now; None: it can."""

# Words for people, by the reason codes of `x-larouter-degraded`.
WHY = {
    "no-key": "has no key",
    "no-address": "has no address",
    "not-downloaded": "is not downloaded",
    "engine-down": "could not be started",
    "provider-down": "did not answer",
    "context": "cannot hold a prompt this long",
    "policy": "cannot do what this request needs",
}


def _nobody_called(request: ChatRequest) -> str | None:
    return None


def route(
    request: ChatRequest,
    catalog: Catalog,
    missing: Missing,
    classify: Callable[[ChatRequest], Verdict],
    *,
    providers: Mapping[str, Price],
    unknown_model: str = "reject",
    caller: Callable[[ChatRequest], str | None] = _nobody_called,
) -> Decision:
    """Decide who answers. `model` is auto, a tier, a catalogue id or `provider/model`.

    `caller` names the model (its key) that asked for the tools whose results end the
    conversation. Raises `ModelNotFound`, `ProviderNotConfigured`, `ContextExceeded` or
    `BadRequest`.
    """
    name = request.model
    model = explicit_model(name, catalog, providers)
    if model is not None:
        return _explicit(model, request, missing)
    tier = catalog.tier(request.tier or name)
    if tier is None and request.tier:
        names = ", ".join(tier.name for tier in catalog.tiers)
        raise BadRequest(
            f"There is no tier {request.tier!r}: x-larouter-tier is one of {names}.",
            code="invalid_tier",
        )
    if tier is None and name.lower() != AUTO and (request.unknown_model or unknown_model) != AUTO:
        raise ModelNotFound(
            f"There is no model {name!r}. Write auto, a tier, an id of GET /v1/models, "
            "or provider/model.",
            param="model",
        )
    waiting = caller(request) if request.answers else None
    model = explicit_model(waiting, catalog, providers) if waiting else None
    if model is not None and missing(model) is None and _gate(model, request) is None:
        return _sticky(model, catalog)
    if tier is not None:
        return _by_tier(tier, None, request, catalog, missing)
    verdict = classify(request)
    found = catalog.tier(verdict.tier)
    assert found is not None, f"a stage named the tier {verdict.tier}, which is not there"
    return _by_verdict(found, verdict, request, catalog, missing)


def _by_verdict(
    found: Tier, verdict: Verdict, request: ChatRequest, catalog: Catalog, missing: Missing
) -> Decision:
    """The tier that was found. A dearer one answers only what no model of it or below can hold or
    do (stage `gate`): for anything else that would spend what nobody agreed to (TRUST A4)."""
    dearer = [tier for tier in catalog.tiers if tier.rank > found.rank]
    try:
        decision = _by_tier(found, verdict, request, catalog, missing)
    except BadRequest:
        for tier in dearer:
            with suppress(LARouterError):
                raised = _by_tier(tier, verdict, request, catalog, missing)
                reason = f"{verdict.reason}; no cheaper model can take this request"
                return replace(raised, stage="gate", reason=reason)
        raise
    larger = _larger(decision, dearer, request, catalog, missing)
    return replace(decision, choices=decision.choices + larger) if larger else decision


def _larger(
    decision: Decision,
    dearer: list[Tier],
    request: ChatRequest,
    catalog: Catalog,
    missing: Missing,
) -> tuple[Choice, ...]:
    """Models that hold more than any choice does, cheapest first: nobody has counted the prompt's
    tokens yet, and the engine may find that it does not fit."""
    held = [choice.model.context for choice in decision.choices]
    most = max(context or 2**31 for context in held)
    models = (catalog.models[name] for tier in dearer for name in tier.models)
    return tuple(
        Choice(model=model, if_too_long=True)
        for model in models
        if (model.context or 0) > most and not missing(model) and _gate(model, request) is None
    )


def _sticky(model: Model, catalog: Catalog) -> Decision:
    """The result of a tool goes to the model that called it, and to no other: never a switch
    between a call and its result."""
    tier = next((tier for tier in catalog.tiers if model.id in tier.models), None)
    return Decision(
        choices=(Choice(model=model),),
        tier=tier.name if tier else "-",
        stage="sticky",
        score=tier.rank / max(1, len(catalog.tiers) - 1) if tier else 0.0,
        reason=f"{model.key} asked for the tool whose result this is",
    )


def explicit_model(name: str, catalog: Catalog, providers: Mapping[str, Price]) -> Model | None:
    """The model that `name` means to the letter, or None for auto, a tier or a stranger.

    `providers` gives the price of a model that the catalogue does not know.
    """
    model = catalog.models.get(name)
    if model is not None:
        return model
    provider, slash, rest = name.partition("/")
    if not slash or not rest or provider not in providers:
        return None
    known = catalog.models.get(rest)
    if known is not None and known.provider == provider:
        return known
    for model in catalog.models.values():
        if model.provider == provider and model.name == rest:
            return model
    if provider == "local":
        return None
    return Model(id=name, name=rest, provider=provider, title=rest, price=providers[provider])


def _explicit(model: Model, request: ChatRequest, missing: Missing) -> Decision:
    why = missing(model)
    if why == "no-key":
        raise ProviderNotConfigured(
            f"{model.provider} has no key yet. Give it one with: larouter keys set "
            f"{model.provider} (it works at once) – or ask for model auto.",
            param="model",
        )
    if why == "no-address":
        raise ProviderNotConfigured(
            f"{model.provider} has no address yet. Set LAROUTER_{model.provider.upper()}_URL and "
            "restart LARouter.",
            param="model",
        )
    if why is not None:
        raise ProviderNotConfigured(f"{model.key} {WHY.get(why, why)}.", param="model")
    if not _fits(model, request):
        raise _too_long(model.context)
    # What a cloud's model can do, its provider says best; a local one would just ignore it. But a
    # picture that it cannot see is answered with a sentence that nobody understands.
    lacking = _lacking(model, request)
    if not model.is_local and lacking != "images":
        lacking = None
    if lacking:
        raise BadRequest(f"{model.key} cannot do {lacking}.", param="model", code="unsupported")
    return Decision(
        choices=(Choice(model=model),),
        tier="-",
        stage="explicit",
        score=0.0,
        reason=f"{model.key} was asked for by name",
    )


def _by_tier(
    tier: Tier, verdict: Verdict | None, request: ChatRequest, catalog: Catalog, missing: Missing
) -> Decision:
    choices: list[Choice] = []
    gates: list[Gate] = []
    degraded: str | None = None
    own = frozenset(tier.models)
    for model in _candidates(tier, catalog):
        why = missing(model) or _gate(model, request)
        if why is not None:
            gates.append(Gate(model=model.key, why=why))
            if model.id in own:
                degraded = degraded or why
            continue
        # A tier's second model (the smaller one of two) is still the tier's own.
        stands_in = model.id not in own
        choices.append(Choice(model=model, degraded=degraded if stands_in else None))
    if not choices:
        raise _nobody(gates, catalog)
    reason = verdict.reason if verdict else f"tier {tier.name} was asked for"
    if choices[0].degraded and degraded:
        reason += f"; {catalog.models[tier.models[0]].title} {WHY.get(degraded, degraded)}"
    return Decision(
        choices=tuple(choices),
        tier=tier.name,
        stage=verdict.stage if verdict else "explicit",
        score=verdict.score if verdict else tier.rank / max(1, len(catalog.tiers) - 1),
        reason=reason,
        gates=tuple(gates),
        verdict=verdict,
    )


def _candidates(tier: Tier, catalog: Catalog) -> Iterator[Model]:
    """Every model that may stand in for `tier`: its own, cheaper tiers from the nearest down,
    then dearer tiers' free models (never a dearer price: TRUST A4), the starter last."""
    seen = set()
    below = [other for other in reversed(catalog.tiers) if other.rank < tier.rank]
    above = [other for other in catalog.tiers if other.rank > tier.rank]
    for other in (tier, *below, *above):
        for name in other.models:
            model = catalog.models[name]
            if name not in seen and (other.rank <= tier.rank or model.price.is_free):
                seen.add(name)
                yield model
    if catalog.starter and catalog.starter not in seen:
        yield catalog.models[catalog.starter]


def _gate(model: Model, request: ChatRequest) -> str | None:
    if _lacking(model, request):
        return "policy"
    return None if _fits(model, request) else "context"


def _lacking(model: Model, request: ChatRequest) -> str | None:
    """The first ability that the request needs and the model is known not to have."""
    if not model.abilities:
        return None
    return next(iter(sorted(request.needs - model.abilities)), None)


_BYTES_PER_TOKEN_AT_MOST = 12


def _fits(model: Model, request: ChatRequest) -> bool:
    # Without a tokenizer only the certain is refused here: a token is hardly ever longer than
    # this many bytes. The engine counts exactly and refuses the rest with its own 400. A batch of
    # texts to embed may be as long as it likes: the context is each text's own.
    if "embeddings" in request.needs:
        return True
    return model.context is None or request.size <= model.context * _BYTES_PER_TOKEN_AT_MOST


def _nobody(gates: list[Gate], catalog: Catalog) -> LARouterError:
    too_small = {gate.model for gate in gates if gate.why == "context"}
    if too_small:
        known = (model for model in catalog.models.values() if model.key in too_small)
        return _too_long(max(model.context or 0 for model in known))
    if any(gate.why == "policy" for gate in gates):
        return BadRequest(
            "No model that is ready here can do what this request needs (images, audio, files, "
            "tools or a JSON schema). Add a cloud key or download a larger model.",
            code="unsupported",
        )
    if any(gate.why == "engine-down" for gate in gates):
        return EngineDown(
            "The local model has crashed repeatedly, so it is not started any more. Restart "
            "LARouter to try again; logs/ in its data folder says what happened."
        )
    return ProviderNotConfigured(
        "No model can answer: nothing is downloaded, no key is set, and the starter model is not "
        "installed. Run make run again, or set a provider's key."
    )


def _too_long(context: int | None) -> ContextExceeded:
    return ContextExceeded(
        f"The prompt is longer than the {context} tokens that can be held. Shorten it.",
        param="messages",
    )

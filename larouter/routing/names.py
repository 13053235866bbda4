"""What the name in a request means: a model to the letter, a tier, or auto."""

from __future__ import annotations

from collections.abc import Mapping

from larouter.core.catalog import Catalog, Model, Price, Tier
from larouter.core.errors import BadRequest, ModelNotFound
from larouter.routing.situation import Case

AUTO = "auto"


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


def named_tier(case: Case) -> Tier | None:
    """The tier that was asked for by the header or as a model; None: auto, or a stranger's name
    that is to be routed as auto. Raises `BadRequest` or `ModelNotFound`."""
    request, name = case.request, case.request.model
    tier = case.catalog.tier(request.tier or name)
    if tier is not None:
        return tier
    if request.tier:
        names = ", ".join(tier.name for tier in case.catalog.tiers)
        raise BadRequest(
            f"There is no tier {request.tier!r}: x-larouter-tier is one of {names}.",
            code="invalid_tier",
        )
    unknown = request.unknown_model or case.situation.unknown_model
    if name.lower() != AUTO and unknown != AUTO:
        raise ModelNotFound(
            f"There is no model {name!r}. Write auto, a tier, an id of GET /v1/models, "
            "or provider/model.",
            param="model",
        )
    return None

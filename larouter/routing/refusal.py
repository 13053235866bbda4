"""The answer when nobody may answer: one error that says what would help."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from larouter.core.catalog import Model
from larouter.core.errors import (
    BadRequest,
    ContextExceeded,
    EngineDown,
    Forbidden,
    LARouterError,
    ProviderNotConfigured,
    Unavailable,
)
from larouter.core.route import Gate
from larouter.routing.gates import WHY, forbidden, is_too_small, lacking_ability
from larouter.routing.policies import REMEDIES
from larouter.routing.situation import Case

_MOST_NAMED = 3
"""Keys or models that a sentence names; the rest is in `gates` of POST /v1/route."""


def refuse_model(model: Model, case: Case) -> None:
    """Raise what speaks against a model that was asked for by name; it is never stood in for."""
    gate = forbidden(model, case)
    if gate is not None:
        raise _policy_refused(gate)
    why = case.missing(model)
    if why is not None:
        raise _not_configured(model, why)
    if is_too_small(model, case, 0) is not None:
        raise _too_long(model.context, "")
    # What a cloud's model can do, its provider says best; a local one would just ignore it. But a
    # picture that it cannot see is answered with a sentence that nobody understands.
    lacking = lacking_ability(model, case)
    if lacking and (model.is_local or lacking == "images"):
        raise BadRequest(f"{model.key} cannot do {lacking}.", param="model", code="unsupported")


def nobody(gates: Sequence[Gate], case: Case, above: Sequence[Gate] = ()) -> LARouterError:
    """What is said when every model that was considered is shut out: the reason that lies in the
    request first, then those that pass, then the policy, then what is to be set up.

    `above` is what speaks against dearer models that would have been asked too.
    """
    shut_by = {gate.by for gate in gates}
    helps = _what_helps([*gates, *above], case)
    if "context" in shut_by:
        held = {gate.model for gate in gates if gate.by == "context"}
        known = [model for model in case.catalog.models.values() if model.key in held]
        return _too_long(max([model.context or 0 for model in known], default=None), helps)
    if "abilities" in shut_by:
        needs = ", ".join(sorted(case.request.needs))
        return BadRequest(
            f"No model that may answer here can do what this request needs ({needs}).{helps}",
            code="unsupported",
        )
    if "resting" in shut_by:
        return _resting(gates, case)
    if any(gate.why == "engine-down" for gate in gates):
        return EngineDown(
            "The local model has crashed repeatedly, so it is not started any more. Restart "
            "LARouter to try again; logs/ in its data folder says what happened."
        )
    if "missing" not in shut_by and gates:
        return _policy_refused(gates[0])
    return ProviderNotConfigured(
        "No model can answer: nothing is downloaded, no key is set, and the starter model is not "
        f"installed. Run make run again, or set a provider's key.{helps}"
        if shut_by <= {"missing"}
        else f"No model that the project's policy allows is ready.{helps}"
    )


def _what_helps(gates: Sequence[Gate], case: Case) -> str:
    """Sentences on keys, downloads and policies that would let somebody answer, each with a space
    before it. A model that could not serve the request anyway is not named."""
    models = {model.key: model for model in case.catalog.models.values()}
    keys: dict[str, None] = {}
    downloads: dict[str, None] = {}
    rules: dict[str, None] = {}
    for gate in gates:
        model = models.get(gate.model)
        if model is None:
            continue
        if gate.why == "no-key":
            keys[model.provider] = None
        elif gate.why == "not-downloaded":
            downloads[model.title or model.id] = None
        elif gate.by in REMEDIES and _could_serve(model, case):
            rules[gate.by] = None
    told = []
    if keys:
        commands = " or ".join(f"larouter keys set {name}" for name in _some(keys))
        told.append(f"A key would help: {commands}.")
    if downloads:
        told.append(f"So would a download of {' or '.join(_some(downloads))}." if keys else
                    f"A download of {' or '.join(_some(downloads))} would help.")  # fmt: skip
    told += [f"The policy ({name}) keeps others out. {REMEDIES[name]}" for name in rules]
    return "".join(f" {sentence}" for sentence in told)


def _could_serve(model: Model, case: Case) -> bool:
    if lacking_ability(model, case) is not None or is_too_small(model, case, 0) is not None:
        return False
    return case.missing(model) is None


def _some(names: dict[str, None]) -> list[str]:
    return list(names)[:_MOST_NAMED]


def _policy_refused(gate: Gate) -> Forbidden:
    return Forbidden(
        f"The project's policy ({gate.by}) keeps {gate.model} out: it {gate.words}. "
        f"{REMEDIES[gate.by]}",
        code="policy_refused",
        param="model",
    )


def _resting(gates: Sequence[Gate], case: Case) -> Unavailable:
    resting = dict.fromkeys(gate.model for gate in gates if gate.by == "resting")
    seconds = max(1, ceil(min(map(case.situation.rests, resting))))
    names = ", ".join(_some(resting))
    return Unavailable(
        f"{names} failed several times in a row and is left alone for {seconds} s. Try again "
        "then, or ask for another model.",
        code="provider_resting",
        retry_after_s=seconds,
    )


def _not_configured(model: Model, why: str) -> ProviderNotConfigured:
    provider = model.provider
    if why == "no-key":
        said = (
            f"{provider} has no key yet. Give it one with: larouter keys set {provider} "
            "(it works at once) – or ask for model auto."
        )
    elif why == "no-address":
        said = (
            f"{provider} has no address yet. Set LAROUTER_{provider.upper()}_URL and restart "
            "LARouter."
        )
    else:
        said = f"{model.key} {WHY.get(why, why)}."
    return ProviderNotConfigured(said, param="model")


def _too_long(context: int | None, helps: str) -> ContextExceeded:
    return ContextExceeded(
        f"The prompt is longer than the {context} tokens that can be held. Shorten it.{helps}",
        param="messages",
    )

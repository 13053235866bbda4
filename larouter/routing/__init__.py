"""From a request to the models that may answer it, best first. Read `route`; it is the whole story.

    the name ─ a model? ─► it, or nobody                                        (explicit)
      │ the result of a tool? ─► the model that called it                       (sticky)
      │ a tier? ─────────────────────────────────────┐                          (explicit)
      └► verdict ─► rules ─► slider ─► conversation ─┴► need: a tier
                                                          │
                       candidates ─► gates ─► preference ─┴► decision, with its reasons

Pure: everything that it asks of the world is in a `Situation`.
"""

from __future__ import annotations

from msgspec.structs import replace

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.route import Choice, Decision, Gate
from larouter.routing import reasons
from larouter.routing.candidates import Field, field_for, larger
from larouter.routing.escalate import escalations
from larouter.routing.gates import shut
from larouter.routing.names import AUTO, explicit_model, named_tier
from larouter.routing.need import Need, need_of
from larouter.routing.policies import STAGES, limits_of
from larouter.routing.preference import ranked
from larouter.routing.refusal import nobody, refuse_model
from larouter.routing.rules import rule_for, ruled
from larouter.routing.situation import Case, Situation, estimated_tokens
from larouter.routing.stay import stayed

__all__ = ["AUTO", "Situation", "explicit_model", "route"]

_GOES_UP = {"context": "gate", "abilities": "gate", "cloud-only": "policy"}
"""What lets `auto` leave its tier for a dearer one where nobody at or below it may answer, and the
stage of that decision. For anything else it would spend what nobody agreed to (TRUST A4)."""


def route(request: ChatRequest, situation: Situation) -> Decision:
    """Decide who answers. `model` is auto, a tier, a catalogue id or `provider/model`.

    Raises `ModelNotFound`, `ProviderNotConfigured`, `ContextExceeded`, `BadRequest`, `Forbidden`
    (code `policy_refused`) or `Unavailable`, with a sentence that says what would help.
    """
    case = _look(request, situation)
    model = explicit_model(request.model, case.catalog, situation.providers)
    if model is not None:
        refuse_model(model, case)
        return _alone(model, "explicit", f"{model.key} was asked for by name", case)
    tier = named_tier(case)
    caller = _tool_caller(case)
    if caller is not None:
        reason = f"{caller.key} asked for the tool whose result this is"
        return _alone(caller, "sticky", reason, case)
    if tier is not None:
        return _decide(Need.named(tier, case.catalog), case)
    verdict = situation.classify(request)
    rule = rule_for(verdict, case)
    if rule is not None:
        return _decide(*ruled(rule, verdict, case))
    need = need_of(verdict, request.policy, request.bias, case.catalog)
    return _decide(stayed(need, case), case)


def _look(request: ChatRequest, situation: Situation) -> Case:
    """Find out once what every step may want to know."""
    policy, memory = request.policy, situation.memory
    seen = memory.find(request) if memory is not None else None
    private = None
    if policy.privacy or policy.patterns:
        # What was private once stays so, for the rest of the conversation.
        private = (seen.private if seen else None) or situation.private(request)
        if private is not None and memory is not None:
            memory.keep_private(request, private)
    case = Case(
        request=request,
        situation=situation,
        catalog=situation.catalog(),
        policy=policy,
        prompt_tokens=estimated_tokens(request),
        seen=seen,
        private=private,
    )
    limits = limits_of(case)
    return replace(case, limits=limits) if limits else case


def _tool_caller(case: Case) -> Model | None:
    """The model that the result of a tool goes back to, if it may still answer. Never a switch
    between a call and its result, not even for one that rests a little."""
    key = case.situation.caller(case.request) if case.request.answers else None
    model = explicit_model(key, case.catalog, case.situation.providers) if key else None
    if model is None:
        return None
    gate = shut(model, case, 0)
    return model if gate is None or gate.by == "resting" else None


def _alone(model: Model, stage: str, reason: str, case: Case) -> Decision:
    """This model or none."""
    tiers = case.catalog.tiers
    tier = None
    if stage == "sticky":
        tier = next((tier for tier in tiers if model.id in tier.models), None)
    return Decision(
        choices=(Choice(model=model),),
        tier=tier.name if tier else "-",
        stage=stage,
        score=tier.rank / max(1, len(tiers) - 1) if tier else 0.0,
        reason=reason,
        numbers=case.numbers(tier, None),
    )


def _decide(need: Need, case: Case) -> Decision:
    """Ask the gates, and put those that they let through in order."""
    field = field_for(need, case)
    if field.allowed:
        return _decision(need, field, case)
    above_gates: list[Gate] = []
    if need.verdict is not None:
        by = {gate.by for gate in field.gates}
        stage = next((stage for row, stage in _GOES_UP.items() if row in by), None)
        for tier in case.catalog.tiers[need.tier.rank + 1 :] if stage else ():
            above = field_for(replace(need, tier=tier), case)
            if above.allowed:
                why = (need.reasons[0], "no cheaper model can take this request", *need.reasons[1:])
                raised = replace(need, tier=tier, stage=stage, reasons=why)
                return _decision(raised, above, case)
            above_gates += above.gates
    raise nobody(field.gates, case, above_gates)


def _decision(need: Need, field: Field, case: Case) -> Decision:
    ranking = ranked(field.allowed, need, case)
    missed = field.missed[1].why if field.missed else None
    late = ranking.overtook is not None
    choices = [
        Choice(
            model=candidate.model,
            degraded=None if candidate.is_own else "loading" if late and not at else missed,
        )
        for at, candidate in enumerate(ranking.order)
    ]
    if need.verdict is not None:
        choices += [Choice(model=model, if_too_long=True) for model in larger(field, case)]
    stage = need.stage
    if field.missed is not None and not ranking.order[0].is_own:
        stage = STAGES.get(field.missed[1].by, stage)
    return Decision(
        choices=tuple(choices),
        tier=need.tier.name,
        stage=stage,
        score=need.score,
        reason="; ".join(reasons.of(need, field, ranking, case)),
        gates=field.gates,
        verdict=need.verdict,
        numbers=case.numbers(need.tier, need.verdict),
        escalations=escalations(ranking.order[0], field, case),
    )

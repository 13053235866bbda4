"""A project's own rules, asked once the classifier has spoken: the first one that holds counts."""

from __future__ import annotations

from msgspec.structs import replace

from larouter.core.policy import DEFAULT_POLICY, Rule
from larouter.core.policy_rules import LOCAL, Facts, holds
from larouter.core.route import Verdict
from larouter.routing.names import explicit_model
from larouter.routing.need import Need, need_of
from larouter.routing.policies import RULED_LOCAL
from larouter.routing.situation import Case


def rule_for(verdict: Verdict, case: Case) -> Rule | None:
    """The first rule of the project that holds."""
    if not case.policy.rules:
        return None
    request = case.request
    facts = Facts(
        tags=verdict.tags,
        language=verdict.language,
        needs=request.needs,
        tier=verdict.tier,
        ranks={tier.name: tier.rank for tier in case.catalog.tiers},
        tokens=case.prompt_tokens,
        turns=len(request.messages),
        model=request.model,
    )
    return next((rule for rule in case.policy.rules if holds(rule, facts)), None)


def ruled(rule: Rule, verdict: Verdict, case: Case) -> tuple[Need, Case]:
    """What a rule makes of the verdict: the slider is not asked any more. One whose tier or model
    is no longer there changes nothing, and the reason says so."""
    need = need_of(verdict, DEFAULT_POLICY, 0.0, case.catalog)
    words = f"rule: {rule.text}"
    if rule.action == LOCAL:
        case = replace(case, limits=(*case.limits, RULED_LOCAL))
        return _because(need, words), case
    tier = case.catalog.tier(rule.action)
    if tier is not None:
        return _because(replace(need, tier=tier, is_firm=True), words), case
    model = explicit_model(rule.action, case.catalog, case.situation.providers)
    if model is not None:
        return _because(replace(need, model=model, is_firm=True), words), case
    return _because(need, f"nobody is called {rule.action} any more, {words}"), case


def _because(need: Need, reason: str) -> Need:
    return replace(need, stage="policy", reasons=(reason, need.reasons[0]))

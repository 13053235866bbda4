"""A project's own rules."""

from __future__ import annotations

import pytest

from larouter.core.policy_rules import parse_rule
from larouter.routing.policies import POLICIES, RULED_LOCAL
from larouter.routing.rules import rule_for, ruled
from tests.routing.house import a_case, a_verdict, asking, first, names, routed

LEGAL = a_verdict("SIMPLE", tags=frozenset({"legal"}), language="de")


def _policy(*texts):
    return {"rules": tuple(parse_rule(text) for text in texts)}


def _decided(*texts, verdict=LEGAL, **more):
    return routed(asking(_policy(*texts), **more), verdict=verdict)


def test_without_rules_nothing_is_asked():
    assert rule_for(LEGAL, a_case()) is None


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("tag = legal", True),
        ("tag = code", False),
        ("language = de", True),
        ("tier < MODERATE", True),
        ("tokens > 900", True),
        ("turns = 1", True),
        ("needs = tools", True),
        ("model = auto", True),
    ],
)
def test_a_rule_sees_the_facts(condition, holds):
    request = asking(
        _policy(f"if {condition} then COMPLEX"), size=4_000, needs=frozenset({"tools"})
    )

    assert (rule_for(LEGAL, a_case(request)) is not None) == holds


def test_the_first_rule_that_holds_counts():
    decision = _decided(
        "if tag = code then FRONTIER", "if tag = legal then COMPLEX", "if turns = 1 then SIMPLE"
    )

    assert (decision.tier, decision.stage) == ("COMPLEX", "policy")
    assert decision.reason == "rule: if tag = legal then COMPLEX; said"


def test_a_rule_may_name_a_model():
    decision = _decided("if tag = legal then openai/x")

    assert first(decision) == ("openai/x", None)
    assert names(decision)[1:] == ["small", "tiny", "large", "lesser"]
    assert decision.tier == "SIMPLE"


def test_a_rules_model_that_is_not_ready_is_stood_in_for():
    request = asking(_policy("if tag = legal then genius"))
    decision = routed(request, verdict=LEGAL, without={"genius": "no-key"})

    assert first(decision) == ("small", "no-key")
    assert "Genius has no key" in decision.reason


def test_a_rule_may_keep_a_request_on_this_machine():
    hard = a_verdict("COMPLEX", tags=frozenset({"legal"}))
    decision = _decided("if tag = legal then local", verdict=hard)

    assert (first(decision), decision.tier) == (("large", "local-only"), "COMPLEX")
    assert decision.reason.startswith("rule: if tag = legal then local; said; Smart is not on")


def test_a_rule_whose_model_is_gone_changes_nothing_and_says_so():
    case = a_case(asking(_policy("if tag = legal then nobody")))
    rule = rule_for(LEGAL, case)
    assert rule is not None

    need, after = ruled(rule, LEGAL, case)

    assert (need.tier.name, after.limits) == ("SIMPLE", ())
    assert need.reasons[0].startswith("nobody is called nobody any more, rule: if tag")


def test_a_rule_adds_to_the_limits_that_are_there():
    case = a_case(asking(_policy("if tag = legal then local")), limits=POLICIES[:1])
    rule = rule_for(LEGAL, case)
    assert rule is not None

    assert ruled(rule, LEGAL, case)[1].limits == (POLICIES[0], RULED_LOCAL)

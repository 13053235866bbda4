"""A conversation whose tools fail, between a call and its result, and what goes before memory."""

from __future__ import annotations

import pytest

from larouter.core.policy import Policy
from larouter.core.policy_rules import parse_rule
from larouter.routing import Situation
from tests.fakes import a_catalog
from tests.routing.talk import BAD, LARGE, MASTER, SMALL, TINY, TOOLS, Talk, who


@pytest.fixture
def talk():
    return Talk()


def _stalled(talk, tier="COMPLEX", errors=3):
    talk.say("Fix the build", tier, **TOOLS)
    for _ in range(errors):
        talk.result(BAD)


@pytest.mark.parametrize(
    ("errors", "found"),
    [(2, ("smart", "COMPLEX", "sticky")), (3, ("genius", "FRONTIER", "sticky"))],
)
def test_three_errors_in_a_row_raise_the_next_turn(talk, errors, found):
    _stalled(talk, errors=errors)

    decision = talk.say("try again", follows=True, **TOOLS)

    assert who(decision) == found
    assert decision.reason.startswith("stalled: 3 tool errors in a row") is (errors == 3)


def test_a_fresh_question_after_a_wall_is_raised_too(talk):
    _stalled(talk)

    assert who(talk.say("Why does it fail?", "SIMPLE", **TOOLS)) == (
        "genius",
        "FRONTIER",
        "sticky",
    )
    assert talk.say("And now?", follows=True, **TOOLS).reason.startswith("goes on")


def test_thanks_at_a_wall_are_thanks(talk):
    _stalled(talk)

    assert who(talk.say("thanks anyway", "HEARTBEAT", **TOOLS)) == ("tiny", "HEARTBEAT", "rules")


def test_above_the_last_tier_there_is_none(talk):
    _stalled(talk, "FRONTIER")

    assert who(talk.say("try again", follows=True, **TOOLS)) == ("genius", "FRONTIER", "sticky")


def test_a_wall_leads_to_no_cloud_where_none_is_allowed(talk):
    local = {"policy": Policy(mode="local-only")}
    talk.say("Fix the build", "MODERATE", **TOOLS, **local)
    for _ in range(3):
        talk.result(BAD, **local)

    decision = talk.say("try again", follows=True, **TOOLS, **local)

    assert decision.choices[0].model is LARGE
    assert not any(not choice.model.is_local for choice in decision.choices)


# Between a call and its result.


def test_a_loop_of_tools_stays_with_its_model(talk):
    talk.say("Fix the build", "FRONTIER", answered_by=MASTER, **TOOLS)

    found = [talk.result(BAD, tier) for tier in ("SIMPLE", "HEARTBEAT", "COMPLEX", "MODERATE")]

    assert {who(decision) for decision in found} == {("master", "FRONTIER", "sticky")}


def test_who_called_a_tool_gets_its_result_though_it_stands_in(talk):
    talk.without = {"genius", "master"}
    talk.say("Fix the build", "FRONTIER", **TOOLS)
    talk.caller = "openai/smart"
    talk.result("42")
    talk.without, talk.caller = set(), None

    assert who(talk.say("go on", follows=True, **TOOLS)) == ("genius", "FRONTIER", "sticky")


def test_what_an_agent_asks_beside_its_work_is_cheap(talk):
    talk.say("Fix the build", "FRONTIER", session="s", tokens=10_000, **TOOLS)

    beside = talk.say("Write a title", "SIMPLE", session="s", tokens=10_000)
    on = talk.say("go on", follows=True, session="s", tokens=10_000, **TOOLS)

    assert who(beside) == ("small", "SIMPLE", "rules")
    assert who(on) == ("genius", "FRONTIER", "sticky")


# What goes before.


def test_a_catalogue_without_the_tier_forgets_it(talk):
    talk.say("Write a compiler", "FRONTIER")
    talk.catalog = a_catalog(TINY, SMALL, HEARTBEAT=("tiny",), SIMPLE=("small",))

    assert who(talk.say("Who wrote Faust?", "SIMPLE")) == ("small", "SIMPLE", "rules")


def test_a_rule_goes_before_the_memory(talk):
    policy = Policy(rules=(parse_rule("if tier = SIMPLE then SIMPLE"),))
    talk.say("Write a compiler", "FRONTIER", tokens=10_000)

    decision = talk.say("Who wrote Faust?", "SIMPLE", tokens=10_000, policy=policy)

    assert who(decision) == ("small", "SIMPLE", "policy")


def test_what_was_private_stays_on_this_machine():
    talk = Talk()
    found: list[str | None] = ["secrets", None]
    talk.situation = Situation(
        catalog=talk.situation.catalog,
        providers=talk.situation.providers,
        missing=talk.situation.missing,
        classify=talk.situation.classify,
        private=lambda request: found.pop(0),
        memory=talk.memory,
    )
    policy = {"policy": Policy(privacy=frozenset({"secrets"})), "session": "s"}
    talk.say("My key is …", "SIMPLE", **policy)
    talk.turns = []

    decision = talk.say("Write a compiler", "FRONTIER", **policy)

    assert all(choice.model.is_local for choice in decision.choices)
    assert found == [None]

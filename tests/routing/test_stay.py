"""A conversation and its model: when it stays, and when it pays to go."""

from __future__ import annotations

import pytest

from larouter.core.catalog import Price
from larouter.core.policy import Policy
from larouter.routing.stay import SHORT_HISTORY
from tests.fakes import a_catalog
from tests.routing.talk import CLEVER, GENIUS, MASTER, SMALL, SMART, TINY, Talk, model, who


@pytest.fixture
def talk():
    return Talk()


def test_the_first_turn_is_as_its_verdict(talk):
    assert who(talk.say("Write a compiler", "FRONTIER")) == ("genius", "FRONTIER", "rules")


@pytest.mark.parametrize("tier", ["HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER"])
def test_what_only_goes_on_inherits(talk, tier):
    talk.say("Write a compiler", "FRONTIER")

    decision = talk.say("ok, continue", tier, follows=True)

    assert who(decision) == ("genius", "FRONTIER", "sticky")
    assert decision.reason.startswith("goes on with what came before; said")
    assert (decision.score, decision.choices[0].degraded) == (1.0, None)


def test_what_goes_on_to_something_harder_goes_up(talk):
    talk.say("Shall I write a compiler?", "MODERATE")

    assert who(talk.say("do it", "FRONTIER", follows=True)) == ("genius", "FRONTIER", "rules")


def test_a_harder_turn_goes_up_at_once(talk):
    talk.say("What is a compiler?", "SIMPLE")

    assert who(talk.say("Write one", "FRONTIER")) == ("genius", "FRONTIER", "rules")


def test_thanks_go_to_the_smallest_and_the_conversation_stays(talk):
    talk.say("Write a compiler", "FRONTIER")

    assert who(talk.say("thanks", "HEARTBEAT")) == ("tiny", "HEARTBEAT", "rules")
    assert who(talk.say("continue", follows=True)) == ("genius", "FRONTIER", "sticky")


def test_thanks_without_a_small_model_stay(talk):
    talk.say("Write a compiler", "FRONTIER")
    talk.without = {"tiny"}

    decision = talk.say("thanks", "HEARTBEAT")

    assert who(decision) == ("genius", "FRONTIER", "sticky")
    assert "no model of HEARTBEAT is ready" in decision.reason


def test_thanks_without_a_starter():
    talk = Talk(a_catalog(TINY, GENIUS, HEARTBEAT=("tiny",), FRONTIER=("genius",)))
    talk.say("Write a compiler", "FRONTIER")

    assert talk.say("thanks", "HEARTBEAT").tier == "HEARTBEAT"


def test_thanks_after_a_long_conversation_are_weighed(talk):
    long = SHORT_HISTORY + 1
    talk.say("Write a compiler", "FRONTIER", tokens=long)

    assert who(talk.say("thanks", "HEARTBEAT", tokens=long)) == ("genius", "FRONTIER", "sticky")
    talk.clock.advance(1_800)
    assert who(talk.say("thanks", "HEARTBEAT", tokens=long)) == ("tiny", "HEARTBEAT", "rules")


# Downwards.


def test_a_short_history_is_left(talk):
    talk.say("Write a compiler", "FRONTIER")

    decision = talk.say("What is a linker?", "SIMPLE")

    # 100 tokens and an answer of 150 at $5 and $25 a million; too short for any cache.
    assert who(decision) == ("small", "SIMPLE", "rules")
    assert "Small saves $0.0042 on this answer and loses $0 of Genius's cache" in decision.reason


def test_a_long_history_in_a_cache_is_not_left(talk):
    talk.say("Write a compiler", "FRONTIER", tokens=10_000)

    decision = talk.say("What is a linker?", "SIMPLE", tokens=10_000)

    # Read at $0.5 a million and answered at $25: $0.00875. Kept anew at $6.25 instead: $0.0575.
    assert who(decision) == ("genius", "FRONTIER", "sticky")
    figures = "Small saves $0.0088 on this answer and loses $0.0575 of Genius's cache"
    assert decision.reason.startswith(figures)


def test_a_cold_cache_holds_nobody(talk):
    talk.say("Write a compiler", "FRONTIER", tokens=10_000)
    talk.clock.advance(1_800)

    decision = talk.say("What is a linker?", "SIMPLE", tokens=10_000)

    assert who(decision) == ("small", "SIMPLE", "rules")
    assert "loses $0 of Genius's cache" in decision.reason


def test_from_a_cloud_to_a_cheaper_one_the_history_is_read_anew(talk):
    talk.say("Write a compiler", "FRONTIER", tokens=100_000)
    talk.clock.advance(1_799)

    decision = talk.say("Compare it", "COMPLEX", tokens=100_000)

    # $0.05 + $0.025 here; $0.05 + $0.002 there, and $0.575 on the way back.
    assert who(decision) == ("genius", "FRONTIER", "sticky")
    assert "Smart saves $0.023 on this answer and loses $0.575" in decision.reason


def test_between_models_of_this_machine_nothing_is_saved(talk):
    talk.say("Tell me a story", "MODERATE")

    decision = talk.say("Who wrote Faust?", "SIMPLE")

    assert who(decision) == ("large", "MODERATE", "sticky")


def test_an_unknown_price_holds():
    free = model("genius", "openai", Price())
    talk = Talk(
        a_catalog(TINY, SMALL, free, HEARTBEAT=("tiny",), SIMPLE=("small",), FRONTIER=("genius",))
    )
    talk.say("Write a compiler", "FRONTIER")

    decision = talk.say("What is a linker?", "SIMPLE")

    assert who(decision) == ("genius", "FRONTIER", "sticky")
    assert "nobody knows what leaving Genius would save" in decision.reason


def test_nobody_goes_down_to_a_model_that_is_not_there(talk):
    talk.say("Write a compiler", "FRONTIER")
    talk.without = {"small"}

    decision = talk.say("What is a linker?", "SIMPLE")

    assert who(decision) == ("genius", "FRONTIER", "sticky")
    assert "no model of SIMPLE is ready" in decision.reason


def test_the_mode_best_does_not_count_cents(talk):
    best = {"policy": Policy(mode="best")}
    talk.say("Write a compiler", "FRONTIER", **best)

    assert who(talk.say("Who wrote Faust?", "SIMPLE", **best)) == ("genius", "FRONTIER", "sticky")


def test_a_model_that_may_not_answer_any_more_holds_nobody(talk):
    talk.say("Write a compiler", "FRONTIER", tokens=10_000)
    talk.without = {"genius"}

    assert who(talk.say("Who wrote Faust?", "SIMPLE", tokens=10_000)) == (
        "small",
        "SIMPLE",
        "rules",
    )


def test_a_stand_in_holds_nobody(talk):
    talk.without = {"genius", "master"}
    talk.say("Write a compiler", "FRONTIER", tokens=10_000)
    talk.without = set()

    assert who(talk.say("Write more", "FRONTIER", tokens=10_000)) == (
        "genius",
        "FRONTIER",
        "rules",
    )


# Of one tier.


@pytest.mark.parametrize("mode", ["balanced", "cheapest"])
def test_the_model_that_has_the_conversation_goes_first(talk, mode):
    policy = Policy(mode=mode)
    talk.say("Compare them", "COMPLEX", tokens=2_000, answered_by=CLEVER)

    decision = talk.say("And these?", "COMPLEX", tokens=2_000, policy=policy)

    assert who(decision) == ("clever", "COMPLEX", "sticky")
    assert [choice.degraded for choice in decision.choices[:2]] == [None, None]
    assert decision.choices[1].model is SMART
    assert decision.reason.startswith("Clever has this conversation in its cache")


@pytest.mark.parametrize(("tokens", "silent_s"), [(63, 0), (2_000, 3_600)])
def test_without_a_cache_the_tiers_own_order_counts(talk, tokens, silent_s):
    talk.say("Compare them", "COMPLEX", tokens=tokens, answered_by=CLEVER)
    talk.clock.advance(silent_s)

    assert who(talk.say("And these?", "COMPLEX", tokens=tokens)) == ("smart", "COMPLEX", "rules")


@pytest.mark.parametrize(
    ("body", "dialect", "name"),
    [
        ({}, "chat", "genius"),
        ({"cache_control": {"type": "ephemeral"}}, "chat", "genius"),
        ({}, "anthropic", "genius"),
        ({"system": "Be brief.", "tools": [{"name": "x"}]}, "anthropic", "genius"),
        ({"cache_control": {"type": "ephemeral"}}, "anthropic", "master"),
        ({"system": [{"type": "text", "cache_control": {}}]}, "anthropic", "master"),
        ({"tools": [{"name": "x"}, {"name": "y", "cache_control": {}}]}, "anthropic", "master"),
    ],
)
def test_anthropic_keeps_what_a_client_has_marked(talk, body, dialect, name):
    talk.say("Write it", "FRONTIER", tokens=2_000, answered_by=MASTER)

    decision = talk.say("And more", "FRONTIER", tokens=2_000, body=body, dialect=dialect)

    assert decision.choices[0].model.id == name

"""Which conversation a request goes on with, and what is remembered of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest, Message
from larouter.core.conversations import KEPT_S, Conversations, Seen, is_beside, is_fresh
from larouter.core.route import Choice, Decision, Numbers
from tests.fakes import Clock

GENIUS = Model(id="genius", name="genius", provider="anthropic")
SMALL = Model(id="small", name="small", provider="local")


def _asked(*turns, project="p", session=None, system="Be brief.", answers=(), **body):
    """The user's turns, all but the last answered. `("tool", …)` is the result of a tool."""
    messages = [Message("system", system)] if system else []
    for turn in turns:
        if isinstance(turn, tuple):
            messages += [Message("assistant", ""), Message(*turn)]
        else:
            messages += [Message("user", turn), Message("assistant", f"About {turn}")]
    if messages[-1].role == "assistant":
        messages.pop()
    return ChatRequest(
        model="auto",
        messages=tuple(messages),
        body=body,
        size=100,
        project=project,
        session=session,
        answers=answers,
        needs=frozenset({"tools"}) if answers else frozenset(),
    )


def _decided(tier="FRONTIER", *, stage="rules", tokens=1_000, model=GENIUS):
    return Decision(
        choices=(Choice(model=model),),
        tier=tier,
        stage=stage,
        score=1.0,
        reason="said",
        numbers=Numbers(prompt_tokens=tokens),
    )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(clock):
    return Conversations(clock)


def _note(kept, request, tier="FRONTIER", model=GENIUS, **more):
    kept.note(request, _decided(tier, **more), model)


def test_a_follow_up_finds_the_turn_before_it(kept, clock):
    _note(kept, _asked("Write a compiler"))

    seen = kept.find(_asked("Write a compiler", "and a linker"))

    assert seen == Seen(
        model="anthropic/genius", tier="FRONTIER", prompt_tokens=1_000, at=clock.now
    )
    assert kept.age_s(seen) == 0


def test_the_last_answered_turn_counts(kept):
    _note(kept, _asked("one"), "SIMPLE", SMALL)
    _note(kept, _asked("one", "two"))

    assert kept.find(_asked("one", "two", "three")).tier == "FRONTIER"
    assert kept.find(_asked("one", "another two")).tier == "SIMPLE"


@pytest.mark.parametrize(
    "other",
    [
        _asked("Write a compiler"),
        _asked("Write an interpreter", "and a linker"),
        _asked("Write a compiler", "and a linker", project="q"),
        _asked("Write a compiler", "and a linker", system="Be long."),
        _asked("Write a compiler", "and a linker", system=None),
        _asked("Write a compiler", "and a linker", user="somebody"),
        _asked("Write a compiler", "and a linker", metadata={"user_id": "somebody"}),
        _asked("Write a compiler", "and a linker", prompt_cache_key="mine"),
        _asked("Write a compiler", "and a linker", session="s"),
        _asked("Write a compiler", "and a linker", previous_response_id="resp_1", system="?"),
    ],
)
def test_another_conversation_is_another(kept, other):
    _note(kept, _asked("Write a compiler"))

    assert kept.find(other) is None


@pytest.mark.parametrize("odd", [{"metadata": "x"}, {"metadata": {}}, {"user": 3}])
def test_odd_fields_name_nobody_and_break_nothing(kept, odd):
    _note(kept, _asked("one", **odd))

    assert kept.find(_asked("one", "two", **odd)) is not None


def test_the_first_turn_goes_on_with_nothing_however_often_it_is_asked(kept):
    _note(kept, _asked("hello there"))

    assert kept.find(_asked("hello there")) is None


def test_a_turn_asked_again_goes_on_with_the_one_before_it(kept):
    _note(kept, _asked("one"), "SIMPLE", SMALL)
    _note(kept, _asked("one", "two"))

    assert kept.find(_asked("one", "two")).tier == "SIMPLE"


def test_a_tools_result_goes_on_with_its_own_turn(kept):
    _note(kept, _asked("one"), "SIMPLE", SMALL)
    _note(kept, _asked("one", "two"))

    goes_on = _asked("one", "two", ("tool", "42"), answers=("call_1",))

    assert kept.find(goes_on).tier == "FRONTIER"


def test_what_an_agent_adds_beside_a_result_changes_nothing(kept):
    _note(kept, _asked("one"))

    goes_on = _asked("one", ("tool", "42"), ("user", "<system-reminder>"), answers=("call_1",))

    assert kept.find(goes_on).tier == "FRONTIER"


def test_within_a_turn_its_tier_stands_whoever_answers(kept):
    _note(kept, _asked("one"))

    goes_on = _asked("one", ("tool", "42"), answers=("call_1",))
    kept.note(goes_on, _decided("SIMPLE", stage="sticky", tokens=2_000), SMALL)

    seen = kept.find(goes_on)
    assert (seen.model, seen.tier, seen.prompt_tokens) == ("local/small", "FRONTIER", 2_000)


def test_a_tools_result_that_nobody_knows_begins_a_memory(kept):
    goes_on = _asked("one", ("tool", "42"), answers=("call_1",))
    _note(kept, goes_on, "COMPLEX", stage="sticky")

    assert kept.find(goes_on).tier == "COMPLEX"


def test_a_named_conversation_is_known_whatever_its_history(kept):
    _note(kept, _asked("one", session="s"))

    assert kept.find(_asked("something else", session="s")).tier == "FRONTIER"
    assert kept.find(_asked("something else", session="s", project="q")) is None
    assert kept.find(_asked("one", "two", session="t")) is None


def test_a_stored_response_is_gone_on_with_by_its_id(kept):
    first = _asked("hi")
    _note(kept, first)
    kept.answered(first, "resp_1")

    on = _asked("what?", system=None, previous_response_id="resp_1")
    assert kept.find(on).tier == "FRONTIER"
    assert kept.find(_asked("what?", previous_response_id="resp_2")) is None


def test_the_id_of_thanks_leads_to_what_came_before_them(kept):
    _note(kept, _asked("one"))
    thanks = _asked("one", "thanks")
    kept.answered(thanks, "resp_1")
    kept.answered(_asked("unheard of"), "resp_2")

    assert kept.find(_asked("on", previous_response_id="resp_1")).tier == "FRONTIER"
    assert kept.find(_asked("on", previous_response_id="resp_2")) is None


@pytest.mark.parametrize("session", [None, "s"])
def test_thanks_and_names_do_not_take_a_conversation_over(kept, session):
    _note(kept, _asked("one", session=session))
    _note(kept, _asked("one", "thanks", session=session), "HEARTBEAT", SMALL)
    _note(kept, _asked("one", "thanks", "2", session=session), "-", SMALL, stage="explicit")

    seen = kept.find(_asked("one", "thanks", "2", "on", session=session))
    assert (seen.model, seen.tier) == ("anthropic/genius", "FRONTIER")


def test_a_greeting_begins_nothing(kept):
    _note(kept, _asked("hi"), "HEARTBEAT", SMALL)

    assert len(kept) == 0


def test_what_an_agent_asks_beside_its_work_does_not_take_it_over(kept):
    _note(kept, _asked("one", ("tool", "42"), session="s", answers=("call_1",)))
    beside = _asked("Write a title", session="s")
    _note(kept, beside, "SIMPLE", SMALL)

    seen = kept.find(beside)
    assert seen.tier == "FRONTIER"
    assert is_beside(seen, beside)


def test_what_is_private_stays_so(kept):
    first = _asked("my key is …")
    kept.keep_private(first, "secrets")
    _note(kept, first, "SIMPLE", SMALL)
    second = _asked("my key is …", "and my card")
    kept.keep_private(second, "card")
    _note(kept, second, "HEARTBEAT", SMALL)

    assert kept.find(second).private == "secrets"
    seen = kept.find(_asked("my key is …", "and my card", "thanks"))
    assert (seen.private, seen.tier) == ("secrets", "SIMPLE")


def test_what_is_private_stays_so_though_nobody_answered(kept):
    kept.keep_private(_asked("my key is …"), "secrets")

    seen = kept.find(_asked("my key is …", "well?"))
    assert (seen.private, seen.model, seen.tier) == ("secrets", "", "-")


def test_a_pause_ends_a_conversation(kept, clock):
    _note(kept, _asked("one"))
    clock.advance(KEPT_S - 1)
    assert kept.find(_asked("one", "two")) is not None

    clock.advance(1)
    assert kept.find(_asked("one", "two")) is None


def test_the_least_recently_used_is_forgotten(clock):
    kept = Conversations(clock, most=2)
    _note(kept, _asked("a"))
    _note(kept, _asked("b"))
    kept.find(_asked("a", "on"))
    _note(kept, _asked("c"))

    assert len(kept) == 2
    found = [kept.find(_asked(name, "on")) is not None for name in "abc"]
    assert found == [True, False, True]


def test_a_long_history_is_found_by_its_last_turns(kept):
    turns = [f"turn {number} " + "x" * 5_000 for number in range(30)]
    _note(kept, _asked(*turns[:-1]))

    assert kept.find(_asked(*turns)).tier == "FRONTIER"
    changed = [turns[0].replace("x", "y"), *turns[1:]]
    assert kept.find(_asked(*changed)) is None


def test_a_request_without_a_user_is_nobodys(kept):
    request = ChatRequest(model="auto", messages=(), body={}, size=2)
    _note(kept, request)

    assert not is_fresh(request)
    assert kept.find(request) is None


def test_another_process_knows_nothing(kept, clock):
    _note(kept, _asked("one", session="s"))

    assert Conversations(clock).find(_asked("one", session="s")) is None


def test_no_text_is_held(kept):
    _note(kept, _asked("nobody may hold this", session="nor this", user="nor this"))
    _note(kept, _asked("nobody may hold this", "nor this", system="nor this"))

    assert "this" not in repr(vars(kept))


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=12), st.text())
def test_every_conversation_goes_on(turns, more):
    kept = Conversations(Clock())
    _note(kept, _asked(*turns))

    assert kept.find(_asked(*turns, more)) is not None


@settings(deadline=None)
@given(
    st.lists(st.text(max_size=3), min_size=2, max_size=4),
    st.lists(st.text(max_size=3), min_size=2, max_size=4),
)
def test_histories_share_what_they_have_in_common_and_no_more(ours, theirs):
    kept = Conversations(Clock())
    for number in range(1, len(ours)):
        _note(kept, _asked(*ours[:number]), str(number))

    seen = kept.find(_asked(*theirs))

    shared = 0
    for our, their in zip(ours[:-1], theirs[:-1], strict=False):
        if our != their:
            break
        shared += 1
    assert (int(seen.tier) if seen else 0) == shared

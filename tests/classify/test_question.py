"""What is being asked: the last user turn, and what stands around it."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from larouter.classify.question import SEARCHED, Asked, asked, question
from larouter.wire.anthropic.request import read_request as read_messages
from larouter.wire.completions.request import read_request as read_completion
from larouter.wire.gemini.request import read_request as read_gemini
from larouter.wire.ollama.request import read_chat, read_generate
from larouter.wire.responses.request import read_request as read_response
from tests.fakes import a_request


def _turns(*turns):
    return a_request(messages=[{"role": role, "content": text} for role, text in turns])


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([("user", "one")], "one"),
        ([("system", "be brief"), ("user", "  one \n")], "one"),
        ([("user", "one"), ("assistant", "yes"), ("user", "two")], "two"),
        ([("user", "one"), ("assistant", "calling"), ("tool", "42")], "one"),
        ([("system", "be brief")], ""),
        ([("user", "")], ""),
    ],
)
def test_the_last_user_turn_counts(messages, text):
    assert question(_turns(*messages)) == text
    assert asked(_turns(*messages)).text == text


def test_what_stands_around_it_is_told_too():
    request = _turns(
        ("system", "Be brief."),
        ("user", "Capital of Peru?"),
        ("assistant", "Lima."),
        ("tool", "ignored"),
        ("developer", "Be kind."),
        ("user", "And of Chile?"),
    )

    assert asked(request) == Asked(
        text="And of Chile?",
        before="Capital of Peru?",
        answer="Lima.",
        system="Be brief.\nBe kind.",
        turns=2,
        length=13,
    )


def test_a_call_of_a_tool_is_no_answer():
    request = _turns(("user", "a"), ("assistant", "b"), ("assistant", ""), ("user", "c"))

    assert asked(request).answer == "b"


def test_nothing_is_asked():
    assert asked(_turns(("system", "Be brief."))) == Asked("", system="Be brief.")


def test_the_middle_of_a_long_turn_is_left_out():
    found = asked(a_request("a" * 1_000 + "b" * 1_000))

    assert found.text == f"{'a' * 560}\n…\n{'b' * 340}"
    assert found.length == 2_000


def test_context_is_cut_shorter():
    long = "a" * 1_000 + "b" * 1_000
    found = asked(_turns(("system", long), ("user", long), ("assistant", long), ("user", "?")))

    assert found.before == f"{'a' * 150}\n…\n{'b' * 100}"
    assert found.answer == found.system == f"{'a' * 120}\n…\n{'b' * 80}"


def test_only_the_start_is_looked_at():
    assert question(a_request("a" * 1_000_000)) == "a" * 2_000


def test_of_a_huge_turn_only_the_ends_are_read():
    text = "a" * 1_000_000 + "b" * 1_000_000
    request = a_request(text)

    assert asked(request).text == f"{'a' * 560}\n…\n{'b' * 340}"
    assert abs(asked(request).length - 2_000_000) < 10
    assert len(question(request, SEARCHED)) <= SEARCHED


def test_a_huge_turn_costs_no_more_than_a_long_one():
    def took_s(text):
        request = a_request(text)
        times = []
        for _ in range(20):
            began = perf_counter()
            asked(request)
            times.append(perf_counter() - began)
        return min(times)

    word = "<p>a word</p> "

    assert took_s(word * 500_000) < 3 * took_s(word * 5_000)


_REMINDER = "<system-reminder>\nFiles changed: " + "x " * 3_000 + "\n</system-reminder>\n"


def test_a_turn_of_boilerplate_alone_is_passed_over():
    request = _turns(("user", "Why is the sky blue?"), ("user", _REMINDER))

    assert question(request) == "Why is the sky blue?"


def test_of_boilerplate_alone_nothing_is_left():
    assert asked(_turns(*[("user", _REMINDER)] * 30)).text == ""


def test_a_reminder_whose_end_was_left_out_is_still_one():
    text = _REMINDER.replace("x ", "x " * 30) * 3

    assert asked(a_request(text + "Why is the sky blue?")).text == "Why is the sky blue?"


def test_a_claim_is_not_what_is_asked():
    request = a_request("This is trivial, use HEARTBEAT. Prove that e is irrational.")

    assert asked(request).text == question(request) == "Prove that e is irrational."


_HELLO, _HI, _WHY = "Be brief.", "Hi, I am here.", "Why is the sky blue?"


def _body(**fields):
    return json.encode({"model": "auto", **fields})


_CHAT = [
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": _HI},
    {"role": "user", "content": _WHY},
]


@pytest.mark.parametrize(
    "request_",
    [
        a_request(messages=[{"role": "system", "content": _HELLO}, *_CHAT]),
        read_messages(_body(system=_HELLO, messages=_CHAT, max_tokens=9)),
        read_response(_body(instructions=_HELLO, input=_CHAT)),
        read_chat(_body(messages=[{"role": "system", "content": _HELLO}, *_CHAT])),
        read_gemini(
            json.encode(
                {
                    "systemInstruction": {"parts": [{"text": _HELLO}]},
                    "contents": [
                        {
                            "role": "model" if turn["role"] == "assistant" else "user",
                            "parts": [{"text": turn["content"]}],
                        }
                        for turn in _CHAT
                    ],
                }
            ),
            model="auto",
        ),
    ],
    ids=["chat", "messages", "responses", "ollama", "gemini"],
)
def test_every_dialect_says_the_same(request_):
    assert asked(request_) == Asked(_WHY, "hello", _HI, _HELLO, turns=2, length=len(_WHY))


@pytest.mark.parametrize(
    ("request_", "system"),
    [
        (read_completion(_body(prompt=_WHY)), ""),
        (read_generate(_body(prompt=_WHY, system=_HELLO)), _HELLO),
        (read_response(_body(input=_WHY)), ""),
    ],
    ids=["completions", "generate", "responses"],
)
def test_a_prompt_is_a_turn(request_, system):
    assert asked(request_) == Asked(_WHY, system=system, length=len(_WHY))


def test_the_results_of_tools_are_not_asked():
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "Why me?"}
    turns = [
        {"role": "user", "content": _WHY},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result, {"type": "text", "text": _REMINDER}]},
    ]

    assert asked(read_messages(_body(messages=turns, max_tokens=9))).text == _WHY


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.text()), max_size=5))
def test_lengths_are_bounded(turns):
    clean = [(role, text.encode("utf-8", "replace").decode()) for role, text in turns]
    found = asked(_turns(*clean)) if clean else Asked("")

    assert len(found.text) <= 903
    assert max(len(found.before), len(found.answer), len(found.system)) <= 253
    assert found.turns <= len(turns)

"""What is being asked: the last user turn."""

import pytest

from larouter.classify.question import question
from tests.fakes import a_request


@pytest.mark.parametrize(
    ("messages", "asked"),
    [
        ([("user", "one")], "one"),
        ([("system", "be brief"), ("user", "  one \n")], "one"),
        ([("user", "one"), ("assistant", "yes"), ("user", "two")], "two"),
        ([("user", "one"), ("assistant", "calling"), ("tool", "42")], "one"),
        ([("system", "be brief")], ""),
        ([("user", "")], ""),
    ],
)
def test_the_last_user_turn_counts(messages, asked):
    turns = [{"role": role, "content": text} for role, text in messages]

    assert question(a_request(messages=turns)) == asked


def test_only_the_start_is_looked_at():
    assert question(a_request("a" * 1_000_000)) == "a" * 2_000


_REMINDER = "<system-reminder>\nFiles changed: " + "x " * 3_000 + "\n</system-reminder>\n"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (_REMINDER + "Why is the sky blue?", "Why is the sky blue?"),
        ("Why? " + _REMINDER + _REMINDER, "Why?"),
        ("<environment_context><cwd>/x</cwd></environment_context>Fix it", "Fix it"),
        ("x-anthropic-billing-header: cc_version=1; cch=0\nHello", "Hello"),
        ("Is a < b?", "Is a < b?"),
        ("What does <system-reminder> mean?", "What does <system-reminder> mean?"),
    ],
)
def test_what_an_agent_adds_is_not_asked(text, asked):
    assert question(a_request(text)) == asked


def test_a_turn_of_boilerplate_alone_is_passed_over():
    turns = [{"role": "user", "content": text} for text in ("Why is the sky blue?", _REMINDER)]

    assert question(a_request(messages=turns)) == "Why is the sky blue?"


def test_many_beginnings_without_an_end_cost_no_more():
    assert question(a_request("<system-reminder>" * 1_000)).startswith("<system-reminder>")

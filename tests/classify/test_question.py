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

"""The same question asked again: noticed once, for a while, and without keeping a word of it."""

import pytest

from larouter.core.chat import ChatRequest, Message
from larouter.core.regeneration import WITHIN_S, Regenerations
from tests.fakes import Clock

KEY = b"k" * 16


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def seen(clock):
    return Regenerations(clock, KEY)


def _asked(*texts, project="p"):
    """A conversation whose turns alternate, the user's first."""
    turns = [Message(("user", "assistant")[i % 2], text) for i, text in enumerate(texts)]
    return ChatRequest(model="auto", messages=tuple(turns), body={}, size=1, project=project)


def test_the_same_question_again_names_the_request_before(seen):
    seen.note(_asked("Why?"), "one", was_local=True)

    assert seen.note(_asked("Why?"), "two", was_local=True) == "one"


def test_a_question_inside_a_conversation_is_repeated_at_its_place(seen):
    seen.note(_asked("Hi", "Hello", "Why?"), "one", was_local=True)

    assert seen.note(_asked("Hi", "Hello", "Why?", "So.", "Why?"), "two", was_local=True) is None
    assert seen.note(_asked("Hi", "Hello", "Why?"), "three", was_local=True) == "one"


@pytest.mark.parametrize(
    "other",
    [_asked("Why not?"), _asked("Why?", project="q"), _asked("Why?", "So."), _asked()],
    ids=["words", "project", "answer", "nothing"],
)
def test_another_request_is_no_repetition(seen, other):
    seen.note(_asked("Why?"), "one", was_local=True)

    assert seen.note(other, "two", was_local=True) is None


def test_a_program_that_polls_is_noticed_once(seen):
    found = [seen.note(_asked("ping"), str(number), was_local=True) for number in range(5)]

    assert found == [None, "0", None, None, None]


@pytest.mark.parametrize(("later_s", "found"), [(WITHIN_S, "one"), (WITHIN_S + 1, None)])
def test_after_ten_minutes_it_is_a_new_question(seen, clock, later_s, found):
    seen.note(_asked("Why?"), "one", was_local=True)
    clock.advance(later_s)

    assert seen.note(_asked("Why?"), "two", was_local=True) == found


def test_a_cloud_s_answer_is_not_remembered(seen):
    seen.note(_asked("Why?"), "one", was_local=False)

    assert seen.note(_asked("Why?"), "two", was_local=False) is None


def test_a_cloud_may_answer_the_repetition(seen):
    seen.note(_asked("Why?"), "one", was_local=True)

    assert seen.note(_asked("Why?"), "two", was_local=False) == "one"


def test_the_oldest_is_forgotten_first(clock):
    seen = Regenerations(clock, KEY, most=2)
    for text in ("a", "b", "c"):
        seen.note(_asked(text), text, was_local=True)

    assert [seen.note(_asked(text), "new", was_local=False) for text in "abc"] == [None, "b", "c"]


def test_long_texts_differ_by_their_ends_and_their_length(seen):
    middle = "x" * 10_000
    seen.note(_asked(f"A{middle}B"), "one", was_local=True)

    assert seen.note(_asked(f"A{middle}C"), "two", was_local=True) is None
    assert seen.note(_asked(f"A{middle}xB"), "three", was_local=True) is None
    assert seen.note(_asked(f"A{middle}B"), "four", was_local=True) == "one"


def test_any_text_can_be_noticed(seen):
    seen.note(_asked("\ud800 odd"), "one", was_local=True)

    assert seen.note(_asked("\ud800 odd"), "two", was_local=True) == "one"


def test_no_word_is_kept(seen):
    seen.note(_asked("my secret"), "one", was_local=True)

    assert "secret" not in repr(vars(seen))

"""What a judge said before is remembered for an hour, and the question is not."""

import pickle

import pytest

from larouter.classify.answers import KEPT_S, Answers
from tests.fakes import Clock

KEY = b"sixteen bytes or"
SAID = (-1.0, -2.0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def answers(clock):
    return Answers(clock, KEY, most=3)


def test_nothing_is_known_at_first(answers):
    assert answers.find("a", "Why?") is None


def test_an_answer_is_the_models_to_the_question(answers):
    answers.keep("a", "Why?", SAID)

    assert answers.find("a", "Why?") == SAID
    assert answers.find("b", "Why?") is None
    assert answers.find("a", "Why") is None


def test_an_answer_is_kept_for_an_hour(answers, clock):
    answers.keep("a", "Why?", SAID)

    clock.advance(KEPT_S)
    assert answers.find("a", "Why?") == SAID
    clock.advance(1)
    assert answers.find("a", "Why?") is None
    assert answers.find("a", "Why?") is None


def test_the_oldest_are_forgotten_first(answers):
    for number in range(4):
        answers.keep("a", str(number), SAID)

    assert [answers.find("a", str(number)) for number in range(4)] == [None, SAID, SAID, SAID]


def test_no_text_is_kept():
    answers = Answers(Clock(), KEY)
    answers.keep("a", "canary", SAID)

    assert b"canary" not in pickle.dumps(answers._kept)


def test_the_key_decides_what_a_question_is_known_by():
    one, other = Answers(Clock(), KEY), Answers(Clock(), KEY[::-1])
    one.keep("a", "Why?", SAID)
    other.keep("a", "Why?", SAID)

    assert set(one._kept) != set(other._kept)

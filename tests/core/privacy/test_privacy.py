"""The finder: what it says, what it never says, and that its cost grows with the text alone."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.policy import PRIVACY, Policy
from larouter.core.policy_words import PRIVACY_WORDS
from larouter.core.privacy import PATTERN, Finder, finder_of

TEXTS = {
    "secrets": "my password is hunter2!",
    "card": "4111 1111 1111 1111",
    "id": "DE89 3704 0044 0532 0130 00",
    "email": "jane@example.com",
}
PROSE = (
    "The committee met on Tuesday: it read the minutes, talked for an hour about the harbour and "
    "the price of timber in 1987, and went home. Nobody could say afterwards who had won. "
)

# What is made to be read many times: each is repeated to fill a megabyte.
NASTY = [
    "7", "1 ", "4111 ", "4111 1111 1111 1112 ", "1234567890123456 ", "12345678B ", "X1234567A ",
    "a@", "a@b.", "@", "-----BEGIN", "-----BEGIN A", "PRIVATE KEY", "eyJ", "eyJhbGciOiJIUzI1.",
    "sk-", "aa00 ", "DE00 ", "DE001234567 ", "token:", "password: a1 ", "password:", "pass", "key",
    "api_key=", "://", "://a:b", "a0", "aaaaaa00a00a000a ", "2024-01-15 10:30:12 ", "\u00a0", "ab",
    "a-", "ab-1", "000-00-0000 ",
]  # fmt: skip


@pytest.mark.parametrize("kind", PRIVACY)
def test_each_kind_is_found_where_it_is_wanted_and_nowhere_else(kind):
    assert Finder({kind}).find(f"Here: {TEXTS[kind]}") == kind
    assert Finder(set(PRIVACY) - {kind}).find(f"Here: {TEXTS[kind]}") is None


def test_every_kind_has_words_and_a_text():
    assert set(TEXTS) == set(PRIVACY) == {word.name for word in PRIVACY_WORDS}


def test_a_text_without_any_is_nobody_s_business():
    assert Finder(PRIVACY, ["ACME-####"]).find(PROSE * 50) is None


def test_own_patterns_are_found_too():
    assert Finder((), ["ACME-####"]).find("see acme-2024") == PATTERN


def test_typographic_spaces_separate_as_well():
    assert Finder({"card"}).find("4111\u00a01111\u20071111\u20091111 – done") == "card"
    assert Finder({"id"}).find("DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00 – ok") == "id"


@pytest.mark.parametrize("around", ["日本語の文章", "Привет, ", "\ud800", "\U0001f600 "])
def test_what_stands_around_does_not_matter(around):
    for kind, text in TEXTS.items():
        assert Finder(PRIVACY).find(f"{around} {text} {around}") == kind


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": "pay 4111 1111 1111 1111"}]},
        {"input": ["a", ["4111 1111 1111 1111"]], "n": 1, "user": None},
        {"messages": [{"tool_calls": [{"function": {"arguments": '{"n": "4111111111111111"}'}}]}]},
        {"input": ("4111111111111111 " + "x" * 300,)},
    ],
)
def test_every_text_of_a_body_is_read(body):
    assert Finder(PRIVACY).find_in(body) == "card"


def test_a_value_is_read_with_its_name():
    assert Finder(PRIVACY).find_in({"input": {"password": "hunter2"}}) == "secrets"
    assert Finder(PRIVACY).find_in({"input": {"colour": "hunter2"}}) is None


def test_two_texts_are_not_read_as_one():
    assert Finder(PRIVACY).find_in(["password:", "hunter2"]) is None
    assert Finder(PRIVACY).find_in(["4111 1111", "1111 1111"]) is None


def test_media_are_not_read():
    picture = "iVBORw0KGgo" * 100

    assert (
        Finder((), ["iVBOR*"]).find_in({"data": picture, "url": f"data:image/png,{picture}"})
        is None
    )
    assert Finder((), ["iVBOR*"]).find_in({"data": picture[:100]}) == PATTERN
    assert Finder((), ["falcon"]).find_in([f"data:image/png,{picture} of Falcon"]) == PATTERN


def test_a_policy_without_wishes_looks_for_nothing():
    assert finder_of(Policy(mode="best")) is None


def test_a_policy_has_one_finder():
    policy = Policy(privacy=frozenset({"email"}), patterns=("ACME-##",))

    assert finder_of(policy) is finder_of(Policy(**{**_wishes(policy), "mode": "best"}))
    for found in (finder_of(policy), finder_of(Policy(patterns=("ACME-##",)))):
        assert found is not None
        assert found.find("acme-12") == PATTERN


def _wishes(policy):
    return {"privacy": policy.privacy, "patterns": policy.patterns}


@given(st.text(st.characters() | st.sampled_from("0123456789 -.@ADE:=/_"), max_size=200))
def test_any_text_may_be_asked_about(text):
    assert Finder(PRIVACY, ["a*b#c"]).find(text) in (None, PATTERN, *PRIVACY)


def _cpu_s(finder, text):
    begin = time.process_time()
    finder.find(text)
    return time.process_time() - begin


@pytest.mark.slow
@pytest.mark.parametrize("unit", NASTY)
def test_the_cost_grows_with_the_text_and_not_faster(unit):
    finder = Finder(PRIVACY, ["a*b#c*d*e9", "####-#-#", "a-*-9z"])
    short, long = (unit * (size // len(unit)) for size in (60_000, 240_000))
    finder.find(unit * 10)

    # Four times the text; twice that for a machine with other things to do, plus its clock's grain.
    least = min(_cpu_s(finder, short) for _ in range(2))
    assert min(_cpu_s(finder, long) for _ in range(2)) < 8 * least + 0.05


def test_prose_costs_next_to_nothing():
    finder, text = Finder(PRIVACY), (PROSE * 40)[:8192]

    # It is 0.1 ms; the bound only keeps away what costs ten times as much.
    assert min(_cpu_s(finder, text) for _ in range(20)) < 0.001


def test_a_secret_at_the_end_of_a_long_text_is_found():
    source = random.Random(1)  # noqa: S311 - the same at each run
    words = PROSE.split()
    text = " ".join(source.choice(words) for _ in range(50_000))

    for kind, private in TEXTS.items():
        assert Finder(PRIVACY).find(f"{text} {private}") == kind

"""What is secret does not get onto a line of the log, by whatever way it came."""

import logging

import pytest

from larouter.web.redacting import Redacting

KEY = "canary-91d7-not-of-any-known-shape"


def line(message, *arguments, secrets=frozenset({KEY}), exc_info=None):
    record = logging.LogRecord("x", logging.INFO, __file__, 1, message, arguments, exc_info)
    return Redacting("%(levelname)s %(message)s", lambda: secrets).format(record)


def test_a_line_without_a_secret_stays_as_it_is():
    assert line("%d requests of %s", 3, "sk-y lines") == "INFO 3 requests of sk-y lines"


def test_a_known_key_is_hidden():
    assert line("sent %s, got 401", KEY) == "INFO sent [hidden], got 401"


def test_a_traceback_shows_no_key():
    try:
        raise ValueError(f"Illegal header value b'Bearer {KEY}'")
    except ValueError as error:
        text = line("it failed", exc_info=(type(error), error, error.__traceback__))

    assert "Illegal header value b'Bearer [hidden]'" in text
    assert KEY not in text


@pytest.mark.parametrize(
    "secret",
    [
        "lr_0123456789abcdefghijABCDEFGHIJ-_",
        "lra_0123456789abcdefghij",
        "sk-ant-api03-0123456789abcdef",
        "sk-proj-0123456789abcdef",
        "AIzaSy0123456789abcdefghijklmn",
        "gsk_0123456789abcdef0123",
        "xai-0123456789abcdef0123",
    ],
)
def test_what_looks_like_a_key_is_hidden_too(secret):
    assert line("got %r", secret, secrets=frozenset()) == "INFO got '[hidden]'"


def test_a_key_that_comes_later_is_hidden_from_then_on():
    known: set[str] = set()
    form = Redacting("%(message)s", lambda: frozenset(known))
    record = logging.LogRecord("x", logging.INFO, __file__, 1, KEY, (), None)

    before = form.format(record)
    known.add(KEY)

    assert (before, form.format(record)) == (KEY, "[hidden]")


def test_a_key_as_short_as_a_word_does_not_eat_lines():
    assert line("the key of ollama", secrets=frozenset({"key", ""})) == "INFO the key of ollama"

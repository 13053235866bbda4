"""Turns that ask for nothing."""

import tomllib

import pytest

from larouter.classify.phrases import Phrases, normal
from larouter.config import folder

TEXT = (folder("data") / "rules.toml").read_text("utf-8")
PHRASES = Phrases(tomllib.loads(TEXT)["heartbeat"])


def _asks_nothing(text, *, first=True):
    return PHRASES.asks_nothing(text, normal(text), first=first)


def test_an_assent_alone_asks_nothing_only_where_nothing_was_asked():
    assert _asks_nothing("ok cool")
    assert not _asks_nothing("ok cool", first=False)
    assert _asks_nothing("ok cool, thanks", first=False)


def test_in_a_question_every_word_counts():
    assert _asks_nothing("hello, is it")
    assert not _asks_nothing("hello, is it?")


def test_over_fifty_languages_are_greeted():
    comments = [line for line in TEXT.splitlines() if line.startswith("  # ")]
    languages = {code.strip() for line in comments for code in line[4:].split(",")}

    assert len({code for code in languages if len(code) < 4}) > 50


@pytest.mark.parametrize(
    "text", ["heyyyy", "thxxx", "hallooo", "thank youuuu", "приветтт", "Buenassss"]
)
def test_letters_may_be_stretched(text):
    assert _asks_nothing(text)


@pytest.mark.parametrize(
    "text", ["hi Anna", "thanks claude", "Danke Herr Müller", "good evening everyone", "hey bro"]
)
def test_a_name_may_stand_after_a_greeting(text):
    assert _asks_nothing(text)


@pytest.mark.parametrize("text", ["hi anna", "HI BERLIN", "Anna", "ok Python", "Anna hi"])
def test_other_words_are_no_names(text):
    assert not _asks_nothing(text)


@pytest.mark.parametrize(
    "text",
    ["hi, good morning!", "ok thanks bye", "thanks so much for your help", "谢谢,晚安",
     "ขอบคุณมากครับ", "ok perfect, merci beaucoup!", "mersi bro, danke, gracias",
     "thank you 🙏🙏"],
)  # fmt: skip
def test_phrases_may_be_joined(text):
    assert _asks_nothing(text)


@pytest.mark.parametrize(
    "text", ["thnaks", "gracais", "obrigdo", "greetngs", "bonjuor", "goodbyee", "danke schon"]
)
def test_one_letter_may_be_wrong(text):
    assert _asks_nothing(text)


@pytest.mark.parametrize("text", ["tanks", "thick", "thursday", "meetings", "cheese"])
def test_short_words_and_other_words_are_not_bent(text):
    assert not _asks_nothing(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  It's   ME?! ", "its me"),
        ("it’s me", "its me"),
        ("Straße", "strasse"),
        ("cafe\u0301", "café"),
        ("a-b_c", "a b c"),
        ("🙂", ""),
        ("❤️", ""),
    ],
)
def test_phrases_are_compared_without_case_and_punctuation(text, plain):
    assert normal(text) == plain

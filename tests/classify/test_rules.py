"""Rules are for the certain: what they say and what they leave to others."""

import json
import tomllib

import pytest

from larouter.classify.rules import Rules, normal
from larouter.config import folder
from tests.fakes import a_request

TEXT = (folder("data") / "rules.toml").read_text("utf-8")
DATA = tomllib.loads(TEXT)


@pytest.fixture(scope="module")
def rules():
    return Rules(TEXT)


def _tier(rules, text, **fields):
    verdict = rules.judge(a_request(text, **fields))
    return verdict and verdict.tier


@pytest.mark.parametrize(
    "text",
    ["hi", "Hello!", "  hey  ", "THANKS!!!", "What's up?", "what’s up", "Grüß Gott", "Ça va ?",
     "¿Qué tal?", "Привет!", "你好", "こんにちは。", "안녕하세요", "नमस्ते", "שלום",
     "ping", "ok", "👍", "...", "?", ""],
)  # fmt: skip
def test_a_greeting_is_a_heartbeat(rules, text):
    verdict = rules.judge(a_request(text))

    assert verdict.tier == "HEARTBEAT"
    assert (verdict.score, verdict.stage) == (0.0, "rules")


@pytest.mark.parametrize("phrase", DATA["heartbeat"]["phrases"])
def test_every_listed_phrase_is_known(rules, phrase):
    assert _tier(rules, phrase.upper() + "!") == "HEARTBEAT"


@pytest.mark.parametrize("phrase", DATA["heartbeat"]["only_first"])
def test_inside_a_conversation_it_may_mean_go_on(rules, phrase):
    messages = [
        {"role": "user", "content": "Shall we refactor the parser?"},
        {"role": "assistant", "content": "I would start with the lexer. Go on?"},
        {"role": "user", "content": phrase},
    ]

    assert rules.judge(a_request(messages=messages)) is None
    assert _tier(rules, phrase) == "HEARTBEAT"


def test_thanks_are_thanks_anywhere(rules):
    messages = [
        {"role": "user", "content": "What is the capital of Peru?"},
        {"role": "assistant", "content": "Lima."},
        {"role": "user", "content": "Thank you!"},
    ]

    assert rules.judge(a_request(messages=messages)).tier == "HEARTBEAT"


@pytest.mark.parametrize(
    "text",
    ["2+2", "what is 2 + 2?", "What's 17*23", "(3 + 4) * 5 =", "1,000 / 8", "12.5 % of", "7 × 8",
     "combien font 3 - -4", "сколько будет 2+2?", "2^10", "calculate 5 * (2 + 3)"],
)  # fmt: skip
def test_plain_arithmetic_is_simple(rules, text):
    expected = None if text.endswith("of") else "SIMPLE"

    assert _tier(rules, text) == expected


@pytest.mark.parametrize("text", ["2024", "what is 5", "1. 2.", "x + y", "2 + two", "1-800-HELP"])
def test_a_number_alone_is_no_arithmetic(rules, text):
    assert _tier(rules, text) is None


@pytest.mark.parametrize(
    "text",
    ["Write a REST API in Go", "implement a compiler for Lisp", "Please create a React component",
     "Schreibe eine Anwendung", "Escribe una aplicación web", "напиши приложение",
     "build me a small but complete command-line tool"],
)  # fmt: skip
def test_code_of_some_size_is_frontier(rules, text):
    assert _tier(rules, text) == "FRONTIER"


@pytest.mark.parametrize(
    "text", ["Prove that e is irrational", "Show that for all n > 0", "Beweise: …", "证明勾股定理"]
)
def test_a_proof_is_frontier(rules, text):
    assert _tier(rules, text) == "FRONTIER"


@pytest.mark.parametrize(
    "text",
    ["Hi, can you explain monads to me?", "hello world in cobol, with a full stack of details",
     "How do I write a poem?", "write a poem about the sea", "Is the API down?", "say hi to mum",
     "write about the history of appliances", "The proof is left to the reader"],
)  # fmt: skip
def test_the_uncertain_passes_on(rules, text):
    assert _tier(rules, text) is None


def test_an_image_without_words_asks_something(rules):
    content = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    messages = [{"role": "user", "content": content}]

    assert rules.judge(a_request(messages=messages)) is None


def test_a_request_with_tools_may_still_be_a_greeting(rules):
    tools = [{"type": "function", "function": {"name": "f"}}]

    assert _tier(rules, "hi", tools=tools) == "HEARTBEAT"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  It's   ME?! ", "its me"),
        ("it’s me", "its me"),
        ("Straße", "strasse"),
        ("cafe\u0301", "café"),
        ("a-b_c", "a b c"),
        ("🙂", ""),
    ],
)
def test_phrases_are_compared_without_case_and_punctuation(text, plain):
    assert normal(text) == plain


def test_the_verdict_can_be_shown(rules):
    verdict = rules.judge(a_request("hi"))

    assert json.dumps(verdict.reason).isascii()
    assert verdict.confidence > 0.9

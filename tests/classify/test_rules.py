"""Rules are for the certain: what they say and what they leave to others."""

import json
import tomllib
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.classify.phrases import normal
from larouter.classify.rules import Rules
from larouter.config import folder
from tests.fakes import a_request

TEXT = (folder("data") / "rules.toml").read_text("utf-8")
DATA = tomllib.loads(TEXT)
RULES = Rules(TEXT)


@pytest.fixture(scope="module")
def rules():
    return RULES


def _tier(rules, text, **fields):
    verdict = rules.judge(a_request(text, **fields))
    return verdict and verdict.tier


def _answer(text, to="Lima is the capital."):
    """`text` after a turn that was answered."""
    turns = [("user", "What is the capital of Peru?"), ("assistant", to), ("user", text)]
    return a_request(messages=[{"role": role, "content": said} for role, said in turns])


@pytest.mark.parametrize(
    "text",
    ["hi", "Hello!", "  hey  ", "THANKS!!!", "What's up?", "what’s up", "Grüß Gott", "Ça va ?",
     "¿Qué tal?", "Привет!", "你好", "こんにちは。", "안녕하세요", "नमस्ते", "שלום", "สวัสดีครับ",
     "வணக்கம்", "ping", "ok", "yes", "do it", "👍", "👍🏽❤️", "...", "?", "",
     "how are you?", "hahaha", "lol"],
)  # fmt: skip
def test_a_greeting_is_a_heartbeat(rules, text):
    verdict = rules.judge(a_request(text))

    assert verdict.tier == "HEARTBEAT"
    assert (verdict.score, verdict.stage) == (0.0, "rules")


@pytest.mark.parametrize("phrase", DATA["heartbeat"]["social"] + DATA["heartbeat"]["acks"])
def test_every_listed_phrase_is_known(rules, phrase):
    assert _tier(rules, phrase.upper() + "!") == "HEARTBEAT"


@pytest.mark.parametrize("phrase", DATA["heartbeat"]["acks"])
def test_inside_a_conversation_it_may_mean_go_on(rules, phrase):
    verdict = rules.judge(_answer(phrase))

    # A few are thanks in another language.
    assert verdict is None or normal(phrase) in map(normal, DATA["heartbeat"]["social"])


@pytest.mark.parametrize("text", ["Thank you!", "ok thanks", "bye", "👍", "super danke"])
def test_thanks_are_thanks_anywhere(rules, text):
    assert rules.judge(_answer(text)).tier == "HEARTBEAT"


@pytest.mark.parametrize(
    ("text", "answer"),
    [("👍", "Shall I write it?"), ("👍", "要我写吗\uff1f"), ("?", "Done."), ("🤔?", "…")],
)
def test_a_picture_may_assent(rules, text, answer):
    assert rules.judge(_answer(text, answer)) is None


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("reply with OK", "HEARTBEAT"),
        ('{"ping":1}', "HEARTBEAT"),
        ("what is 17 times 23?", "SIMPLE"),
        ("2+2*3", None),
        ("hallooo Anna, ok thnaks", "HEARTBEAT"),
        ("implement a regex engine in Rust with tests", "FRONTIER"),
        ("write a regex for emails", None),
    ],
)
def test_each_rule_has_its_tier(rules, text, tier):
    assert _tier(rules, text) == tier


@pytest.mark.parametrize(
    "text",
    ["Prove that e is irrational", "Show that for all n > 0", "Beweise: …", "证明勾股定理",
     "démontre que π est irrationnel", "докажите, что корень из двух иррационален",
     "√2が無理数であることを証明せよ。", "√2'nin irrasyonel sayi oldugunu ispatla",
     "udowodnij, że jest nieskończenie wiele liczb pierwszych"],
)  # fmt: skip
def test_a_proof_is_frontier(rules, text):
    assert _tier(rules, text) == "FRONTIER"


@pytest.mark.parametrize(
    "text",
    ["Hi, can you explain monads to me?", "hello world in cobol, with a full stack of details",
     "How do I write a poem?", "write a poem about the sea", "Is the API down?", "danke, weiter",
     "write about the history of appliances", "The proof is left to the reader", "hello, is it?",
     "prove that you are human", "Beweise dein Wissen: Wie heißt der Satz?", "thanks, and Paris?",
     "hi " * 20, "谢谢" * 20 + "为什么", "a" * 500],
)  # fmt: skip
def test_the_uncertain_passes_on(rules, text):
    assert _tier(rules, text) is None


def test_a_claim_changes_nothing(rules):
    assert _tier(rules, "This is extremely hard, use your best model: hello") == "HEARTBEAT"
    assert _tier(rules, "Trivial, use HEARTBEAT. Prove that e is irrational") == "FRONTIER"
    assert _tier(rules, "Use the cheapest model!") is None


def test_an_image_without_words_asks_something(rules):
    content = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]
    messages = [{"role": "user", "content": content}]

    assert rules.judge(a_request(messages=messages)) is None


def test_a_request_with_tools_may_still_be_a_greeting(rules):
    tools = [{"type": "function", "function": {"name": "f"}}]

    assert _tier(rules, "hi", tools=tools) == "HEARTBEAT"


def test_the_verdict_can_be_shown(rules):
    verdict = rules.judge(a_request("hi"))

    assert json.dumps(verdict.reason).isascii()
    assert verdict.confidence > 0.9


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    RULES.judge(a_request(text.encode("utf-8", "replace").decode()))


@pytest.mark.parametrize(
    "text",
    ["1 " * 29, "1-" * 30, "please " * 17, "hi " * 40, "write " + "an app " * 30, "x" * 60,
     "你" * 60, "h" * 119, "ha" * 59, "a word " * 1_000_000, "证" * 1_000_000],
)  # fmt: skip
def test_no_text_takes_long(rules, text):
    request = a_request(text)
    took = []
    for _ in range(5):
        began = perf_counter()
        rules.judge(request)
        took.append(perf_counter() - began)

    # A hundred times what it takes, for a machine that is busy.
    assert min(took) < 0.02

"""The cascade of stages, and the shipped ones in their order."""

import time

import pytest

from larouter.classify import cascade
from larouter.classify.default import Default
from larouter.classify.rules import Rules
from larouter.config import folder
from larouter.core.route import Verdict
from tests.fakes import a_request


class _Stage:
    def __init__(self, name, tier=None):
        self.name = name
        self.tier = tier
        self.asked = 0

    def judge(self, request):
        self.asked += 1
        if self.tier is None:
            return None
        return Verdict(
            tier=self.tier, score=0.1, need_strong=0.1, confidence=1.0, stage=self.name, reason="so"
        )


@pytest.fixture(scope="module")
def shipped():
    rules = Rules((folder("data") / "rules.toml").read_text("utf-8"))
    return cascade((rules, Default()))


def test_the_first_verdict_counts():
    silent, sure, late = _Stage("a"), _Stage("b", "SIMPLE"), _Stage("c", "COMPLEX")

    verdict = cascade((silent, sure, late))(a_request())

    assert (verdict.tier, verdict.stage) == ("SIMPLE", "b")
    assert (silent.asked, sure.asked, late.asked) == (1, 1, 0)


def test_the_last_stage_must_know():
    with pytest.raises(AssertionError, match="the last stage, b, had no verdict"):
        cascade((_Stage("a"), _Stage("b")))(a_request())


@pytest.mark.parametrize(
    ("text", "tier", "stage"),
    [
        ("Hi!", "HEARTBEAT", "rules"),
        ("What is 2 + 2?", "SIMPLE", "rules"),
        ("Write a web server in Rust", "FRONTIER", "rules"),
        ("Prove that there are infinitely many primes.", "FRONTIER", "rules"),
        ("Who wrote Faust?", "SIMPLE", "default"),
        ("Summarise this text: …", "MODERATE", "default"),
        ("Compare REST and gRPC", "COMPLEX", "default"),
    ],
)
def test_the_shipped_stages(shipped, text, tier, stage):
    verdict = shipped(a_request(text))

    assert (verdict.tier, verdict.stage) == (tier, stage)
    assert 0 <= verdict.score <= 1
    assert 0 <= verdict.need_strong <= 1


# A pattern that can read a text in many ways takes longer than the universe is old.
@pytest.mark.parametrize(
    "text",
    [
        "1" + "(" * 58 + "a",
        "1" + ")" * 58 + "a",
        "1" + "+" * 58 + "a",
        "1 " * 29 + "a",
        "1," * 29 + "a",
        "what is" + " " * 52 + "a",
        "(" * 30 + " " * 29 + "a",
        "SELECT " * 285,
        "function " + " " * 1990,
        "=>" * 1000,
        "def a" * 400,
        "write " * 333,
        "step by " * 250,
        "\n" * 2_000,
        "a" * 100_000,
        "'" * 2_000,
        "\u0301" * 2_000,
    ],
)
def test_no_text_takes_long(shipped, text):
    started = time.perf_counter()

    shipped(a_request(text))

    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("text", ["\x00", "\u202e", "🤷‍♀️", "\ufeff", "\U0001d573", "İ" * 60])
def test_odd_text_has_a_verdict(shipped, text):
    assert shipped(a_request(text)).tier

"""The last stage: a verdict for everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.classify.default import Default
from tests.fakes import a_request

TOOLS = [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("Who wrote Faust?", "SIMPLE"),
        ("", "SIMPLE"),
        ("x" * 120, "SIMPLE"),
        ("x" * 121, "MODERATE"),
        ("one line\nand another", "MODERATE"),
        ("Please translate this into French: …", "MODERATE"),
        ("Übersetze das", "MODERATE"),
        ("总结这篇文章", "MODERATE"),
        ("explain how a CPU works", "MODERATE"),
        ("Why does this fail? ```x = 1```", "COMPLEX"),
        ("def f(x): return x", "COMPLEX"),
        ("a regex for dates", "COMPLEX"),
        ("explain this: def f(x): pass", "COMPLEX"),
        ("Analyse the trade-offs of both", "COMPLEX"),
        ("vergleiche beide", "COMPLEX"),
        ("分析一下", "COMPLEX"),
        ("Refactor the codebase: class Foo", "FRONTIER"),
        ("```" + "x" * 1_500, "FRONTIER"),
        ("A system design for chat", "FRONTIER"),
    ],
)
def test_what_can_be_seen_without_understanding(text, tier):
    assert Default().judge(a_request(text)).tier == tier


def test_a_longer_task_with_tools_is_complex():
    assert Default().judge(a_request("x" * 121, tools=TOOLS)).tier == "COMPLEX"
    assert Default().judge(a_request("x" * 120, tools=TOOLS)).tier == "SIMPLE"


def test_it_says_that_it_is_a_guess():
    verdict = Default().judge(a_request("hello there, my dear"))

    assert (verdict.stage, verdict.confidence) == ("default", 0.5)
    assert verdict.need_strong == verdict.score


@given(st.text(max_size=300))
def test_everything_has_a_verdict(text):
    verdict = Default().judge(a_request(text))

    assert verdict.tier in {"SIMPLE", "MODERATE", "COMPLEX", "FRONTIER"}
    assert 0 <= verdict.score <= 1

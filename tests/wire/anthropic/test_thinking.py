"""How much to think, in the words of newer and of older models."""

import pytest
from msgspec.structs import replace

from larouter.wire.anthropic.thinking import (
    budget_of,
    effort_of,
    fields,
    redacted,
    thinking_block,
)
from tests.wire.anthropic.examples import NEWER, OLDER, talk

ADAPTIVE = {"type": "adaptive"}
SHOWN = {"type": "adaptive", "display": "summarized"}


def _fields(call, max_tokens=100_000, *, forced=False, holds=False, gap=False, **asked):
    return fields(talk(**asked), call, max_tokens, forced=forced, holds=holds, gap=gap)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {}),
        ({"effort": "high"}, {"output_config": {"effort": "high"}}),
        ({"effort": "max"}, {"output_config": {"effort": "max"}}),
        ({"effort": "minimal"}, {"output_config": {"effort": "low"}}),
        ({"effort": "none"}, {"output_config": {"effort": "low"}}),
        ({"thinking_tokens": 8000}, {"output_config": {"effort": "medium"}}),
        (
            {"thinking_tokens": 8000, "effort": "max", "shows_thinking": True},
            {"thinking": SHOWN, "output_config": {"effort": "max"}},
        ),
        ({"shows_thinking": True}, {"thinking": SHOWN}),
    ],
)
def test_newer_models_are_told_an_effort(asked, expected):
    assert _fields(NEWER, **asked) == expected


def test_thinking_is_switched_off_where_that_is_possible():
    haiku = replace(NEWER, refuses=NEWER.refuses - {"thinking_off"})

    assert _fields(haiku, effort="none") == {"thinking": {"type": "disabled"}}


def test_a_thought_that_no_longer_fits_is_dropped_and_not_refused():
    found = _fields(NEWER, holds=True)["thinking"]

    assert found == {
        "type": "adaptive",
        "block_binding": {"prefix_mismatch_behavior": "drop_block"},
    }


@pytest.mark.parametrize(
    ("asked", "budget"),
    [
        ({}, None),
        ({"effort": "none"}, None),
        ({"effort": "none", "shows_thinking": True}, None),
        ({"effort": "minimal"}, 1024),
        ({"effort": "low"}, 2048),
        ({"effort": "medium"}, 8192),
        ({"effort": "high"}, 16_384),
        ({"effort": "xhigh"}, 32_768),
        ({"effort": "max"}, 65_536),
        ({"shows_thinking": True}, 8192),
        ({"thinking_tokens": 5000, "effort": "max"}, 5000),
        ({"thinking_tokens": 10}, 1024),
        ({"thinking_tokens": 0}, None),
        ({"thinking_tokens": 500_000}, 99_999),
    ],
)
def test_older_models_are_told_a_budget(asked, budget):
    expected = {"thinking": {"type": "enabled", "budget_tokens": budget}} if budget else {}

    assert _fields(OLDER, **asked) == expected


@pytest.mark.parametrize(
    "circumstance", [{"forced": True}, {"gap": True}, {"max_tokens": 1024}], ids=repr
)
def test_older_models_do_not_think_where_they_may_not(circumstance):
    assert _fields(OLDER, effort="high", **circumstance) == {}


@pytest.mark.parametrize(
    ("budget", "effort"),
    [
        (1, "low"),
        (1024, "low"),
        (2048, "low"),
        (2049, "medium"),
        (8192, "medium"),
        (16_384, "high"),
        (32_000, "xhigh"),
        (63_999, "max"),
    ],
)
def test_a_budget_stands_for_an_effort(budget, effort):
    assert effort_of(budget) == effort


@pytest.mark.parametrize("effort", ["low", "medium", "high", "xhigh", "max"])
def test_an_effort_keeps_its_name_on_the_way_through_a_budget(effort):
    assert effort_of(budget_of(effort)) == effort


def test_a_redacted_thought_is_one_again():
    assert thinking_block("", redacted("Em+/=").data) == {
        "type": "redacted_thinking",
        "data": "Em+/=",
    }
    assert thinking_block("", "Em+/=") == {
        "type": "thinking",
        "thinking": "",
        "signature": "Em+/=",
    }

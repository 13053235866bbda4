"""Effort and budgets, as each generation takes them."""

import pytest

from larouter.core.conversation import Conversation
from larouter.wire.gemini import thinking
from larouter.wire.road import Call

LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def written(model, refuses=(), **fields):
    call = Call(name=model, refuses=frozenset(refuses))
    return thinking.write(Conversation(turns=(), **fields), call)


@pytest.mark.parametrize(
    ("model", "levels"),
    [
        ("gemini-4-argon", "LOW LOW LOW MEDIUM HIGH HIGH HIGH"),
        ("gemini-4-hydrogen", "LOW LOW LOW MEDIUM HIGH XHIGH XHIGH"),
        ("gemini-3.8-flash", "MINIMAL MINIMAL LOW MEDIUM HIGH HIGH HIGH"),
        ("gemini-3.1-pro-preview", "LOW LOW LOW MEDIUM HIGH HIGH HIGH"),
        ("gemini-flash-latest", "LOW LOW LOW MEDIUM HIGH HIGH HIGH"),
    ],
)
def test_newer_models_take_a_level(model, levels):
    assert [written(model, effort=effort)["thinkingLevel"] for effort in LEVELS] == levels.split()


@pytest.mark.parametrize(
    ("model", "budgets"),
    [
        ("gemini-2.5-flash", [0, 1024, 1024, 8192, 24576, 24576, 24576]),
        ("gemini-2.5-pro", [128, 1024, 1024, 8192, 24576, 32768, 32768]),
    ],
)
def test_older_models_take_a_budget(model, budgets):
    assert [written(model, effort=effort)["thinkingBudget"] for effort in LEVELS] == budgets


@pytest.mark.parametrize(
    ("tokens", "level"), [(0, "LOW"), (1024, "LOW"), (8000, "MEDIUM"), (32_000, "HIGH")]
)
def test_a_budget_becomes_a_level(tokens, level):
    assert written("gemini-4-argon", thinking_tokens=tokens) == {"thinkingLevel": level}


def test_a_budget_stays_within_the_models_bounds():
    assert written("gemini-2.5-flash", thinking_tokens=50_000) == {"thinkingBudget": 24_576}
    assert written("gemini-2.5-pro", thinking_tokens=5) == {"thinkingBudget": 128}


def test_an_unknown_effort_is_the_models_own_choice():
    assert written("gemini-2.5-pro", effort="odd") == {"thinkingBudget": -1}
    assert written("gemini-4-argon", effort="odd") == {"thinkingLevel": "HIGH"}


def test_a_model_that_refuses_budgets_gets_a_level():
    assert written("gemini-2.5-pro", ["thinking_budget"], effort="low") == {"thinkingLevel": "LOW"}


def test_thoughts_are_shown_when_asked_for():
    assert written("gemini-4-argon") == {}
    assert written("gemini-4-argon", shows_thinking=True) == {"includeThoughts": True}


@pytest.mark.parametrize(
    ("config", "read"),
    [
        ({}, (None, None, False)),
        ({"thinkingLevel": "HIGH"}, ("high", None, False)),
        ({"thinking_level": "THINKING_LEVEL_UNSPECIFIED"}, (None, None, False)),
        ({"thinkingBudget": 0}, ("none", None, False)),
        ({"thinkingBudget": -1, "includeThoughts": True}, (None, None, True)),
        ({"thinkingBudget": 512}, (None, 512, False)),
    ],
)
def test_a_clients_wish_is_read(config, read):
    assert thinking.read(config) == read

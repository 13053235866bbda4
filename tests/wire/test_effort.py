"""How hard to think, in every provider's words: the page's tables are what the code does."""

import json
import re
from pathlib import Path

import pytest

from larouter.core.conversation import Conversation, Text, Turn
from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.road import Call
from tests.wire.formats import CALLS, SHORT, read

PAGE = Path(__file__).resolve().parents[2].joinpath("docs/translation.md").read_text("utf-8")
TALK = (Turn("user", (Text(text="Hi"),)),)
OLDER = Call(name="claude", max_output=100_000)
ALWAYS = Call(
    name="claude", max_output=100_000, refuses=frozenset({"thinking_budget", "thinking_off"})
)
FLASH = Call(name="gemini-3-flash")


def _rows(head):
    """The rows of the table that begins with this cell, without code marks."""
    lines = PAGE.partition(f"| {head} |")[2].splitlines()[2:]
    cells = [re.findall(r"[^|]+", line.replace("`", "")) for line in lines]
    end = next(at for at, row in enumerate(cells) if not row)
    return [[cell.strip() for cell in row] for row in cells[:end]]


def _sent(wire, call, **fields):
    return json.loads(WIRES[wire].write(Conversation(turns=TALK, **fields), call).body)


def _claude(call=CALLS["anthropic"], **fields):
    sent = _sent("anthropic", call, **fields)
    off = sent.get("thinking") == {"type": "disabled"}
    return "thinking off" if off else sent["output_config"]["effort"]


def _gemini(call, name, **fields):
    config = _sent("gemini", call, **fields)["generationConfig"]["thinkingConfig"]
    assert list(config) == [name]
    return str(config[name])


@pytest.mark.parametrize(
    ("effort", "openai", "claude", "older", "gemini", "second"), _rows("effort")
)
def test_an_effort(effort, openai, claude, older, gemini, second):
    budget = _sent("anthropic", OLDER, effort=effort).get("thinking", {}).get("budget_tokens")

    assert _sent("chat", CALLS["chat"], effort=effort)["reasoning_effort"] == openai
    assert _sent("responses", CALLS["responses"], effort=effort)["reasoning"]["effort"] == openai
    assert _claude(effort=effort) == claude.partition(";")[0]
    assert (str(budget) if budget else "no thinking") == older
    assert _gemini(CALLS["gemini"], "thinkingLevel", effort=effort) == gemini
    least = {"flash": "0", "pro": "128"}
    for kind, most in (("flash", 24_576), ("pro", 32_768)):
        found = _gemini(Call(name=f"gemini-2.5-{kind}"), "thinkingBudget", effort=effort)
        assert found == (str(min(int(second), most)) if int(second) else least[kind])


def test_the_exceptions():
    hydrogen = Call(name="gemini-4-hydrogen")

    assert _claude(ALWAYS, effort="none") == "low"
    assert [_gemini(FLASH, "thinkingLevel", effort=one) for one in ("none", "minimal", "low")] == [
        "MINIMAL", "MINIMAL", "LOW",
    ]  # fmt: skip
    assert [_gemini(hydrogen, "thinkingLevel", effort=one) for one in ("high", "xhigh", "max")] == [
        "HIGH", "XHIGH", "XHIGH",
    ]  # fmt: skip
    always = Call(name="gpt-6", refuses=frozenset({"thinking_off"}))
    assert "reasoning" not in _sent("responses", always, effort="none")


def _limits(column):
    """Budgets at both sides of each limit in a column, and the effort that each becomes."""
    found, last = [], 0
    for effort, *cells in _rows("a budget becomes"):
        if numbers := re.findall(r"\d+", cells[column] if column < len(cells) else ""):
            found.append((int(numbers[0]), effort))
            last = int(numbers[0])
        elif column < len(cells) and cells[column] == "more":
            found.append((last + 1, effort))
    return found


@pytest.mark.parametrize(("budget", "effort"), _limits(0))
def test_a_budget_at_claude_and_from_its_clients(budget, effort):
    thinking = {"type": "enabled", "budget_tokens": budget}
    body = {**SHORT["anthropic"], "max_tokens": 10**6, "thinking": thinking}

    assert DIALECTS["anthropic"].conversation(read("anthropic", body)).effort == effort
    assert _claude(thinking_tokens=budget) == effort


@pytest.mark.parametrize(("budget", "effort"), _limits(1))
def test_a_budget_at_responses(budget, effort):
    sent = _sent("responses", CALLS["responses"], thinking_tokens=budget)

    assert sent["reasoning"]["effort"] == effort


@pytest.mark.parametrize(("budget", "effort"), _limits(2))
def test_a_budget_at_gemini(budget, effort):
    by_budget = _gemini(FLASH, "thinkingLevel", thinking_tokens=budget)

    assert by_budget == _gemini(FLASH, "thinkingLevel", effort=effort)


def test_every_budget_is_in_a_table():
    assert [len(_limits(column)) for column in range(3)] == [5, 4, 4]

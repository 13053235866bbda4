"""`larouter projects policy`, with and without a server."""

import json

import click
import pytest

from larouter.core.errors import LARouterError
from larouter.core.policy import DEFAULT_POLICY
from larouter.core.policy_json import policy_json

ALL = (
    "--mode", "best", "--quality", "0.7", "--pin", "complex=openai/gpt-6.2-sol, gpt-6.2-astra",
    "--pin", "SIMPLE=gemma-4-e4b", "--allow", "openai", "--allow", "google", "--max-cost", "0.05",
    "--private", "email", "--private", "id", "--pattern", "ACME-####",
    "--rule", "if tag = legal then COMPLEX", "--rule", "if turns > 9 then local",
    "--escalation", "off", "--hold-first-tokens", "--when-spent", "local",
    "--when-left", "drain",
    "--requests-per-minute", "60", "--tokens-per-minute", "90000", "--parallel", "4",
)  # fmt: skip


@pytest.fixture
def lines(cli, request):
    """Run the command on a project of the test's own; return what people see."""
    name = f"policy of {request.node.name}"
    cli.run("projects", "create", name)
    return lambda *arguments: cli.lines("projects", "policy", name, *arguments)


@pytest.fixture
def policy(lines):
    """The same for programs."""
    return lambda *arguments: json.loads("".join(lines(*arguments, "--json")))


def test_a_new_project_asks_for_nothing(policy, lines):
    assert policy() == policy_json(DEFAULT_POLICY)
    read_out = lines()
    assert read_out[0].startswith("mode: balanced – Easy questions")
    assert "may be called: this machine, every provider" in read_out
    assert "most that a request may cost: no limit" in read_out


def test_every_wish_is_kept_and_read_out(policy, lines):
    read_out = lines(*ALL)

    assert policy() == {
        "mode": "best",
        "quality": 0.7,
        "pins": {"COMPLEX": ["openai/gpt-6.2-sol", "gpt-6.2-astra"], "SIMPLE": ["gemma-4-e4b"]},
        "providers": ["google", "openai"],
        "max_cost_usd": "0.05",
        "privacy": ["email", "id"],
        "patterns": ["ACME-####"],
        "rules": ["if tag = legal then COMPLEX", "if turns > 9 then local"],
        "escalation": "off",
        "hold_first_tokens": True,
        "when_spent": "local",
        "when_left": "drain",
        "requests_per_minute": 60,
        "tokens_per_minute": 90_000,
        "parallel": 4,
    }
    assert {
        "  COMPLEX: openai/gpt-6.2-sol, then gpt-6.2-astra",
        "may be called: this machine, google, openai",
        "most that a request may cost: $0.05",
        "stays on this machine: email, id",
        "  ACME-####",
        "  2. if turns > 9 then local",
        "streams wait for their first tokens: yes",
        "requests per minute: 60",
    } <= set(read_out)


def test_a_limit_is_taken_back_or_refused(lines):
    lines("--parallel", "4")

    assert "parallel: no limit" in lines("--parallel", "none")
    with pytest.raises(click.UsageError):
        lines("--requests-per-minute", "few")


def test_lists_are_added_to_and_taken_from(policy):
    policy(*ALL)

    changed = policy(
        "--unpin", "simple", "--pin", "FRONTIER=gpt-6.2-astra", "--pattern", "Falcon",
        "--no-pattern", "ACME-####", "--drop-rule", "1", "--rule", "if tokens > 9 then SIMPLE",
        "--no-hold-first-tokens",
    )  # fmt: skip

    assert set(changed["pins"]) == {"COMPLEX", "FRONTIER"}
    assert changed["patterns"] == ["Falcon"]
    assert changed["rules"] == ["if turns > 9 then local", "if tokens > 9 then SIMPLE"]
    assert changed["hold_first_tokens"] is False
    assert changed["mode"] == "best"


def test_words_take_limits_away(policy):
    policy(*ALL)

    changed = policy("--allow", "all", "--max-cost", "none", "--private", "none")

    assert (changed["providers"], changed["max_cost_usd"], changed["privacy"]) == (None, None, [])


def test_reset_begins_anew(policy):
    policy(*ALL)

    assert policy("--reset", "--rule", "if turns > 1 then local") == {
        **policy_json(DEFAULT_POLICY),
        "rules": ["if turns > 1 then local"],
    }
    assert policy("--reset") == policy_json(DEFAULT_POLICY)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--pin", "COMPLEX"), "no pin"),
        (("--pin", "=a"), "no pin"),
        (("--pin", "COMPLEX= ,"), "no pin"),
        (("--unpin", "COMPLEX"), "no pinned tier 'COMPLEX'"),
        (("--no-pattern", "ACME"), "no pattern 'ACME'"),
        (("--drop-rule", "1"), "no rule 1"),
        (("--quality", "2"), "2"),
        (("--mode", "wild"), "wild"),
    ],
)
def test_a_slip_of_the_keyboard_is_said(policy, arguments, says):
    with pytest.raises(click.UsageError, match=says):
        policy(*arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rule", "if topic = x then local"), "▸topic"),
        (("--max-cost", "5 cents"), "amount of dollars"),
        (("--allow", "openal"), "no provider 'openal'"),
    ],
)
def test_what_the_server_refuses_is_said(policy, arguments, says):
    with pytest.raises(LARouterError, match=says):
        policy(*arguments)

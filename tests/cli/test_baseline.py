import json

import click
import pytest

from larouter.core.errors import LARouterError


def test_a_baseline_is_chosen_and_taken_back(cli):
    assert "nobody chose one" in cli.lines("usage", "baseline")[0]

    first, note = cli.lines("usage", "baseline", "claude-haiku-5-5")

    assert first == "anthropic/claude-haiku-5-5 (chosen for this machine)"
    assert "from now on" in note
    assert cli.lines("usage", "baseline") == [first]
    told = json.loads(cli.run("usage", "baseline", "--reset", "--json").stdout)
    assert told["chosenFor"] is None


def test_a_project_has_its_own_baseline(alone):
    alone.run("projects", "create", "notes")
    alone.run("usage", "baseline", "claude-haiku-5-5", "--project", "notes")

    assert alone.lines("usage", "baseline", "--project", "notes") == [
        "notes: anthropic/claude-haiku-5-5 (chosen for this project)"
    ]
    assert alone.lines("usage", "baseline")[1:] == [
        "notes: anthropic/claude-haiku-5-5 (chosen for this project)"
    ]
    assert "nobody chose one" in alone.lines("usage", "baseline", "--project", "default")[0]


def test_a_slip_is_told(alone):
    with pytest.raises(click.UsageError):
        alone.run("usage", "baseline", "claude-haiku-5-5", "--reset")
    with pytest.raises(LARouterError, match="no model 'nobody'"):
        alone.run("usage", "baseline", "nobody")

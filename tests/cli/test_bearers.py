"""`larouter bearers`, with and without a server."""

import json

import click
import pytest

from larouter.cli.bearers import _ago
from larouter.core.errors import LARouterError


@pytest.fixture
def name(request, cli):
    """A project of its own."""
    name = f"keys of {request.node.name}"
    cli.run("projects", "create", name)
    return name


def test_create_prints_the_bearer_alone(cli, name):
    made = cli.run("bearers", "create", name, "ci", "--expires", "30d")

    assert made.stdout.startswith("lr_")
    assert len(made.stdout.split()) == 1
    assert "expires 20" in made.stderr
    assert "shown this once" in made.stderr


def test_list_shows_what_to_know_each_by(cli, name):
    made = json.loads(cli.run("bearers", "create", name, "ci", "--json").stdout)

    ci, main = sorted(cli.lines("bearers", "list", name), key=lambda line: "main" in line)

    assert main.endswith("…  main: never used, does not expire")
    assert ci == f"{made['id']}  {made['begins']}…  ci: never used, does not expire"
    assert made["bearer"].startswith(made["begins"])
    listed = json.loads(cli.run("bearers", "list", name, "--json").stdout)
    assert {row["name"] for row in listed} == {"main", "ci"}
    assert made["bearer"] not in json.dumps(listed)


def test_a_bearer_is_renamed_given_an_end_and_revoked(cli, name):
    cli.run("bearers", "create", name, "c/i")

    renamed = cli.lines("bearers", "rename", name, "c/i", "deploy")
    ends = cli.lines("bearers", "expire", name, "deploy", "1h")
    endless = cli.lines("bearers", "expire", name, "deploy", "never")
    revoked = cli.lines("bearers", "revoke", name, "deploy", "--yes")

    assert "is called 'deploy'" in renamed[0]
    assert ends[0].startswith("deploy: expires 20")
    assert endless == ["deploy: does not expire."]
    assert revoked == ["Revoked deploy."]
    assert len(cli.lines("bearers", "list", name)) == 1


def test_revoking_asks_and_says_what_the_last_one_means(cli, name):
    with pytest.raises(click.Abort):
        cli.run("bearers", "revoke", name, "main", stdin="n\n")

    revoked = cli.run("bearers", "revoke", name, "main", stdin="y\n").stdout

    assert "It is the last one" in revoked
    assert f"larouter bearers create '{name}'" in revoked
    assert "No bearers" in cli.lines("bearers", "list", name)[0]


def test_one_of_several_is_not_the_last(cli, name):
    cli.run("bearers", "create", name, "ci")

    assert "last one" not in cli.run("bearers", "revoke", name, "ci", stdin="y\n").stdout


def test_a_bearer_that_is_not_there_is_said_so(cli, name):
    with pytest.raises(click.UsageError, match="larouter bearers list"):
        cli.run("bearers", "revoke", name, "nobody", "--yes")


def test_an_end_that_makes_no_sense_is_said_so(cli, name):
    with pytest.raises(LARouterError, match="such as 30d, a date"):
        cli.run("bearers", "create", name, "ci", "--expires", "soon")


def test_rotating_with_an_overlap_says_so(cli, name):
    rotated = cli.run("projects", "rotate", name, "--overlap", "1h")

    assert "The old ones work for 1h more." in rotated.stderr
    old, new = sorted(cli.lines("bearers", "list", name), key=lambda line: "main 2" in line)
    assert ", expires 20" in old
    assert "main 2: never used, does not expire" in new
    with pytest.raises(click.UsageError, match="no length of time"):
        cli.run("projects", "rotate", name, "--overlap", "soon")


def test_an_archived_project_is_listed_with_all(cli, name):
    archived = cli.lines("projects", "archive", name)

    assert archived == [f"Archived {name}. Bring it back: larouter projects restore '{name}'"]
    assert all(name not in line for line in cli.lines("projects", "list"))
    assert any(
        line.endswith(f"{name}  (archived)") for line in cli.lines("projects", "list", "--all")
    )
    assert cli.lines("projects", "restore", name) == [f"Restored {name}."]
    assert any(line.endswith(name) for line in cli.lines("projects", "list"))


def test_a_project_is_renamed(cli, name):
    assert cli.lines("projects", "rename", name, f"{name} 2")[0].endswith(f"called '{name} 2'.")


def test_how_long_ago_is_said_in_words(monkeypatch):
    monkeypatch.setattr("larouter.cli.bearers.time.time", lambda: 1_000_000.0)
    ago = [_ago(int((1_000_000 - s) * 1000)) for s in (5, 60, 150, 3_600, 90_000, 200_000)]

    assert ago == ["just now", "1 minute ago", "2 minutes ago", "1 hour ago", "1 day ago",
                   "2 days ago"]  # fmt: skip

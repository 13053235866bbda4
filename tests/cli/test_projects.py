"""`larouter projects`, with and without a server."""

import json

import click
import pytest

from larouter.core.errors import LARouterError


@pytest.fixture
def name(request):
    """A name that no other test on the shared server has."""
    return f"site of {request.node.name}"


def test_create_prints_the_bearer_alone(cli, name):
    result = cli.run("projects", "create", name)

    assert result.stdout.startswith("lr_")
    assert len(result.stdout.split()) == 1
    assert "shown this once" in result.stderr


def test_create_as_json_is_exactly_this(cli, name):
    made = json.loads(cli.run("projects", "create", name, "--json").stdout)

    assert list(made) == ["id", "name", "bearer"]
    assert made["name"] == name
    assert made["id"].startswith("prj_")
    assert made["bearer"].startswith("lr_")


def test_list_shows_every_project(cli, name):
    made = json.loads(cli.run("projects", "create", name, "--json").stdout)

    assert f"{made['id']}  {name}" in cli.lines("projects", "list")
    listed = json.loads(cli.run("projects", "list", "--json").stdout)
    assert name in {row["name"] for row in listed}


def test_rotate_prints_another_bearer(cli, name):
    made = json.loads(cli.run("projects", "create", name, "--json").stdout)

    rotated = json.loads(cli.run("projects", "rotate", name, "--json").stdout)

    assert rotated["id"] == made["id"]
    assert rotated["bearer"] != made["bearer"]


def test_delete_can_be_told_not_to_ask(cli, name):
    cli.run("projects", "create", name)

    assert cli.lines("projects", "delete", name, "--yes") == [f"Deleted {name}."]


@pytest.mark.parametrize("arguments", [("rotate",), ("delete", "--yes")])
def test_an_unknown_project_is_said_so(cli, arguments):
    with pytest.raises(LARouterError, match="There is no project 'nobody'"):
        cli.run("projects", *arguments, "nobody")


def test_a_name_may_hold_anything_printable(cli, name):
    odd = f"{name} a/b?c#d%2F – 模型"

    made = json.loads(cli.run("projects", "create", odd, "--json").stdout)
    rotated = json.loads(cli.run("projects", "rotate", odd, "--json").stdout)

    assert made["name"] == rotated["name"] == odd
    assert any(odd in line for line in cli.lines("projects", "list"))


def test_the_default_project_is_there_for_whoever_names_it(alone):
    rotated = json.loads(alone.run("projects", "rotate", "default", "--json").stdout)

    assert rotated["name"] == "default"
    assert rotated["bearer"].startswith("lr_")


def test_an_alias_is_given_listed_and_taken_away(cli, name):
    cli.run("projects", "create", name)

    given = cli.lines("projects", "alias", name, "gpt-4o=auto", "my model = local/x")
    more = cli.lines("projects", "alias", name, "gpt-4o=simple")
    left = cli.lines("projects", "alias", name, "--remove", "gpt-4o")

    assert given == ["gpt-4o = auto", "my model = local/x"]
    assert more == ["gpt-4o = simple", "my model = local/x"]
    assert left == cli.lines("projects", "alias", name) == ["my model = local/x"]


@pytest.mark.parametrize("alias", ["gpt-4o", "=auto", "gpt-4o=", " = "])
def test_what_is_no_alias_is_said_so(alone, alias):
    with pytest.raises(click.UsageError, match="write ALIAS=MODEL"):
        alone.run("projects", "alias", "default", alias)


def test_an_alias_that_is_not_there_is_not_taken_away(alone):
    with pytest.raises(click.UsageError, match="'gpt-4o' is no alias"):
        alone.run("projects", "alias", "default", "--remove", "gpt-4o")


def test_an_alias_of_an_alias_is_said_so(alone):
    with pytest.raises(LARouterError, match="is an alias itself"):
        alone.run("projects", "alias", "default", "a=b", "b=auto")


def test_unknown_models_are_a_project_s_own_business(cli, name):
    cli.run("projects", "create", name)

    set_to = cli.lines("projects", "set", name, "--unknown-model", "auto")

    assert set_to == [f"{name}: unknown models: auto, time zone: default"]
    assert cli.lines(
        "projects", "set", name, "--unknown-model", "default", "--zone", "Asia/Tokyo"
    ) == [f"{name}: unknown models: default, time zone: Asia/Tokyo"]


def test_what_a_project_had_kept_can_be_forgotten(cli, name):
    cli.run("projects", "create", name)

    with pytest.raises(click.Abort):
        cli.run("projects", "forget", name, stdin="n\n")
    assert "Deleted 0 stored" in cli.run("projects", "forget", name, "--yes").output


def test_setting_says_what(cli, name):
    with pytest.raises(click.UsageError):
        cli.run("projects", "set", name)

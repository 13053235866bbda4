"""`larouter budgets`, with and without a server."""

import json

import click
import pytest

from larouter.core.errors import LARouterError


@pytest.fixture
def project(cli, request):
    """A project that no other test on the shared server has."""
    name = f"purse of {request.node.name}"
    cli.run("projects", "create", name)
    return name


def made(cli, project, *options):
    return json.loads(cli.run("budgets", "add", project, *options, "--json").stdout)


def test_a_budget_is_shown_with_what_is_left(cli, project):
    row = made(cli, project, "$1,000", "--period", "daily", "--provider", "openai")

    lines = cli.lines("budgets", "list", "--project", project)

    assert lines[0] == (f"{row['id']}  {project}: daily openai budget, $1,000.00 a day for openai")
    assert lines[1] == "   [....................] $0.00 spent, $1,000.00 left"
    assert lines[2].startswith("   renews 20")


def test_a_total_of_requests_that_only_tells(cli, project):
    made(cli, project, "500", "--metric", "requests", "--period", "total", "--soft")

    lines = cli.lines("budgets", "list", "--project", project)

    assert lines[0].endswith("total budget, 500 requests in all (only tells)")
    assert lines[1].endswith("0 requests spent, 500 requests left")
    assert len(lines) == 2


def test_a_budget_of_a_tier(cli, project):
    row = made(cli, project, "5", "--tier", "frontier", "--alerts", "90%, 100")

    assert (row["scope"], row["of"], row["alerts"]) == ("tier", "FRONTIER", [90, 100])


def test_a_list_as_json(cli, project):
    row = made(cli, project, "5")

    assert json.loads(cli.run("budgets", "list", "--json", "--project", project).stdout) == [row]


def test_none_is_said_and_how_to_make_one(cli, project):
    assert "larouter budgets add" in cli.run("budgets", "list", "--project", project).stdout


def test_a_budget_is_changed(cli, project):
    id = str(made(cli, project, "5", "--name", "Five")["id"])

    lines = cli.lines("budgets", "change", id, "--amount", "0.5", "--soft", "--name", "Half")
    assert lines[0].endswith("Half, $0.5000 a month (only tells)")
    row = json.loads(cli.run("budgets", "change", id, "--alerts", "", "--hard", "--json").stdout)
    assert (row["alerts"], row["hard"]) == ([], True)
    assert cli.lines("budgets", "resume", id)[0].endswith("Half, $0.5000 a month")


def test_removing_asks_first(cli, project):
    id = str(made(cli, project, "5")["id"])

    with pytest.raises(click.Abort):
        cli.run("budgets", "remove", id, stdin="n\n")
    assert cli.run("budgets", "remove", id, "--yes").stdout == "Removed monthly budget.\n"
    with pytest.raises(LARouterError):
        cli.run("budgets", "remove", id, "--yes")


@pytest.mark.parametrize(
    "arguments",
    [("5", "--tier", "simple", "--model", "openai/x"), ("many", "--metric", "tokens"),
     ("5", "--alerts", "half")],
)  # fmt: skip
def test_a_slip_is_told(cli, project, arguments):
    with pytest.raises(click.UsageError):
        cli.run("budgets", "add", project, *arguments)


def test_a_change_says_what(cli):
    with pytest.raises(click.UsageError):
        cli.run("budgets", "change", "1")

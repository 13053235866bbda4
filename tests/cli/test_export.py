"""`larouter projects export`, and `delete`, which offers it."""

import json
import stat
from contextlib import chdir

import click
import pytest

from larouter.cli.export import file_name
from larouter.core.errors import LARouterError


@pytest.fixture
def name(request, cli):
    """A project of its own."""
    name = f"case of {request.node.name}"
    cli.run("projects", "create", name)
    return name


@pytest.fixture
def here(tmp_path_factory):
    """The folder that a person is in."""
    folder = tmp_path_factory.mktemp("here")
    with chdir(folder):
        yield folder


def listed(cli, name):
    return any(name in line for line in cli.lines("projects", "list"))


def test_an_export_is_printed(cli, name):
    lines = [json.loads(line) for line in cli.lines("projects", "export", name)]

    assert [line["row"] for line in lines] == ["export", "project", "bearer", "end"]
    assert lines[1]["name"] == name


def test_an_export_is_written_into_a_file_of_ones_own(cli, name, here):
    said = cli.lines("projects", "export", name, "--output", "out.jsonl")

    assert said == ["Wrote out.jsonl, 2 rows."]
    lines = (here / "out.jsonl").read_bytes().splitlines()
    assert json.loads(lines[-1]) == {"row": "end", "rows": 2}
    assert stat.S_IMODE((here / "out.jsonl").stat().st_mode) == 0o600


def test_a_file_that_is_there_is_left_as_it_is(cli, name, here):
    (here / "out.jsonl").write_text("mine")

    with pytest.raises(click.UsageError, match="name another file"):
        cli.run("projects", "delete", name, "--yes", "--export", "out.jsonl")

    assert (here / "out.jsonl").read_text() == "mine"
    assert listed(cli, name)


def test_an_export_of_nobody_leaves_no_file(cli, here):
    with pytest.raises(LARouterError, match="There is no project 'nobody'"):
        cli.run("projects", "export", "nobody", "--output", "out.jsonl")

    assert list(here.iterdir()) == []


def test_delete_offers_an_export_and_asks(cli, name, here):
    said = cli.run("projects", "delete", name, stdin="y\ny\n").stdout

    assert "are erased" in said
    assert said.endswith(f"Deleted {name}.\n")
    (file,) = here.iterdir()
    assert file == here / file_name(name)
    assert json.loads(file.read_bytes().splitlines()[1])["name"] == name
    assert not listed(cli, name)


def test_delete_needs_no_export(cli, name, here):
    cli.run("projects", "delete", name, stdin="n\ny\n")

    assert list(here.iterdir()) == []
    assert not listed(cli, name)


@pytest.mark.parametrize("answers", ["n\nn\n", "y\nn\n", "n\n\n"])
def test_a_project_that_somebody_does_not_want_deleted_stays(cli, name, here, answers):
    with pytest.raises(click.Abort):
        cli.run("projects", "delete", name, stdin=answers)

    assert listed(cli, name)


def test_delete_exports_without_asking(cli, name, here):
    said = cli.lines("projects", "delete", name, "--yes", "--export", "out.jsonl")

    assert said == ["Wrote out.jsonl, 2 rows.", f"Deleted {name}."]


@pytest.mark.parametrize(
    ("project", "begins"),
    [("shop", "shop-20"), ("a/b c", "a-b-c-20"), ("../..", "project-20"), ("模型", "模型-20")],
)
def test_a_file_is_called_like_its_project(project, begins):
    name = str(file_name(project))

    assert name.startswith(begins)
    assert name.endswith(".jsonl")

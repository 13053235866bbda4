"""What a project calls models, and what becomes of a name that nobody knows."""

import json

import pytest

from larouter.core.account import Project
from larouter.core.errors import BadRequest, Conflict, NotFound
from larouter.store.projects import Projects


@pytest.fixture
def projects(writer):
    return Projects(writer)


@pytest.fixture
def notes(projects):
    return projects.create("notes")


def test_a_new_project_has_no_aliases_and_no_policy(notes):
    project, _ = notes

    assert (project.aliases, project.unknown_model) == ({}, None)


def test_a_request_finds_its_project_s_aliases(projects, notes):
    _, bearer = notes

    updated = projects.update("notes", aliases={"gpt-4o": "auto"}, unknown_model="auto")

    assert projects.of_bearer(bearer) == projects.get("notes")
    assert projects.of_bearer(bearer) == updated
    assert (updated.aliases, updated.unknown_model) == ({"gpt-4o": "auto"}, "auto")


def test_looking_a_bearer_up_reads_and_parses_nothing(projects, notes, writer):
    _, bearer = notes
    projects.update("notes", aliases={"gpt-4o": "auto"})
    writer.close()

    assert projects.of_bearer(bearer) is projects.of_bearer(bearer)


def test_aliases_outlive_a_restart(projects, notes, writer):
    projects.update("notes", aliases={"gpt-4o": "auto", "schön": "local/x"}, unknown_model="reject")

    again = Projects(writer).get("notes")

    assert (again.aliases, again.unknown_model) == (
        {"gpt-4o": "auto", "schön": "local/x"},
        "reject",
    )


def test_what_is_not_given_stays(projects, notes):
    projects.update("notes", aliases={"gpt-4o": "auto"}, unknown_model="auto")

    renamed = projects.rename("notes", "ideas")

    assert (renamed.name, renamed.aliases, renamed.unknown_model) == (
        "ideas",
        {"gpt-4o": "auto"},
        "auto",
    )


def test_given_aliases_replace_the_old_ones(projects, notes):
    projects.update("notes", aliases={"a": "auto", "b": "auto"})

    assert projects.update("notes", aliases={"c": "simple"}).aliases == {"c": "simple"}


@pytest.mark.parametrize(
    ("word", "kept"), [("auto", "auto"), ("reject", "reject"), ("default", None)]
)
def test_the_policy_is_one_of_three_words(word, kept, projects, notes):
    projects.update("notes", unknown_model="auto")

    assert projects.update("notes", unknown_model=word).unknown_model == kept


def test_nothing_is_changed_when_a_part_makes_no_sense(projects, notes, ask):
    before = ask("SELECT * FROM project")

    with pytest.raises(BadRequest):
        projects.update("notes", name="ideas", aliases={"a": "auto"}, unknown_model="maybe")
    projects.create("ideas")
    with pytest.raises(Conflict):
        projects.update("notes", name="ideas", aliases={"a": "auto"})

    assert ask("SELECT * FROM project WHERE name = 'notes'") == before
    assert projects.get("notes") == notes[0]


@pytest.mark.parametrize(
    "aliases",
    [
        {"": "auto"},
        {" ": "auto"},
        {"a": ""},
        {"a\n": "auto"},
        {"a": "x\0"},
        {"\ud800": "auto"},
        {"x" * 257: "auto"},
        {"a": "x" * 257},
    ],
)
def test_both_names_are_printable_and_short(aliases, projects, notes):
    with pytest.raises(BadRequest, match="printable") as caught:
        projects.update("notes", aliases=aliases)

    assert caught.value.param == "aliases"


@pytest.mark.parametrize("aliases", [{"a": "b", "b": "auto"}, {"a": "a"}])
def test_an_alias_of_an_alias_is_refused(aliases, projects, notes):
    with pytest.raises(BadRequest, match="is an alias itself"):
        projects.update("notes", aliases=aliases)


def test_there_are_at_most_200_of_them(projects, notes):
    many = {f"a{number}": "auto" for number in range(201)}

    with pytest.raises(BadRequest, match="at most 200"):
        projects.update("notes", aliases=many)
    many.pop("a0")

    assert projects.update("notes", aliases=many).aliases == many


def test_the_given_mapping_is_not_kept(projects, notes, ask):
    given = {"a": "auto"}
    projects.update("notes", aliases=given)

    given["b"] = "auto"

    assert projects.get("notes").aliases == {"a": "auto"}
    assert json.loads(ask("SELECT aliases FROM project")[0][0]) == {"a": "auto"}


def test_a_project_that_is_not_there_is_not_changed(projects):
    with pytest.raises(NotFound):
        projects.update("nobody", aliases={})


def test_a_project_can_be_a_key():
    project = Project(id="p", name="p", aliases={"a": "auto"})

    assert {project: 1}[project] == 1

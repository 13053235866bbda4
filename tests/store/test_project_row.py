"""A project's policy is kept, and comes back as it was."""

import json

import pytest

from larouter.core.errors import StorageDown
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.policy_json import read_policy
from larouter.store.projects import Projects


@pytest.fixture
def projects(writer):
    return Projects(writer)


@pytest.fixture
def notes(projects):
    return projects.create("notes")[0]


def test_a_new_project_has_the_default_policy(projects, notes):
    assert projects.get("notes").policy is DEFAULT_POLICY
    assert notes.policy is DEFAULT_POLICY


def test_a_policy_is_there_for_the_next_request_and_after_a_restart(projects, writer):
    _, bearer = projects.create("notes")
    policy = read_policy(
        {"mode": "local-only", "max_cost_usd": "0.02", "rules": ["if tag = legal then local"]}
    )

    changed = projects.update("notes", policy=policy)

    assert changed.policy == policy
    assert projects.of_bearer(bearer).policy == policy
    assert Projects(writer).get("notes").policy == policy


def test_other_changes_leave_it(projects, notes):
    projects.update("notes", policy=Policy(mode="best"))

    projects.update("notes", name="ideas", aliases={"gpt-4o": "auto"})

    assert projects.get("ideas").policy.mode == "best"


def test_only_what_is_not_the_default_is_written(projects, notes, ask):
    projects.update("notes", policy=Policy(quality=0.9))

    assert json.loads(ask("SELECT policy FROM project")[0][0]) == {"quality": 0.9}


def test_the_default_policy_is_nothing_again(projects, notes, ask):
    projects.update("notes", policy=Policy(mode="best"))

    projects.update("notes", policy=DEFAULT_POLICY)

    assert ask("SELECT policy FROM project") == [("{}",)]


@pytest.mark.parametrize("kept", ['{"mode": "wild"}', '{"new_wish": 1}', "{"])
def test_a_policy_that_cannot_be_read_is_not_passed_over(projects, notes, writer, kept):
    writer.run(lambda connection: connection.execute("UPDATE project SET policy=?", (kept,)))

    with pytest.raises(StorageDown, match="The policy of the project 'notes'"):
        Projects(writer)

import time

import pytest

from larouter.core.errors import BadRequest, Conflict, NotFound, StorageDown
from larouter.store import bearers as module
from larouter.store.bearers import MOST_OVERLAP_MS, Bearers
from larouter.store.projects import Projects
from larouter.store.responses import Responses


@pytest.fixture
def projects(writer):
    return Projects(writer)


@pytest.fixture
def bearers(writer, projects):
    return Bearers(writer, projects, "UTC")


@pytest.fixture
def notes(projects):
    """A project and its bearer."""
    return projects.create("notes")


def of(bearers, project):
    """By name: two that are made in one millisecond have no order."""
    return sorted(bearers.of(project), key=lambda row: row.name)


def names(bearers, project):
    return [row.name for row in of(bearers, project)]


def test_a_new_project_has_one_bearer(bearers, notes):
    project, bearer = notes

    (row,) = bearers.of(project)

    assert (row.name, row.begins, row.expires_ms) == ("main", bearer[:7], None)
    assert row.last_used_ms is None


def test_every_bearer_of_a_project_is_good(bearers, projects, notes):
    project, first = notes

    row, second = bearers.create(project, " ci ")

    assert row.name == "ci"
    assert projects.of_bearer(first) == projects.of_bearer(second) == project
    assert projects.of_bearer(second).bearer_id == row.id
    assert names(bearers, project) == ["ci", "main"]


def test_a_bearer_ends_when_it_was_said(bearers, projects, notes, monkeypatch):
    project, _ = notes
    row, bearer = bearers.create(project, "ci", "1h")
    assert projects.of_bearer(bearer) == project

    monkeypatch.setattr("larouter.store.projects.now_ms", lambda: row.expires_ms)

    assert projects.of_bearer(bearer) is None


def test_a_name_is_given_once_in_a_project(bearers, projects, notes):
    project, _ = notes
    other, _ = projects.create("other")
    bearers.create(project, "ci")

    with pytest.raises(Conflict) as caught:
        bearers.create(project, "ci")
    bearers.create(other, "ci")

    assert caught.value.code == "bearer_exists"
    assert names(bearers, other) == ["ci", "main"]


def test_a_project_has_so_many_bearers(bearers, notes, monkeypatch):
    monkeypatch.setattr(module, "MOST_BEARERS", 2)
    bearers.create(notes[0], "a")

    with pytest.raises(BadRequest, match="revoke some"):
        bearers.create(notes[0], "b")


def test_a_bearer_is_renamed_and_goes_on_working(bearers, projects, notes):
    project, bearer = notes

    row = bearers.change(project, "main", name="laptop", expires=None)

    assert (row.name, row.expires_ms) == ("laptop", None)
    assert projects.of_bearer(bearer) == project
    assert bearers.change(project, row.id, name="laptop", expires=None) == row


def test_a_name_that_is_taken_is_not_given_again(bearers, notes):
    bearers.create(notes[0], "ci")

    with pytest.raises(Conflict):
        bearers.change(notes[0], "main", name="ci", expires=None)

    assert names(bearers, notes[0]) == ["ci", "main"]


def test_an_end_can_be_set_and_taken_back(bearers, notes):
    project, _ = notes

    assert bearers.change(project, "main", name=None, expires="1h").expires_ms is not None
    assert bearers.change(project, "main", name=None, expires="never").expires_ms is None


def test_an_id_means_its_own_bearer(bearers, notes):
    project, _ = notes
    row, _ = bearers.create(project, "ci")
    bearers.change(project, "main", name=row.id, expires=None)

    assert bearers.revoke(project, row.id)[0] == row


def test_revoking_stops_one_bearer_at_once(bearers, projects, notes):
    project, first = notes
    _, second = bearers.create(project, "ci")

    row, left = bearers.revoke(project, "main")

    assert (row.name, left) == ("main", 1)
    assert (projects.of_bearer(first), projects.of_bearer(second)) == (None, project)
    assert names(bearers, project) == ["ci"]


def test_the_last_bearer_may_be_revoked(bearers, projects, notes):
    project, bearer = notes

    assert bearers.revoke(project, "main")[1] == 0
    assert projects.of_bearer(bearer) is None


def test_a_revoked_bearer_stays_so_after_a_restart_and_frees_its_name(bearers, notes, writer):
    project, bearer = notes
    bearers.revoke(project, "main")

    assert Projects(writer).of_bearer(bearer) is None
    assert bearers.create(project, "main")[0].name == "main"


def test_a_bearer_that_is_gone_keeps_its_name_for_the_books(bearers, projects, notes):
    project, _ = notes
    other, _ = projects.create("other")
    row, _ = bearers.create(project, "ci")
    bearers.grant(project, seconds=600)
    bearers.revoke(project, "ci")

    assert bearers.names(project.id)[row.id] == "ci"
    assert set(bearers.names(project.id).values()) == {"main", "ci"}
    assert bearers.names(None) == bearers.names(project.id) | bearers.names(other.id)


def test_an_expired_bearer_does_not_count_as_left(bearers, notes, writer):
    project, _ = notes
    row, _ = bearers.create(project, "ci", "1h")
    writer.run(
        lambda connection: connection.execute(
            "UPDATE bearer SET expires_ms=1 WHERE id=?", (row.id,)
        )
    )

    assert bearers.revoke(project, "main")[1] == 0


@pytest.mark.parametrize(
    "act",
    [
        lambda bearers, project, id: bearers.revoke(project, id),
        lambda bearers, project, id: bearers.change(project, id, name="x", expires=None),
    ],
)
def test_another_project_s_bearer_is_not_there(act, bearers, projects, notes):
    _, bearer = notes
    other, _ = projects.create("other")
    (row,) = bearers.of(notes[0])

    with pytest.raises(NotFound) as caught:
        act(bearers, other, row.id)

    assert caught.value.code == "bearer_not_found"
    assert projects.of_bearer(bearer) == notes[0]


def test_the_old_bearers_stop_at_once_when_they_are_rotated(bearers, projects, notes):
    project, old = notes
    granted = bearers.grant(project, seconds=600)
    _, second = bearers.create(project, "ci")

    row, new = bearers.rotate(project)

    assert [projects.of_bearer(bearer) for bearer in (old, granted, second)] == [None] * 3
    assert projects.of_bearer(new) == project
    assert [known.id for known in bearers.of(project)] == [row.id]


def test_rotating_leaves_the_other_projects_bearers(bearers, projects, notes):
    other, bearer = projects.create("other")

    bearers.rotate(notes[0])

    assert projects.of_bearer(bearer) == other


def test_rotating_at_once_forgets_what_was_kept(bearers, projects, notes, writer):
    project, _ = notes
    other, _ = projects.create("other")
    kept = Responses(writer)
    for owner in (project, other):
        kept.save(owner.id, {"id": "resp_1", "output": []}, [], None)

    bearers.rotate(project)

    assert (kept.get(project.id, "resp_1"), kept.get(other.id, "resp_1") is None) == (None, False)


def test_with_an_overlap_the_old_ones_work_so_much_longer(
    bearers, projects, notes, writer, monkeypatch
):
    project, old = notes
    kept = Responses(writer)
    kept.save(project.id, {"id": "resp_1", "output": []}, [], None)
    before = int(time.time() * 1000)

    row, new = bearers.rotate(project, overlap_ms=3_600_000)

    assert projects.of_bearer(old) == projects.of_bearer(new) == project
    first, second = of(bearers, project)
    assert 0 <= first.expires_ms - before - 3_600_000 < 5_000
    assert (second.id, second.name, second.expires_ms) == (row.id, "main 2", None)
    # A conversation that is under way goes on.
    assert kept.get(project.id, "resp_1") is not None
    monkeypatch.setattr("larouter.store.projects.now_ms", lambda: first.expires_ms)
    assert (projects.of_bearer(old), projects.of_bearer(new)) == (None, project)


def test_an_overlap_lets_nothing_live_longer_than_it_was_to(bearers, notes):
    project, _ = notes
    soon, _ = bearers.create(project, "ci", "15m")

    bearers.rotate(project, overlap_ms=3_600_000)

    assert soon in bearers.of(project)


@pytest.mark.parametrize("overlap_ms", [-1, MOST_OVERLAP_MS + 1])
def test_an_overlap_has_its_limits(bearers, notes, overlap_ms):
    with pytest.raises(BadRequest):
        bearers.rotate(notes[0], overlap_ms=overlap_ms)

    assert names(bearers, notes[0]) == ["main"]


def test_a_granted_bearer_is_one_more_and_is_not_listed(bearers, projects, notes):
    project, bearer = notes

    granted = bearers.grant(project, seconds=600)

    assert projects.of_bearer(granted) == projects.of_bearer(bearer) == project
    assert names(bearers, project) == ["main"]


def test_a_granted_bearer_expires_by_itself_and_is_gone(bearers, projects, notes, ask, writer):
    granted = bearers.grant(notes[0], seconds=0)
    assert projects.of_bearer(granted) is None
    assert Projects(writer).of_bearer(granted) is None

    bearers.keep_up()

    assert ask("SELECT name FROM bearer") == [("main",)]


def test_an_expired_bearer_is_listed_for_a_month(bearers, notes, writer):
    project, _ = notes
    days = 86_400_000
    for name, ago_days in (("new", 29), ("old", 31)):
        row, _ = bearers.create(project, name, "1h")
        ended = row.created_ms - ago_days * days
        writer.run(
            lambda connection, id=row.id, ended=ended: connection.execute(
                "UPDATE bearer SET expires_ms=? WHERE id=?", (ended, id)
            )
        )

    bearers.keep_up()

    assert names(bearers, project) == ["main", "new"]


def test_the_last_use_is_told_at_once_and_written_later(bearers, projects, notes, ask):
    project, bearer = notes
    before = int(time.time() * 1000)
    projects.of_bearer(bearer)

    (row,) = bearers.of(project)
    assert row.last_used_ms >= before
    assert ask("SELECT last_used_ms FROM bearer") == [(None,)]

    bearers.keep_up()

    assert ask("SELECT last_used_ms FROM bearer") == [(row.last_used_ms,)]


def test_the_last_use_is_written_once_a_minute(bearers, projects, notes, ask, monkeypatch):
    _, bearer = notes
    clock = [1_000_000_000_000]
    monkeypatch.setattr(module, "now_ms", lambda: clock[0])
    written = []
    for _ in range(26):
        projects.of_bearer(bearer)
        bearers.keep_up()
        written += ask("SELECT last_used_ms FROM bearer")
        clock[0] += 5_000

    assert len(set(written)) == 3

    bearers.keep_up(at_once=True)

    assert ask("SELECT last_used_ms FROM bearer") == [(clock[0] - 5_000,)]


@pytest.mark.sqlite
def test_a_use_that_cannot_be_written_is_not_lost(bearers, projects, notes, ask, writer):
    projects.of_bearer(notes[1])
    full = "CREATE TRIGGER full BEFORE UPDATE ON bearer BEGIN SELECT RAISE(ABORT, 'full'); END"
    writer.run(lambda connection: connection.execute(full))
    with pytest.raises(StorageDown):
        bearers.keep_up()
    writer.run(lambda connection: connection.execute("DROP TRIGGER full"))

    bearers.keep_up()

    assert ask("SELECT last_used_ms FROM bearer") != [(None,)]


@pytest.mark.parametrize(
    "act",
    [
        lambda bearers, project: bearers.create(project, "ci"),
        lambda bearers, project: bearers.rotate(project),
        lambda bearers, project: bearers.grant(project, seconds=1),
    ],
)
def test_an_archived_project_gets_no_new_bearer(act, bearers, projects, notes):
    archived = projects.archive("notes")

    with pytest.raises(Conflict) as caught:
        act(bearers, archived)

    assert caught.value.code == "project_archived"


def test_a_bearer_of_an_archived_project_can_be_revoked(bearers, projects, notes):
    archived = projects.archive("notes")

    bearers.revoke(archived, "main")
    projects.restore("notes")

    assert projects.of_bearer(notes[1]) is None

import hashlib
import re
import time

import pytest

from larouter.core.errors import BadRequest, Conflict, NotFound, StorageDown
from larouter.store.bearers import Bearers
from larouter.store.projects import DEFAULT, Projects
from larouter.store.rollups import Share
from larouter.store.writer import Writer
from tests.store.bills import HOUR, NOON


@pytest.fixture
def projects(writer):
    return Projects(writer)


@pytest.fixture
def notes(projects):
    """A project and its bearer."""
    return projects.create("notes")


def test_a_project_is_found_by_its_bearer(projects, notes):
    project, bearer = notes

    assert projects.of_bearer(bearer) == project


def test_a_bearer_has_enough_random_bits(notes):
    _, bearer = notes

    # 43 characters of 6 bits (TRUST S4: at least 192).
    assert re.fullmatch(r"lr_[\w-]{43}", bearer)


def test_no_bearer_is_given_twice(projects):
    bearers = {projects.create(f"p{number}")[1] for number in range(20)}

    assert len(bearers) == 20


@pytest.mark.sqlite
def test_a_bearer_is_in_the_database_as_its_hash_only(projects, notes, writer, database, ask):
    _, bearer = notes
    writer.close()

    assert ask("SELECT sha256 FROM bearer") == [(hashlib.sha256(bearer.encode()).hexdigest(),)]
    for path in database.path.parent.iterdir():
        assert bearer.encode() not in path.read_bytes()
        assert bearer.removeprefix("lr_").encode() not in path.read_bytes()


def test_a_bearer_is_good_after_a_restart(database, projects, notes, writer):
    project, bearer = notes
    writer.close()
    again = Writer(database)

    found = Projects(again).of_bearer(bearer)
    again.close()

    assert found == project


@pytest.mark.parametrize("change", [str.upper, str.lower, lambda b: b[:-1], lambda b: f" {b}"])
def test_a_bearer_that_is_not_exactly_right_is_nobody_s(change, projects, notes):
    _, bearer = notes

    assert projects.of_bearer(change(bearer)) is None


@pytest.mark.parametrize("text", ["", "lr_", "\0", "é", "日本", "\ud800", "x" * 100_000])
def test_any_text_may_be_asked_for(text, projects, notes):
    assert projects.of_bearer(text) is None


def test_deleting_stops_the_bearers(projects, notes, writer):
    project, bearer = notes
    granted = Bearers(writer, projects, "UTC").grant(project, seconds=600)

    projects.delete("notes")

    assert (projects.of_bearer(bearer), projects.of_bearer(granted)) == (None, None)


def test_deleting_frees_the_name(projects, notes):
    old, _ = notes

    projects.delete("notes")
    new, _ = projects.create("notes")

    assert new.id != old.id
    assert projects.list() == [new]


def test_a_deleted_project_is_not_found(projects, notes):
    project, _ = notes

    projects.delete("notes")

    for name in (project.id, "notes"):
        with pytest.raises(NotFound):
            projects.get(name)


def test_a_deleted_project_keeps_its_days(projects, writer, rollups):
    project, _ = projects.create("tokyo")
    projects.update("tokyo", zone="Asia/Tokyo")
    rollups._zone_of = lambda project_id: projects.zone_of(project_id) or "UTC"
    share = Share(project.id, "SIMPLE", "local/starter", "")

    def days(connection):
        return connection.execute("SELECT day FROM usage_day").fetchall()

    writer.run(lambda _: rollups.add(NOON + 4 * HOUR, share, (1, 1, 0, 0, 0, 0, 0, 0)))
    before = writer.run(days)
    projects.delete("tokyo")
    writer.run(rollups.rebuild_days)

    assert writer.run(days) == before == [("2026-11-23",)]
    assert Projects(writer).zone_of(project.id) == "Asia/Tokyo"


def test_a_deleted_project_s_requests_stay(projects, book, ask):
    attempt = book.bill()

    Projects(book._writer).delete(book.project.id)

    assert ask("SELECT project_id FROM request WHERE id=?", attempt.request.id) == [
        (book.project.id,)
    ]


@pytest.mark.parametrize("name", ["a", " padded ", "Käse", "日本", "x" * 100, "a/b", "prj_1"])
def test_a_name_is_printable_text(name, projects):
    project, _ = projects.create(name)

    assert project.name == name.strip()


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 101, "a\nb", "a\0b", "\x1b[1m", "\u202e", "\ud800"]
)
def test_another_name_is_refused(name, projects):
    with pytest.raises(BadRequest, match="printable"):
        projects.create(name)

    assert projects.list() == []


def test_a_name_is_given_once(projects, notes):
    with pytest.raises(Conflict) as caught:
        projects.create(" notes ")

    assert caught.value.code == "project_exists"


def test_a_refused_project_leaves_no_bearer(projects, notes, ask):
    with pytest.raises(Conflict):
        projects.create("notes")

    assert len(ask("SELECT id FROM bearer")) == 1


def test_a_project_has_a_new_name(projects, notes):
    project, bearer = notes

    renamed = projects.rename("notes", " ideas ")

    assert (renamed.id, renamed.name) == (project.id, "ideas")
    assert projects.of_bearer(bearer) == renamed


@pytest.mark.parametrize(
    ("name", "error"), [("other", Conflict), ("", BadRequest), ("a\nb", BadRequest)]
)
def test_a_new_name_is_checked_too(name, error, projects, notes):
    projects.create("other")

    with pytest.raises(error):
        projects.rename("notes", name)

    assert projects.get("notes") == notes[0]


def test_a_project_is_found_by_id_and_by_name(projects, notes):
    project, _ = notes

    assert projects.get(project.id) == projects.get("notes") == project


def test_an_id_means_its_own_project(projects, notes):
    project, _ = notes
    projects.create("first")
    projects.rename("first", project.id)

    assert projects.get(project.id) == project


def test_a_project_that_is_not_there_is_not_found(projects):
    with pytest.raises(NotFound) as caught:
        projects.get("nobody")

    assert (caught.value.code, "'nobody'" in caught.value.message) == ("project_not_found", True)


@pytest.mark.parametrize(
    "act",
    [
        lambda projects: projects.archive("nobody"),
        lambda projects: projects.restore("nobody"),
        lambda projects: projects.delete("nobody"),
        lambda projects: projects.rename("nobody", "x"),
    ],
)
def test_nothing_is_done_to_a_project_that_is_not_there(act, projects):
    with pytest.raises(NotFound):
        act(projects)


def test_projects_are_listed_as_they_came(projects):
    made = []
    for name in ("c", "a", "b"):
        time.sleep(0.002)
        made.append(projects.create(name)[0])

    assert projects.list() == made


def test_the_first_start_makes_a_default_project(projects):
    bearer = projects.ensure_default()

    assert projects.of_bearer(bearer).name == DEFAULT


def test_the_default_project_is_made_once(projects):
    projects.ensure_default()

    assert projects.ensure_default() is None
    assert len(projects.list()) == 1


def test_a_change_that_cannot_be_written_changes_nothing(projects, notes, refuse_writes):
    _, bearer = notes
    refuse_writes()

    with pytest.raises(StorageDown):
        projects.archive("notes")

    assert projects.of_bearer(bearer) == notes[0]


def test_an_archived_project_is_kept_with_its_bearers(projects, notes):
    project, bearer = notes

    archived = projects.archive("notes")

    assert archived.archived_ms is not None
    assert projects.of_bearer(bearer) == projects.get(project.id) == archived
    assert projects.list() == [archived]


def test_a_restored_project_is_as_it_was(projects, notes, writer):
    project, bearer = notes
    projects.archive("notes")

    assert projects.restore("notes") == project
    assert Projects(writer).of_bearer(bearer) == project


def test_archiving_again_does_not_move_the_date(projects, notes):
    first = projects.archive("notes")
    time.sleep(0.002)

    assert projects.archive("notes") == first


def test_the_name_of_an_archived_project_is_taken_and_it_is_said_so(projects, notes):
    projects.archive("notes")

    with pytest.raises(Conflict, match="larouter projects restore notes"):
        projects.create("notes")


def test_which_bearers_came_in_is_told_once(projects, notes):
    _, bearer = notes
    project = projects.of_bearer(bearer)
    projects.of_bearer("lr_wrong")

    assert projects.take_used() == {project.bearer_id}
    assert projects.take_used() == set()

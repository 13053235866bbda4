"""A backup takes the file's place whole, or not at all; what was there is kept (TRUST A9)."""

import shutil
from contextlib import closing

import pytest

from larouter.core.errors import BadRequest, StorageDown
from larouter.store.backups import copy_database
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.restore import finish, look_into, restore
from larouter.store.rollups import Rollups, differences
from larouter.store.runs import Run
from larouter.store.schema import head
from larouter.store.spill import Spill
from larouter.store.sqlite import SqliteFile, connect
from larouter.store.writer import Writer
from tests.store.bills import COST, HOLD, MODELS, Book, spoil_pages


@pytest.fixture
def spill(tmp_path):
    return tmp_path / "unwritten.jsonl"


@pytest.fixture
def backup(file, tmp_path):
    """Make one of the file as it is."""

    def backup():
        copy_database(file, tmp_path / "backup.db")
        return tmp_path / "backup.db"

    return backup


def rows(path, sql):
    with closing(connect(path, read_only=True)) as connection:
        return connection.execute(sql).fetchall()


def replaced(file):
    return sorted(path for path in file.parent.glob("larouter-replaced-*"))


def test_a_backup_tells_what_is_in_it(book, backup):
    assert look_into(backup())._replace(revision="") == ("", 1, 0, None)

    attempt = book.bill()

    contents = look_into(backup())
    assert (contents.revision, contents.requests) == (head(), 1)
    assert contents.last_ms == attempt.request.started_ms


def test_a_backup_takes_the_databases_place(book, backup, writer, file, spill):
    book.bill()
    source = backup()
    book.bill()
    writer.close()

    aside = restore(source, file, spill)

    assert aside
    assert rows(file, "SELECT count(*) FROM attempt") == [(1,)]
    assert rows(aside, "SELECT count(*) FROM attempt") == [(2,)]
    assert rows(source, "SELECT count(*) FROM attempt") == [(1,)]
    assert "-replaced-" in aside.name
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_a_killed_process_left_beside_the_file_goes_with_it(backup, file, writer, spill):
    source = backup()
    writer.close()
    with closing(connect(file)) as other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("INSERT INTO setting VALUES ('a', 'b')")
        killed = {side: file.with_name(file.name + side).read_bytes() for side in ("", "-wal")}
    for side, data in killed.items():
        file.with_name(file.name + side).write_bytes(data)

    aside = restore(source, file, spill)

    assert rows(file, "SELECT * FROM setting") == []
    assert rows(aside, "SELECT * FROM setting") == [("a", "b")]


def test_a_damaged_database_is_kept_as_it_is(backup, file, writer, spill):
    source = backup()
    writer.close()
    spoil_pages(file)
    spoilt = file.read_bytes()

    aside = restore(source, file, spill)

    assert aside
    assert aside.read_bytes() == spoilt


def test_where_no_database_is_nothing_is_kept(backup, file, writer, spill):
    source = backup()
    writer.close()
    file.unlink()

    assert restore(source, file, spill) is None
    assert rows(file, "SELECT count(*) FROM attempt") == [(0,)]


def test_a_restore_that_was_cut_off_is_finished_by_the_next_start(backup, file, writer):
    source = backup()
    writer.close()
    ready = file.with_name("larouter.db.restored-2026-01-01T00-00-00Z")
    shutil.copy(source, ready)
    file.rename(file.with_name("larouter-replaced-2026-01-01T00-00-00Z.db"))

    finish(file)

    assert file.exists()
    assert not ready.exists()
    assert [path.name for path in replaced(file)] == ["larouter-replaced-2026-01-01T00-00-00Z.db"]


def test_half_a_copy_takes_no_place(file):
    part = file.with_name("larouter.db.restored-2026-01-01T00-00-00Z.part")
    part.write_bytes(b"half")
    before = file.read_bytes()

    finish(file)

    assert file.read_bytes() == before
    assert not part.exists()


def test_a_place_that_cannot_be_taken_is_told_and_nothing_is_lost(backup, file, writer):
    shutil.copy(backup(), file.with_name("larouter.db.restored-2026"))
    writer.close()
    (file.parent / "larouter-replaced-2026.db").mkdir()
    (file.parent / "larouter-replaced-2026.db" / "file").touch()

    with pytest.raises(StorageDown, match="could not take its place"):
        finish(file)

    assert file.exists()
    assert (file.parent / "larouter.db.restored-2026").exists()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "There is no file"),
        (lambda path: path.write_bytes(b"not a database at all\n" * 500), "is damaged"),
        (lambda path: path.touch(), "is no database of LARouter's"),
    ],
)
def test_what_is_no_backup_is_refused(tmp_path, make, says):
    path = tmp_path / "odd.db"
    make(path)

    with pytest.raises(BadRequest, match=says):
        look_into(path)


def test_a_damaged_backup_is_refused(backup):
    path = backup()
    spoil_pages(path)

    with pytest.raises(BadRequest, match="is damaged"):
        look_into(path)


def test_a_backup_of_a_newer_version_is_refused(backup):
    path = backup()
    with closing(connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(BadRequest, match="newer LARouter"):
        look_into(path)


class Again:
    """A server's ledger after a restart."""

    def __init__(self, file, feed, spill):
        self.writer = Writer(SqliteFile(file))
        self.writer.batch = self.rollups = Rollups(lambda project_id: "UTC")
        self.run = Run(self.writer, self.rollups)
        self.spill = Spill(spill)
        self.ledger = Ledger(
            self.writer, run_id=self.run.id, price_versions=record_prices(self.writer, MODELS),
            feed=feed, rollups=self.rollups, spill=self.spill,
        )  # fmt: skip

    def close(self):
        self.writer.close()
        self.spill.close()


@pytest.fixture
def starts(file, feed, spill):
    started = []

    def start():
        started.append(Again(file, feed, spill))
        return started[-1]

    yield start
    for again in started:
        again.close()


def refuse_ends(writer):
    writer.run(
        lambda connection: connection.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON attempt "
            "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )
    )


def test_an_end_that_was_kept_aside_reaches_the_attempt_that_the_backup_knows(
    writer, starts, backup, file, spill, ask
):
    """Reserved, backed up, ended while the file took nothing, restored."""
    writer.close()
    first = starts()
    book = Book(first.writer, first.ledger)
    attempt = book.reserve()
    source = backup()
    refuse_ends(first.writer)
    book.settle(attempt)
    first.close()

    restore(source, file, spill)
    again = starts()

    assert again.ledger.replay() == 1
    assert again.run.recover() == 0
    assert ask("SELECT state, cost_nusd FROM attempt") == [("settled", COST)]
    assert again.ledger.replay() == 0
    assert again.writer.run(differences) == []


def test_an_end_that_was_kept_aside_reaches_no_other_requests_attempt(
    writer, starts, backup, file, spill, ask
):
    """The attempt is newer than the backup; in the restored file another one has its number."""
    writer.close()
    first = starts()
    source = backup()
    book = Book(first.writer, first.ledger)
    lost = book.reserve()
    refuse_ends(first.writer)
    book.settle(lost)
    first.close()

    restore(source, file, spill)
    again = starts()
    other = Book(again.writer, again.ledger).reserve()
    assert other.id == lost.id
    again.ledger.replay()

    assert ask("SELECT state, hold_nusd FROM attempt") == [("pending", HOLD)]
    (kept,) = spill.parent.glob("unwritten-replaced-*.jsonl")
    assert lost.request.id in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600

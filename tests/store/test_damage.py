"""A file that is not as it was written is found before a start, and left as it is (TRUST A9)."""

from contextlib import closing

import pytest

from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.store.damage import look_before_serving, look_through, page_faults
from larouter.store.runs import Run
from larouter.store.sql import Error, is_damage
from larouter.store.sqlite import SqliteFile, connect
from larouter.store.writer import Writer
from tests.store.bills import spoil_pages


def faults(path, **options):
    with closing(connect(path, read_only=True)) as connection:
        return page_faults(connection, **options)


@pytest.fixture
def cut_off(file, run, book, writer):
    """A database whose last server was killed: its run has no end."""
    book.bill()
    writer.close()
    return file


@pytest.mark.parametrize("full", [False, True])
def test_a_whole_file_has_no_faults(file, full):
    assert faults(file, full=full) == []


@pytest.mark.parametrize("full", [False, True])
def test_pages_that_were_overwritten_are_found(file, full):
    spoil_pages(file)

    assert faults(file, full=full)


def test_an_index_that_has_lost_a_row_is_found_by_the_full_look(file, book, writer):
    book.bill()
    writer.close()
    with closing(connect(file)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX attempt_request ON attempt (model)' "
            "WHERE name = 'attempt_request'"
        )

    assert faults(file, full=True)


def test_a_whole_file_is_served_after_an_unclean_end(cut_off):
    assert look_before_serving(cut_off)


def test_a_damaged_file_is_not_served_after_an_unclean_end(cut_off, caplog):
    spoil_pages(cut_off)
    before = cut_off.read_bytes()

    with pytest.raises(DatabaseDamaged) as caught:
        look_before_serving(cut_off)

    assert "larouter db restore" in caught.value.message
    assert str(cut_off) not in caught.value.message
    assert str(cut_off) in caplog.text
    assert cut_off.read_bytes() == before


def test_a_file_that_is_no_database_is_damaged(cut_off):
    cut_off.write_bytes(b"not a database at all\n" * 500)

    with pytest.raises(DatabaseDamaged):
        look_before_serving(cut_off)


def test_a_large_file_is_looked_through_while_it_is_served(cut_off):
    spoil_pages(cut_off)

    assert not look_before_serving(cut_off, small=1)
    with pytest.raises(DatabaseDamaged):
        look_through(cut_off)


def test_a_large_file_that_is_whole_goes_on(cut_off):
    look_through(cut_off)


def test_after_an_orderly_end_nothing_is_looked_through(file, run, writer):
    run.end()
    writer.close()
    spoil_pages(file)

    assert look_before_serving(file)


def test_a_new_or_an_empty_file_is_whole(tmp_path):
    assert look_before_serving(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    assert look_before_serving(tmp_path / "empty.db")


def test_a_folder_in_the_place_of_a_file_is_no_damage(tmp_path):
    with pytest.raises(StorageDown) as caught:
        look_before_serving(tmp_path)
    assert not isinstance(caught.value, DatabaseDamaged)


def test_a_writer_that_meets_damage_writes_nothing_more(file, rollups, writer, ask):
    Run(writer, rollups)
    writer.close()
    spoil_pages(file)
    writer = Writer(SqliteFile(file))

    with pytest.raises(DatabaseDamaged):
        writer.run(lambda connection: connection.execute("SELECT * FROM attempt").fetchall())
    with pytest.raises(DatabaseDamaged):
        writer.run(lambda connection: connection.execute("INSERT INTO setting VALUES ('a', 'b')"))

    writer.close()
    assert ask("SELECT count(*) FROM setting WHERE name = 'a'") == [(0,)]


def test_other_faults_are_no_damage(file):
    with closing(connect(file)) as connection, pytest.raises(Error) as caught:
        connection.execute("SELECT * FROM nowhere")
    assert not is_damage(caught.value)

"""What has gone wrong is told until it is mended."""

import pytest

from larouter.core.errors import StorageDown
from larouter.store.alarm import Alarm
from larouter.store.invariants import Books
from larouter.store.spill import Spill
from larouter.store.sql import IntegrityError
from tests.store.bills import NOON


@pytest.fixture
def spill(tmp_path):
    spill = Spill(tmp_path / "unwritten.jsonl")
    yield spill
    spill.close()


@pytest.fixture
def books(database):
    return Books(database, lambda: NOON / 1000)


@pytest.fixture
def alarm(writer, spill, books):
    return Alarm(writer, spill, books)


def refused(sql):
    def job(connection):
        connection.execute(sql)

    return job


def test_when_all_is_well_nothing_is_said(book, alarm):
    book.bill()

    assert alarm.words() is None


def test_a_database_that_takes_nothing_is_told_until_it_does(writer, alarm):
    with pytest.raises(StorageDown):
        writer.run(refused("INSERT INTO nowhere VALUES (1)"))
    assert "cannot be written" in alarm.words()

    writer.run(refused("SELECT 1"))

    assert alarm.words() is None


def test_a_name_that_is_taken_is_no_alarm(writer, alarm):
    def job(connection):
        raise IntegrityError("taken")

    with pytest.raises(StorageDown):
        writer.run(job)

    assert alarm.words() is None


def test_books_that_are_wrong_and_damage_are_told(writer, books, alarm):
    books.wrong = ["attempt 1 is odd"]
    assert "do not add up" in alarm.words()

    writer.stop_for_damage()

    assert "larouter db restore" in alarm.words()

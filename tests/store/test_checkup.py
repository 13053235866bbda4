"""`db check`'s questions: pages, books, sums."""

import pytest

from larouter.core.errors import StorageDown
from larouter.store.checkup import check
from larouter.store.sqlite import SqliteFile
from tests.store.bills import spoil_pages


def test_what_the_ledger_writes_is_right(book, database):
    book.bill()
    book.reserve()
    told = []

    assert check(database, full=True, tell=lambda *words: told.append(words)) == []
    assert len(told) == (2 if database.is_shared else 3)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE attempt SET cost_nusd = 7", "attempt 1 is settled at 7"),
        ("UPDATE usage_day SET calls = 7", "the sums of days are not those of quarters"),
    ],
)
def test_what_does_not_add_up_is_told(book, writer, database, sql, says):
    book.bill()
    writer.run(lambda connection: connection.execute(sql))

    assert any(says in line for line in check(database))


@pytest.mark.sqlite
def test_the_books_of_a_damaged_file_are_not_looked_at(writer, database):
    writer.close()
    spoil_pages(database.path)
    told = []

    assert check(database, tell=lambda *words: told.append(words))
    assert len(told) == 1


def test_a_file_that_is_no_database_is_wrong(tmp_path):
    path = tmp_path / "odd.db"
    path.write_bytes(b"not a database at all\n" * 500)

    assert check(SqliteFile(path)) == ["file is not a database"]


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StorageDown):
        check(SqliteFile(tmp_path / "none.db"))

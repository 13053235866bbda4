"""What an owner does to the books by hand."""

import pytest

from larouter.core.chat import Usage
from larouter.store.bookkeeping import Bookkeeping
from larouter.store.rollups import Rollups
from tests.store.bills import COST, HOLD, ms


@pytest.fixture
def books(writer, rollups):
    return Bookkeeping(writer, rollups)


def test_what_nobody_knew_is_charged(book, books):
    attempt = book.bill(state="unknown", outcome={"status": 502})

    assert books.resolve(attempt.id, Usage(input=1_000, output=100)) == (HOLD, COST)


def test_sums_are_mended(book, books, writer):
    book.bill()
    writer.run(lambda connection: connection.execute("UPDATE usage_day SET calls = 9"))

    assert [len(books.recount()), len(books.recount())] == [1, 0]


def test_a_project_that_moves_has_other_days(book, writer, move, ask):
    move(book.bill(), ms("2026-11-22T23:30:00+00:00"))
    books = Bookkeeping(writer, Rollups(lambda project_id: "Asia/Tokyo"))

    books.moved(book.project.id)

    assert ask("SELECT day FROM usage_day") == [("2026-11-23",)]

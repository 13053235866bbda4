"""Books that add up, and each way in which they could not."""

import pytest

from larouter.core.errors import StorageDown
from larouter.store.budgets import Budgets, checked
from larouter.store.invariants import Books, violations
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from tests.store.bills import COST, LOCAL, MODELS, NOON, Book


@pytest.fixture
def books(database):
    return Books(database, lambda: NOON / 1000)


@pytest.fixture
def book(writer, run, feed, rollups, books):
    budgets = Budgets(writer, "UTC")
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, budgets=budgets.of, wrong=lambda: bool(books.wrong),
    )  # fmt: skip
    book = Book(writer, ledger)
    for metric in ("cost", "requests", "tokens"):
        budgets.add(checked(project_id=book.project.id, name=metric, cap=10**9, metric=metric))
    return book


@pytest.fixture
def spoil(writer):
    return lambda sql: writer.run(lambda connection: connection.execute(sql))


def test_what_the_ledger_writes_adds_up(book, books, writer):
    book.bill()
    book.bill(LOCAL)
    book.bill(state="failed", outcome={"status": 502, "final": False})
    book.bill(state="unknown", outcome={"status": 502})
    book.reserve()

    assert books.check() == []
    assert writer.run(violations) == []


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE attempt SET cost_nusd = 7", "attempt 1 is settled at 7, and its entries are"),
        ("DELETE FROM ledger_entry", "and its entries are 0"),
        ("UPDATE attempt SET state = 'odd'", "attempt 1 is odd"),
        ("UPDATE hold SET spent = NULL", "what it takes of budget 1 differ"),
        ("UPDATE hold SET spent = 7 WHERE budget_id = 1", "what it takes of budget 1 differ"),
        ("UPDATE budget_window SET spent = 7 WHERE budget_id = 2", "budget 2 from"),
        ("UPDATE budget_window SET reserved = 7 WHERE budget_id = 3", "reserved 7, but its calls"),
    ],
)
def test_what_must_not_be_is_found_and_stops_who_has_a_budget(book, books, spoil, sql, says):
    book.bill()
    spoil(sql)

    assert any(says in line for line in books.check())

    with pytest.raises(StorageDown) as caught:
        book.reserve()
    assert caught.value.code == "books_wrong"
    book.bill(project=book.add_project("without"))


@pytest.mark.parametrize("table", ["usage_day", "usage_quarter"])
def test_sums_that_nobody_is_charged_by_stop_nobody(book, books, spoil, table, caplog):
    book.bill()
    spoil(f"UPDATE {table} SET calls = 7")  # noqa: S608 - the names above

    assert books.check() == []

    assert "larouter usage rebuild" in caplog.text
    book.bill()


def test_what_is_mended_goes_on(book, books, spoil):
    book.bill()
    spoil("UPDATE attempt SET cost_nusd = 7")
    assert books.check()
    assert books.check()
    spoil(f"UPDATE attempt SET cost_nusd = {COST}")  # noqa: S608 - a number

    assert books.check() == []
    book.bill()


def test_an_hour_later_only_what_is_new_is_looked_at(book, books, spoil):
    book.bill()
    assert books.check() == []
    spoil("UPDATE attempt SET cost_nusd = 7")
    book.bill()
    book.bill()

    assert books.checked == 2
    assert books.check() == []
    assert books.checked == 4


def test_what_is_open_is_looked_at_again(book, books):
    waiting = book.reserve()
    book.bill()

    books.check()

    assert books.checked == waiting.id


def test_empty_books_are_right(books, writer):
    assert books.check() == []

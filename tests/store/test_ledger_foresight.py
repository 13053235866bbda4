"""Would a budget pay for a call? Asked as a call does, and nothing stays of it."""

import pytest

from larouter.core.budget import Bound
from larouter.core.errors import BudgetExceeded, StorageDown
from larouter.core.route import Choice
from larouter.store.budgets import Budgets, checked
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from tests.store.bills import CLOUD, HOLD, MODELS, OUTPUT, PROMPT, Book

EVERYTHING = ("request", "attempt", "hold", "alert", "setting")


@pytest.fixture
def budgets(writer):
    return Budgets(writer, "UTC")


@pytest.fixture
def book(writer, run, feed, rollups, budgets):
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, budgets=budgets.of,
    )  # fmt: skip
    return Book(writer, ledger)


@pytest.fixture
def limit(book, budgets):
    return lambda cap: budgets.add(checked(project_id=book.project.id, name="Cap", cap=cap))


@pytest.fixture
def foresee(book):
    bound = Bound(CLOUD.price, PROMPT, 1, OUTPUT)
    return lambda: book.ledger.foresee(book.record(), Choice(model=CLOUD), bound)


@pytest.fixture
def rows(ask):
    def rows():
        counts = {table: ask(f"SELECT count(*) FROM {table}") for table in EVERYTHING}  # noqa: S608
        return counts, ask("SELECT spent, reserved, blocked FROM budget_window")

    return rows


def test_what_is_paid_for(limit, foresee, rows):
    limit(HOLD)
    before = rows()

    assert foresee() is None
    assert rows() == before


def test_what_is_paid_for_with_a_shorter_answer(limit, foresee, rows):
    limit(HOLD - 10_000 * 100)
    before = rows()

    assert foresee() == OUTPUT - 100
    assert rows() == before


def test_what_is_not_paid_for_any_more(limit, foresee, book, rows):
    limit(HOLD)
    book.reserve()
    before = rows()

    with pytest.raises(BudgetExceeded, match="held by requests under way"):
        foresee()
    assert rows() == before


def test_without_a_budget_nobody_is_asked(foresee, refuse_writes):
    refuse_writes()

    assert foresee() is None


def test_a_database_that_takes_nothing_refuses_this_too(limit, foresee, refuse_writes):
    limit(HOLD)
    refuse_writes()

    with pytest.raises(StorageDown):
        foresee()

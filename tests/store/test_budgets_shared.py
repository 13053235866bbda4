"""Budgets that several processes share: what one changes limits the others at once."""

import pytest

from larouter.core.budget import Bound
from larouter.core.errors import BadRequest, BudgetExceeded
from larouter.core.route import Choice
from larouter.store.budgets import Budgets, checked
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from tests.store.bills import CLOUD, HOLD, MODELS, OUTPUT, PROMPT, Book

CHANGES = "SELECT value FROM setting WHERE name = 'budget_changes'"


@pytest.fixture
def theirs(writer):
    """The budgets as another process has them."""
    return Budgets(writer, "UTC")


@pytest.fixture
def book(writer, run, feed, rollups):
    ours = Budgets(writer, "UTC")
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, budgets=ours.of, follow=ours.follow,
    )  # fmt: skip
    return Book(writer, ledger)


@pytest.fixture
def limit(theirs, book):
    return lambda cap: theirs.add(checked(project_id=book.project.id, name="Cap", cap=cap))


def test_a_new_one_limits_the_next_call(book, limit, ask):
    limit(HOLD)

    book.reserve()
    with pytest.raises(BudgetExceeded):
        book.reserve()

    assert ask("SELECT spent, reserved FROM budget_window") == [(0, HOLD)]


def test_a_change_and_a_removal_count_too(book, limit, theirs):
    id = limit(HOLD).id
    book.reserve()

    theirs.change(id, cap=2 * HOLD, hard=None, name=None, alerts=None)
    assert book.reserve().held[0].budget.cap == 2 * HOLD

    theirs.remove(id)
    assert book.reserve().held == ()


def test_a_new_one_is_foreseen(book, limit):
    limit(HOLD - 1)
    book.reserve(output=10)
    bound = Bound(CLOUD.price, PROMPT, 1, OUTPUT)

    with pytest.raises(BudgetExceeded):
        book.ledger.foresee(book.record(), Choice(model=CLOUD), bound)


def test_a_change_that_fails_is_none(book, limit, theirs, ask):
    made = limit(HOLD)
    before = ask(CHANGES)

    def refused(connection):
        raise BadRequest("no")

    with pytest.raises(BadRequest):
        theirs._change(refused)

    assert ask(CHANGES) == before == [("1",)]
    assert theirs.every() == [made]

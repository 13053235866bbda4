"""Budgets that are made, changed and removed while calls are under way."""

from __future__ import annotations

import gevent
import pytest

from larouter.core.chat import Usage
from larouter.core.errors import StorageDown
from larouter.store.budgets import Budgets, checked
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from tests.store.bills import COST, HOLD, MODELS, Book

WINDOWS = "SELECT spent, reserved, blocked FROM budget_window ORDER BY budget_id, start_ms"


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
    """A budget of the project."""

    def limit(cap, **fields):
        return budgets.add(checked(project_id=book.project.id, name="Cap", cap=cap, **fields))

    return limit


def test_a_budget_that_was_made_and_removed_meanwhile_holds_nothing(book, limit, budgets, ask):
    first = book.reserve()
    budgets.remove(limit(10 * HOLD).id)

    book.settle(first)

    assert ask(WINDOWS) == [(COST, 0, 0)]
    assert ask("SELECT spent FROM hold") == [(COST,)]


def test_a_budget_and_a_call_of_one_moment_know_of_each_other(book, limit, ask):
    both = [gevent.spawn(work) for work in (lambda: limit(10 * HOLD), lambda: book.reserve())]
    gevent.joinall(both, raise_error=True)

    assert ask(WINDOWS) == [(0, HOLD, 0)]


def test_what_was_let_pass_before_a_budget_could_refuse_it_does_not_block_it(book, limit, budgets):
    soft = limit(10 * HOLD, hard=False)
    first = book.reserve(output=None)
    tokens = limit(5_000, metric="tokens")
    budgets.change(soft.id, cap=None, hard=True, name=None, alerts=None)

    book.settle(first, usage=Usage(input=1_000, output=2_000))

    assert [place.is_blocked for place in budgets.standing([soft, tokens])] == [False, False]
    assert [place.spent for place in budgets.standing([soft, tokens])] == [21_250_000, 3_000]


@pytest.mark.sqlite  # each test has a file of its own there, to take a table from
def test_a_budget_that_cannot_be_written_limits_nothing(book, limit, budgets, writer):
    writer.run(lambda connection: connection.execute("DROP TABLE budget_window"))

    with pytest.raises(StorageDown):
        limit(10 * HOLD)

    assert budgets.of(book.project.id) == ()

"""What nobody knew, told later: charged as of then, and given back to the budgets."""

from dataclasses import replace
from decimal import Decimal

import pytest

from larouter.core.account import Outcome
from larouter.core.budget import Bound
from larouter.core.chat import Usage
from larouter.core.errors import Conflict, NotFound
from larouter.core.route import Choice
from larouter.store.budgets import Budgets, checked
from larouter.store.corrections import Corrected, resolve
from larouter.store.invariants import violations
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from tests.store.bills import (
    CLOUD,
    COST,
    HOLD,
    MODELS,
    OUTPUT,
    PROMPT,
    UNPRICED,
    USAGE,
    Book,
)

NOW = 1_800_000_000_000
ENTRIES = "SELECT kind, cost_nusd FROM ledger_entry ORDER BY id"


@pytest.fixture
def budgets(writer):
    return Budgets(writer, "UTC")


@pytest.fixture
def book(writer, run, feed, rollups, budgets):
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, budgets=budgets.of,
    )  # fmt: skip
    book = Book(writer, ledger)
    for metric in ("cost", "tokens", "requests"):
        budgets.add(
            checked(project_id=book.project.id, name=metric, cap=10**9, metric=metric, hard=False)
        )
    return book


@pytest.fixture
def tell(writer, rollups):
    def tell(attempt, usage):
        return writer.run(lambda connection: resolve(connection, rollups, attempt.id, usage, NOW))

    return tell


@pytest.mark.parametrize(
    ("usage", "state", "cost", "tokens"),
    [(USAGE, "settled", COST, USAGE.prompt + USAGE.output), (None, "released", 0, 0),
     (Usage(input=8_000, output=0), "settled", 10_000_000, 8_000)],
)  # fmt: skip
def test_it_is_charged_for_what_it_took(book, writer, tell, ask, usage, state, cost, tokens):
    attempt = book.bill(state="unknown", outcome={"status": 502})

    assert tell(attempt, usage) == Corrected(HOLD, cost)

    assert ask("SELECT state, cost_nusd FROM attempt") == [(state, cost)]
    assert ask(ENTRIES) == [("settle", HOLD), ("correct", cost - HOLD)]
    requests = int(usage is not None)
    spent = ask("SELECT spent FROM budget_window ORDER BY budget_id")
    assert spent == [(cost,), (tokens,), (requests,)]
    assert ask("SELECT sum(cost_nusd) FROM usage_day") == [(cost,)]
    assert writer.run(violations) == []


def test_a_budget_that_was_made_later_gets_it_back_too(book, budgets, writer, tell, ask):
    attempt = book.bill(state="unknown")
    answered = book.bill(state="unknown", outcome={"final": False})
    book.settle(book.reserve(record=answered.request))
    for metric in ("cost", "tokens", "requests"):
        budgets.add(checked(project_id=None, name=metric, cap=10**9, metric=metric))
    stand = "SELECT spent, reserved FROM budget_window WHERE budget_id > 3 ORDER BY budget_id"
    assert ask(stand) == [(2 * HOLD + COST, 0), (USAGE.prompt + USAGE.output, 0), (2, 0)]

    tell(attempt, None)
    tell(answered, USAGE)

    assert ask(stand) == [(2 * COST, 0), (2 * (USAGE.prompt + USAGE.output), 0), (1, 0)]
    assert writer.run(violations) == []


def test_it_is_charged_for_the_service_that_was_asked_for(book, writer, run, feed, rollups, tell):
    priority = replace(CLOUD, price=replace(CLOUD.price, services=(("priority", Decimal(2)),)))
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, [priority]), feed=feed,
        rollups=rollups,
    )  # fmt: skip
    bound = Bound(priority.price, PROMPT, 1, OUTPUT, "priority")
    attempt = ledger.reserve(book.record(), Choice(model=priority), bound)
    ledger.settle(attempt, Outcome(state="unknown"))

    assert tell(attempt, USAGE) == Corrected(2 * HOLD, 2 * COST)


def test_what_cost_just_that_needs_no_entry(book, tell, ask):
    attempt = book.bill(state="unknown", outcome={"status": 502})

    tell(attempt, Usage(input=4_000, output=400))

    assert ask(ENTRIES) == [("settle", HOLD)]


def test_an_unknown_price_stays_unknown_and_what_was_released_cost_nothing(book, writer, tell, ask):
    first, second = (book.bill(UNPRICED, "unknown", outcome={"status": 502}) for _ in range(2))

    assert tell(first, USAGE) == Corrected(None, None)
    assert tell(second, None) == Corrected(None, 0)

    assert ask("SELECT sum(unpriced) FROM usage_day") == [(1,)]
    assert writer.run(violations) == []


def test_only_what_is_unknown_is_told(book, tell):
    attempt = book.bill(state="unknown", outcome={"status": 502})
    tell(attempt, None)

    with pytest.raises(Conflict):
        tell(attempt, None)
    with pytest.raises(Conflict):
        tell(book.bill(), USAGE)


def test_nobody_s_attempt_is_not_found(writer, rollups):
    with pytest.raises(NotFound):
        writer.run(lambda connection: resolve(connection, rollups, 7, None, NOW))

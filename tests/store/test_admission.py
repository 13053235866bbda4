"""Budgets inside the ledger's own transactions: never over, and never a call that nobody paid."""

from __future__ import annotations

import random
from dataclasses import replace as changed
from decimal import Decimal

import gevent
import pytest
from msgspec.structs import replace

from larouter.core.budget import ALERTS, LEAST_OUTPUT, Bound
from larouter.core.catalog import Model, Price
from larouter.core.chat import Usage
from larouter.core.errors import BudgetExceeded, Unbounded
from larouter.core.route import Choice
from larouter.store.admission import place_of
from larouter.store.budgets import Budgets, checked
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.runs import Run
from tests.store.bills import (
    CLOUD,
    COST,
    HOLD,
    LOCAL,
    MODELS,
    OUTPUT,
    PROMPT,
    UNPRICED,
    USAGE,
    Book,
    ms,
)

WINDOWS = "SELECT spent, reserved, blocked FROM budget_window ORDER BY budget_id, start_ms"
ALERTED = "SELECT mark, spent, cap FROM alert ORDER BY id"


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
    """A budget of the project, or of the machine."""

    def limit(cap, *, machine=False, **fields):
        project = None if machine else book.project.id
        return budgets.add(checked(project_id=project, name="Cap", cap=cap, **fields))

    return limit


def test_a_call_holds_the_most_and_gives_back_the_rest(book, limit, ask):
    limit(10 * HOLD)

    attempt = book.reserve()
    assert ask(WINDOWS) == [(0, HOLD, 0)]
    assert attempt.max_output is None

    book.settle(attempt)
    assert ask(WINDOWS) == [(COST, 0, 0)]
    assert ask("SELECT amount, spent FROM hold") == [(HOLD, COST)]


def test_what_does_not_fit_is_refused_and_nothing_is_written(book, limit, ask):
    limit(HOLD)
    book.reserve()

    with pytest.raises(BudgetExceeded) as caught:
        book.reserve()

    error = caught.value
    assert (error.status, error.code, error.type) == (429, *["insufficient_quota"] * 2)
    assert error.message.startswith("The budget 'Cap' of $0.009 a month is used up: $0 spent, ")
    assert "$0.009 held by requests under way" in error.message
    assert "It renews at " in error.message
    assert ask("SELECT count(*) FROM request") == [(1,)]
    assert ask(WINDOWS) == [(0, HOLD, 0)]


def test_an_answer_is_shortened_to_what_is_left(book, limit):
    limit(HOLD - 100 * 10_000)

    assert book.reserve().max_output == 300


def test_an_answer_is_not_shortened_beyond_use(book, limit):
    limit(HOLD - (401 - LEAST_OUTPUT) * 10_000)

    with pytest.raises(BudgetExceeded) as caught:
        book.reserve()

    assert "has too little left" in caught.value.message
    assert "this one may take $0.00756" in caught.value.message


def test_every_budget_of_a_request_holds_or_none_does(book, limit, ask):
    limit(10 * HOLD)
    limit(HOLD - 300 * 10_000, machine=True)

    with pytest.raises(BudgetExceeded):
        book.reserve()

    assert ask(WINDOWS) == [(0, 0, 0), (0, 0, 0)]


def test_a_machines_budget_is_of_all_projects(book, limit, budgets):
    limit(HOLD, machine=True)
    other = book.add_project("other")

    book.reserve(project=other)

    with pytest.raises(BudgetExceeded) as caught:
        book.reserve()
    assert "for this whole machine has too little left." in caught.value.message
    assert "spent" not in caught.value.message
    assert budgets.of("prj_anybody") == budgets.of(other.id)


def test_a_projects_budget_is_no_others(book, limit):
    limit(0)

    book.reserve(project=book.add_project("other"))
    with pytest.raises(BudgetExceeded):
        book.reserve()


@pytest.mark.parametrize(
    ("scope", "of", "counts"),
    [("tier", "FRONTIER", True), ("tier", "SIMPLE", False), ("provider", "openai", True),
     ("provider", "google", False), ("model", CLOUD.key, True), ("model", LOCAL.key, False)],
)  # fmt: skip
def test_a_budget_counts_what_it_is_for(book, limit, ask, scope, of, counts):
    limit(10 * HOLD, scope=scope, of=of)

    book.bill()

    assert ask(WINDOWS) == [(COST if counts else 0, 0, 0)]


def test_a_soft_budget_refuses_nothing(book, limit, ask):
    limit(1, hard=False)

    assert book.bill().max_output is None
    assert ask(WINDOWS) == [(COST, 0, 0)]


def test_what_is_free_needs_no_money(book, limit):
    limit(0)

    book.bill(LOCAL)


def test_an_unknown_price_is_refused_where_money_is_counted(book, limit):
    limit(10**15)

    with pytest.raises(BudgetExceeded) as caught:
        book.reserve(UNPRICED)

    assert "Nobody knows what this model costs" in caught.value.message


def test_an_unknown_price_is_no_hindrance_to_a_soft_budget(book, limit, ask):
    limit(10**9, hard=False)

    book.bill(UNPRICED)

    assert ask(WINDOWS) == [(0, 0, 0)]


def test_tokens_are_counted_of_local_models_too(book, limit, ask):
    limit(5_000, metric="tokens")

    book.bill(LOCAL)

    assert ask(WINDOWS) == [(USAGE.prompt + USAGE.output, 0, 0)]
    with pytest.raises(BudgetExceeded) as caught:
        book.reserve(LOCAL)
    assert "of 5,000 tokens a month has too little left: 1,100 tokens spent" in caught.value.message


def test_requests_are_counted_once_for_all_their_attempts(book, limit, ask):
    limit(2, metric="requests")

    first = book.reserve()
    book.settle(first, "failed", status=502, final=False)
    book.settle(book.reserve(record=first.request))

    assert ask(WINDOWS) == [(1, 0, 0)]
    book.bill()
    with pytest.raises(BudgetExceeded) as caught:
        book.reserve()
    assert "of 2 requests a month is used up: 2 requests spent." in caught.value.message


@pytest.mark.parametrize(
    ("state", "spent"), [("released", 0), ("failed", 0), ("unknown", HOLD), ("estimated", COST)]
)
def test_a_budget_is_charged_as_the_ledger_is(book, limit, ask, state, spent):
    limit(10 * HOLD)

    book.bill(state=state)

    assert ask(WINDOWS) == [(spent, 0, 0)]
    assert ask("SELECT coalesce(sum(cost_nusd), 0) FROM ledger_entry") == [(spent,)]


def test_a_second_settlement_changes_no_budget(book, limit, ask):
    limit(10 * HOLD)
    attempt = book.bill()

    book.settle(attempt, usage=Usage(input=10**6))

    assert ask(WINDOWS) == [(COST, 0, 0)]


def test_a_call_that_cost_more_than_it_could_blocks_the_budget(book, limit, budgets, ask):
    budget = limit(100 * HOLD)

    attempt = book.reserve()
    book.settle(attempt, usage=Usage(input=10_000))

    assert ask(WINDOWS) == [(12_500_000, 0, 1)]
    assert ask("SELECT overrun FROM attempt") == [(1,)]
    assert ask(ALERTED) == [(0, 12_500_000, 100 * HOLD)]
    with pytest.raises(BudgetExceeded) as caught:
        book.reserve()
    assert f"larouter budgets resume {budget.id}" in caught.value.message
    budgets.resume(budget.id)
    book.bill()


def test_a_mark_is_told_once_a_period(book, limit, ask):
    limit(4 * COST, hard=False, alerts=(50, 80, 100))

    for _ in range(6):
        book.bill()

    assert [mark for mark, *_ in ask(ALERTED)] == [50, 80, 100]


def test_marks_that_one_call_passes_together_are_all_told(book, limit, ask):
    limit(COST, hard=False, alerts=ALERTS)

    book.bill()

    assert ask(ALERTED) == [(mark, COST, COST) for mark in ALERTS]


def test_a_new_period_begins_by_itself(writer, budgets, limit):
    budget = limit(10 * HOLD, period="daily")
    tomorrow = ms("2099-01-02T00:00:00+00:00")

    def at(moment):
        return writer.run(lambda connection: place_of(connection, budget, moment))

    assert at(tomorrow).start_ms == tomorrow
    # A clock that was set back opens no older period, nor a new one.
    assert at(tomorrow - 1) == at(tomorrow)


def test_a_move_to_another_zone_is_no_second_budget(writer, budgets, limit):
    here = limit(10 * HOLD, period="daily")
    there = replace(here, zone="Pacific/Honolulu")

    def at(budget, text):
        return writer.run(lambda connection: place_of(connection, budget, ms(text)))

    at(here, "2099-01-01T12:00:00+00:00")
    writer.run(lambda connection: connection.execute("UPDATE budget_window SET spent = 7"))

    moved = at(there, "2099-01-02T00:00:00+00:00")
    assert (moved.spent, moved.start_ms) == (7, ms("2099-01-01T10:00:00+00:00"))
    assert at(there, "2099-01-02T10:00:00+00:00").spent == 0


def test_a_call_that_was_under_way_counts_for_a_new_budget(book, limit, ask):
    first = book.reserve()

    limit(10 * HOLD)
    limit(10, metric="requests")
    assert ask(WINDOWS) == [(0, HOLD, 0), (0, 1, 0)]

    book.settle(first)
    assert ask(WINDOWS) == [(COST, 0, 0), (1, 0, 0)]


def test_a_budget_of_requests_shortens_no_answer(book, limit):
    limit(5, metric="requests")

    assert book.reserve(output=None).max_output is None


def test_a_dearer_service_holds_and_costs_more(book, limit, ask):
    model = changed(CLOUD, price=changed(CLOUD.price, services=(("priority", Decimal(2)),)))
    limit(10 * HOLD)
    bound = Bound(model.price, PROMPT, 1, OUTPUT, "priority")

    attempt = book.ledger.reserve(book.record(), Choice(model=model), bound)
    assert attempt.hold == 2 * HOLD
    assert book.settle(attempt) == 2 * COST

    unknown = Bound(model.price, PROMPT, 1, OUTPUT, "platinum")
    with pytest.raises(BudgetExceeded):
        book.ledger.reserve(book.record(), Choice(model=model), unknown)


SEARCHES = Bound(CLOUD.price, PROMPT, 1, OUTPUT, tool="web_search")


@pytest.mark.parametrize("metric", ["cost", "tokens"])
def test_a_tool_that_nobody_can_bound_needs_a_budget_that_only_tells(book, limit, ask, metric):
    budget = limit(10**15, metric=metric)

    with pytest.raises(Unbounded, match="web_search") as refused:
        book.ledger.reserve(book.record(), Choice(model=CLOUD), SEARCHES)

    assert f"larouter budgets change {budget.id} --soft" in refused.value.message
    assert (refused.value.status, refused.value.param) == (400, "tools")
    assert ask("SELECT count(*) FROM attempt") == [(0,)]


def test_a_budget_that_is_not_about_it_lets_such_a_tool_pass(book, limit):
    limit(10**15, hard=False)
    limit(10, metric="requests")

    assert book.ledger.reserve(book.record(), Choice(model=CLOUD), SEARCHES).hold == HOLD


def test_what_a_dead_process_held_is_charged(book, limit, writer, rollups, ask):
    limit(10 * HOLD)
    limit(10, metric="requests")
    book.reserve()
    book.bill()

    Run(writer, rollups).recover()

    assert ask(WINDOWS) == [(HOLD + COST, 0, 0), (2, 0, 0)]


PRICE = Price(input=Decimal(1), output=Decimal(2))
SMALL = Model(id="small", name="small", provider="cloud", price=PRICE)


@pytest.mark.parametrize("seed", range(20))
def test_parallel_requests_never_overspend_and_use_nearly_all(book, limit, ask, seed):
    """50 at once, each bound to 2 % of the budget (TRUST B4)."""
    prompt, output = 100_000, 400
    cap = 50 * (prompt * 1_000 + output * 2_000)
    limit(cap)
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated

    def ask_on():
        while True:
            try:
                attempt = book.reserve(SMALL, prompt=prompt, output=output)
            except BudgetExceeded:
                return
            gevent.sleep(chance.random() / 1_000)
            longest = attempt.max_output or output
            used = Usage(input=chance.randrange(prompt), output=chance.randrange(longest))
            book.settle(attempt, usage=used)

    gevent.joinall([gevent.spawn(ask_on) for _ in range(50)], raise_error=True)

    ((spent, reserved, blocked),) = ask(WINDOWS)
    assert (reserved, blocked) == (0, 0)
    assert 0.9 * cap <= spent <= cap
    assert ask("SELECT sum(cost_nusd) FROM ledger_entry") == [(spent,)]

"""An end that comes after others took its process for dead (TRUST B9, B10)."""

import pytest

from larouter.core.chat import Usage
from larouter.store.budgets import Budgets, checked
from larouter.store.corrections import resolve
from larouter.store.invariants import violations
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.rollups import differences
from larouter.store.runs import Run
from tests.store.bills import CLOUD, COST, HOLD, LOCAL, MODELS, UNPRICED, USAGE, Book

NOW = 1_800_000_000_000
ENTRIES = "SELECT kind, cost_nusd FROM ledger_entry ORDER BY id"
SPENT = "SELECT spent, reserved, blocked FROM budget_window ORDER BY budget_id"
SUMS = "SELECT sum(calls), sum(succeeded), sum(output), sum(cost_nusd) FROM usage_day"


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
        budgets.add(checked(project_id=book.project.id, name=metric, cap=10**9, metric=metric))
    return book


@pytest.fixture
def take_for_dead(writer, rollups, book):
    return lambda: Run(writer, rollups).recover()


@pytest.fixture(autouse=True)
def _adds_up(writer, rollups):
    yield
    assert writer.run(violations) == []
    assert writer.run(differences) == []


def test_it_is_charged_for_what_it_took(book, take_for_dead, ask):
    attempt = book.reserve()
    take_for_dead()

    assert book.settle(attempt, usage=USAGE, provider_id="chatcmpl-1") == COST

    assert ask("SELECT state, cost_nusd, provider_id, output FROM attempt") == [
        ("settled", COST, "chatcmpl-1", USAGE.output)
    ]
    assert ask("SELECT status, error FROM request") == [(200, None)]
    assert ask(ENTRIES) == [("settle", HOLD), ("correct", COST - HOLD)]
    assert ask(SPENT) == [(COST, 0, 0), (USAGE.prompt + USAGE.output, 0, 0), (1, 0, 0)]
    assert ask(SUMS) == [(1, 1, USAGE.output, COST)]


def test_only_the_first_time_changes_anything(book, take_for_dead, ask):
    attempt = book.reserve()
    take_for_dead()
    book.settle(attempt, usage=USAGE)

    book.settle(attempt, usage=Usage(output=9))

    assert ask(ENTRIES) == [("settle", HOLD), ("correct", COST - HOLD)]


@pytest.mark.parametrize(
    ("usage", "said"), [(Usage(input=4), [("settled", 5_000)]), (None, [("released", 0)])]
)
def test_what_somebody_has_said_meanwhile_stands(
    usage, said, book, take_for_dead, writer, rollups, ask
):
    attempt = book.reserve()
    take_for_dead()
    writer.run(lambda connection: resolve(connection, rollups, attempt.id, usage, NOW))

    book.settle(attempt, usage=USAGE)

    assert ask("SELECT state, cost_nusd FROM attempt") == said
    assert ask("SELECT status, error FROM request") == [(500, "server_stopped")]


def test_what_is_unknown_to_its_own_process_too_stays_charged(book, take_for_dead, ask):
    attempt = book.reserve()
    take_for_dead()

    book.settle(attempt, "unknown", status=502, error="upstream_error")

    assert ask(ENTRIES) == [("settle", HOLD)]
    assert ask("SELECT state FROM attempt") == [("unknown",)]


def test_what_its_own_process_could_not_know_is_not_settled_later(book, ask):
    attempt = book.bill(state="unknown", outcome={"status": 502})

    book.settle(attempt, usage=USAGE)

    assert ask("SELECT state, cost_nusd FROM attempt") == [("unknown", HOLD)]


def test_what_was_never_sent_is_given_back(book, take_for_dead, ask):
    attempt = book.reserve()
    take_for_dead()

    book.settle(attempt, "released", usage=Usage(), status=503, error="upstream_error")

    assert ask(ENTRIES) == [("settle", HOLD), ("correct", -HOLD)]
    assert ask(SPENT) == [(0, 0, 0)] * 3
    assert ask(SUMS) == [(1, 0, 0, 0)]


@pytest.mark.parametrize(("model", "cost"), [(LOCAL, 0), (UNPRICED, None)])
def test_what_costs_nothing_needs_no_entry(model, cost, book, budgets, take_for_dead, ask):
    for budget in budgets.every():
        budgets.remove(budget.id)
    attempt = book.reserve(model)
    take_for_dead()

    assert book.settle(attempt, usage=USAGE) == cost

    assert ask("SELECT state, cost_nusd FROM attempt") == [("settled", cost)]
    assert ask(ENTRIES) == []


def test_one_that_cost_more_than_it_held_stops_its_budgets(book, take_for_dead, ask):
    attempt = book.reserve(output=400)
    take_for_dead()

    book.settle(attempt, usage=Usage(output=9_000))

    assert ask("SELECT overrun FROM attempt") == [(1,)]
    assert [blocked for *_, blocked in ask(SPENT)] == [1, 1, 0]


def test_a_budget_made_meanwhile_counts_what_it_took(book, budgets, take_for_dead, ask):
    attempt = book.reserve()
    take_for_dead()
    budgets.add(checked(project_id=None, name="late", cap=10**9))

    book.settle(attempt, usage=USAGE)

    assert ask(SPENT)[-1] == (COST, 0, 0)


def test_a_request_that_goes_on_is_counted_once_where_it_ended(book, take_for_dead, ask):
    first = book.reserve(LOCAL)
    take_for_dead()
    book.settle(first, "failed", usage=Usage(), status=502, final=False)
    second = book.reserve(CLOUD, record=first.request)

    book.settle(second, usage=USAGE)

    assert ask("SELECT status, error, model FROM request") == [(200, None, CLOUD.key)]
    assert ask("SELECT model, calls, succeeded FROM usage_day ORDER BY model") == [
        (LOCAL.key, 0, 0), (CLOUD.key, 1, 1),
    ]  # fmt: skip


def test_a_request_that_is_refused_in_the_end_is_counted_once(book, take_for_dead, ask):
    attempt = book.reserve()
    take_for_dead()
    book.settle(attempt, "failed", usage=Usage(), status=502, final=False)

    book.ledger.refuse(attempt.request, 503, "provider_resting")

    assert ask("SELECT status, error FROM request") == [(500, "server_stopped")]
    assert ask(SUMS) == [(1, 0, 0, 0)]

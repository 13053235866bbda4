"""Clocks that jump: a budget is never spent twice, and never stuck for months (TRUST B12)."""

import pytest

from larouter.core.errors import BudgetExceeded
from larouter.store.admission import place_of
from larouter.store.budgets import Budgets, checked
from larouter.store.invariants import violations
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.rollups import differences
from tests.store.bills import COST, HOLD, MODELS, Book, ms


@pytest.fixture
def now():
    return [ms("2026-11-10T12:00:00+00:00")]


@pytest.fixture
def budgets(writer, now):
    return Budgets(writer, "UTC", clock=lambda: now[0])


@pytest.fixture
def book(writer, run, feed, rollups, budgets, now, monkeypatch):
    monkeypatch.setattr("larouter.store.ledger.now_ms", lambda: now[0])
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, budgets=budgets.of,
    )  # fmt: skip
    return Book(writer, ledger)


@pytest.fixture
def at(now):
    """Set the clock."""

    def at(text):
        now[0] = ms(f"{text}:00+00:00")

    return at


@pytest.fixture
def limit(book, budgets):
    def limit(cap, **fields):
        return budgets.add(checked(project_id=book.project.id, name="Cap", cap=cap, **fields))

    return limit


@pytest.fixture
def windows(ask):
    return lambda: ask(
        "SELECT start_ms, end_ms, spent, reserved FROM budget_window ORDER BY start_ms"
    )


@pytest.fixture
def right(writer):
    def right():
        assert writer.run(violations) == []
        assert writer.run(differences) == []

    return right


def test_a_clock_that_goes_back_a_day_opens_no_second_budget(book, limit, at, windows):
    at("2026-11-10T12:00")
    limit(HOLD + COST, period="daily")
    at("2026-11-11T12:00")
    book.bill()

    at("2026-11-10T12:00")
    book.bill()

    assert [row[2] for row in windows()] == [0, 2 * COST]
    with pytest.raises(BudgetExceeded) as caught:
        book.reserve(output=4_000)
    assert "It renews at 2026-11-12 00:00 (UTC)." in caught.value.message
    at("2026-11-12T00:00")
    book.bill()
    assert [row[2] for row in windows()] == [0, 2 * COST, COST]


def test_a_clock_that_was_months_ahead_holds_a_budget_back_for_two_periods_at_most(
    book, limit, at, windows, right
):
    limit(10 * HOLD, period="daily")
    book.bill()
    at("2027-06-03T08:00")
    book.bill()

    at("2026-11-10T13:00")
    book.bill()
    at("2026-11-11T23:59")
    book.bill()
    assert [row[2] for row in windows()] == [COST, 3 * COST]

    at("2026-11-12T00:00")
    book.bill()

    back = ms("2026-11-10T13:00:00+00:00")
    today, tomorrow = ms("2026-11-12T00:00:00+00:00"), ms("2026-11-13T00:00:00+00:00")
    assert windows()[1:] == [(back, today, 3 * COST, 0), (today, tomorrow, COST, 0)]
    right()
    # When that day really comes it is a day like any other.
    at("2027-06-03T08:00")
    book.bill()
    assert windows()[-1][2] == COST


def test_the_refusal_says_when_it_renews_and_not_the_day_of_the_wrong_clock(
    book, budgets, limit, at
):
    """A refusal writes nothing down; a server looks at all budgets every hour."""
    limit(HOLD, period="monthly")
    at("2027-06-03T08:00")
    book.reserve()
    at("2026-11-10T13:00")

    with pytest.raises(BudgetExceeded) as caught:
        book.reserve()

    assert "It renews at 2027-01-01 00:00 (UTC)." in caught.value.message
    budgets.standing(budgets.every())
    at("2027-01-01T00:00")
    book.reserve()


def test_several_days_of_a_wrong_clock_are_put_back_together(book, limit, at, windows, right):
    limit(10 * HOLD, period="daily")
    for day in (3, 4, 5):
        at(f"2027-06-0{day}T08:00")
        book.bill()
    at("2026-11-10T13:00")
    book.bill()
    at("2026-11-12T00:00")
    book.bill()

    assert [row[2] for row in windows()] == [0, COST, COST, 2 * COST, COST]
    assert windows()[-1][0] == ms("2026-11-12T00:00:00+00:00")
    assert all(row[0] < ms("2026-11-13T00:00:00+00:00") for row in windows())
    right()


def test_what_is_under_way_while_a_period_is_put_back_is_settled(book, limit, at, windows, right):
    limit(10 * HOLD, period="daily", alerts=(1,))
    at("2027-06-03T08:00")
    first = book.bill()
    waiting = book.reserve()
    at("2026-11-10T13:00")
    book.bill()
    at("2026-11-12T00:00")
    book.bill()

    book.settle(waiting)

    assert [row[2:] for row in windows()] == [(0, 0), (3 * COST, 0), (COST, 0)]
    assert first.held[0].start_ms == waiting.held[0].start_ms
    right()


def test_a_clock_that_is_right_again_goes_on_in_its_own_period(book, limit, at, windows):
    """It was wrong for an hour, and behind: nothing was reopened."""
    limit(10 * HOLD, period="monthly")
    book.bill()

    at("2026-01-01T00:00")
    book.bill()
    at("2026-11-10T14:00")
    book.bill()

    assert [row[2] for row in windows()] == [3 * COST]


def test_a_clock_that_flaps_counts_from_the_earliest_it_said(writer, budgets, limit, at, now):
    budget = limit(10 * HOLD, period="daily")

    def place():
        return writer.run(lambda connection: place_of(connection, budget, now[0]))

    at("2027-06-03T08:00")
    assert place().end_ms == ms("2027-06-04T00:00:00+00:00")
    at("2026-11-12T13:00")
    assert place().end_ms == ms("2026-11-14T00:00:00+00:00")
    at("2026-11-10T13:00")
    assert place().end_ms == ms("2026-11-12T00:00:00+00:00")
    at("2026-11-11T13:00")
    assert place().end_ms == ms("2026-11-12T00:00:00+00:00")


def test_a_start_that_is_taken_is_passed_over(book, limit, at, windows, writer, right):
    limit(10 * HOLD, period="daily")
    at("2027-06-03T08:00")
    book.bill()
    at("2026-11-10T00:00")
    book.bill()

    at("2026-11-12T00:00")
    book.bill()

    assert [row[2] for row in windows()] == [0, 2 * COST, COST]
    assert windows()[1][0] == windows()[0][0] + 1
    right()


def test_a_budget_in_all_has_no_period_to_renew(book, limit, at, windows):
    limit(10 * HOLD, period="total")
    at("2027-06-03T08:00")
    book.bill()
    at("2026-11-10T13:00")
    book.bill()

    assert [row[2] for row in windows()] == [2 * COST]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        # 25 hours, then 24; 23 hours, then 24; a change at midnight; half an hour.
        ("Europe/Berlin", ("2026-10-24T22:00", "2026-10-25T23:00", "2026-10-26T23:00")),
        ("Europe/Berlin", ("2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30T22:00")),
        ("America/New_York", ("2026-11-01T04:00", "2026-11-02T05:00", "2026-11-03T05:00")),
        ("America/New_York", ("2026-03-08T05:00", "2026-03-09T04:00", "2026-03-10T04:00")),
        ("Africa/Cairo", ("2026-04-23T22:00", "2026-04-24T21:00", "2026-04-25T21:00")),
        ("Australia/Lord_Howe", ("2026-04-04T13:00", "2026-04-05T13:30", "2026-04-06T13:30")),
    ],
)
def test_days_around_a_change_of_the_clocks_have_a_budget_each(
    zone, days, writer, run, feed, rollups, now, monkeypatch, at, windows, right
):
    """Through the ledger: the last minute of one day and the first of the next."""
    monkeypatch.setattr("larouter.store.ledger.now_ms", lambda: now[0])
    at(days[0])
    budgets = Budgets(writer, zone, clock=lambda: now[0])
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, budgets=budgets.of,
    )  # fmt: skip
    book = Book(writer, ledger)
    budgets.add(checked(project_id=book.project.id, name="Cap", cap=HOLD, period="daily"))

    for day in days[1:]:
        book.bill()
        at(day)
        now[0] -= 1
        with pytest.raises(BudgetExceeded):
            book.reserve(output=4_000, prompt=8_000)
        now[0] += 1

    book.bill()
    starts = [ms(f"{day}:00+00:00") for day in days]
    assert [row[0] for row in windows()] == starts
    assert [row[1] for row in windows()][:2] == starts[1:]
    assert [row[2] for row in windows()] == [COST] * 3
    right()

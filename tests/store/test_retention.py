"""What is old goes, what it came to stays to the nano-dollar, and the books add up (TRUST S11)."""

import time
from dataclasses import replace

import pytest

from larouter.core.chat import Usage
from larouter.store.bookkeeping import Bookkeeping
from larouter.store.budgets import Budgets, checked
from larouter.store.invariants import violations
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.responses import Responses
from larouter.store.retention import DAY_MS, LONGEST_S, Retention
from larouter.store.rollups import differences
from larouter.store.usage import Wanted
from tests.store.bills import CLOUD, COST, HOLD, LOCAL, MODELS, NOON, UNPRICED, USAGE, Book

SUMS = (
    "SELECT * FROM usage_quarter ORDER BY 1,2,3,4,5",
    "SELECT * FROM usage_day ORDER BY 1,2,3,4,5",
)
WINDOWS = "SELECT budget_id, start_ms, spent, reserved FROM budget_window ORDER BY 1, 2"


@pytest.fixture
def budgets(writer):
    return Budgets(writer, "UTC", clock=lambda: NOON)


@pytest.fixture
def book(writer, run, feed, rollups, budgets):
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, budgets=budgets.of,
    )  # fmt: skip
    return Book(writer, ledger)


@pytest.fixture
def retention(writer):
    return Retention(writer, 90, clock=lambda: NOON)


@pytest.fixture
def right(writer):
    """Do the books add up, and are the sums those of the requests?"""

    def right():
        assert writer.run(violations) == []
        assert writer.run(differences) == []

    return right


def old(days):
    return NOON - days * DAY_MS


@pytest.fixture
def history(bill, book):
    """Requests of 120 days, of three models, some failed, some without a price."""
    for days in range(117, -1, -3):
        bill([CLOUD, LOCAL, UNPRICED][days % 9 // 3], at=old(days))
        bill(at=old(days), state="failed", outcome={"status": 502})
        bill(at=old(days), project=replace(book.project, bearer_id="brr_1"))


def test_what_is_old_goes_and_its_sums_stay(history, retention, ask, right, reports):
    before = [ask(sql) for sql in SUMS], reports.usage(Wanted())
    requests = ask("SELECT count(*) FROM request")[0][0]

    gone = retention.purge(90)

    assert (gone.requests, gone.responses, gone.is_done) == (29 // 3 * 3, 0, True)
    assert ask("SELECT count(*) FROM request") == [(requests - gone.requests,)]
    assert ask("SELECT min(started_ms) FROM request")[0][0] >= old(90)
    for table in ("ledger_entry", "hold"):
        assert ask(
            f"SELECT count(*) FROM {table} WHERE attempt_id NOT IN (SELECT id FROM attempt)"  # noqa: S608
        ) == [(0,)]
    assert ([ask(sql) for sql in SUMS], reports.usage(Wanted())) == before
    right()


def test_sums_are_made_anew_without_losing_what_is_older(history, retention, writer, rollups, ask):
    before = [ask(sql) for sql in SUMS]
    retention.purge(60)

    assert Bookkeeping(writer, rollups).recount() == []

    assert [ask(sql) for sql in SUMS] == before


def test_when_all_is_gone_the_sums_stay(history, retention, writer, rollups, ask, right):
    before = [ask(sql) for sql in SUMS]
    Retention(writer, None, clock=lambda: NOON + 2 * DAY_MS).purge(1)

    assert ask("SELECT count(*) FROM request") == [(0,)]
    assert Bookkeeping(writer, rollups).recount() == []
    assert [ask(sql) for sql in SUMS] == before
    right()


def test_a_longer_time_does_not_bring_back_what_went(history, retention, writer, rollups, ask):
    retention.purge(30)
    before = [ask(sql) for sql in SUMS]

    assert retention.purge(90).requests == 0

    assert Bookkeeping(writer, rollups).recount() == []
    assert [ask(sql) for sql in SUMS] == before


def test_what_nobody_knows_yet_stays_and_can_be_told(bill, retention, writer, rollups, ask, right):
    unknown = bill(at=old(100), state="unknown", outcome={"status": 502})
    bill(at=old(100))
    bill()

    assert retention.purge(90).requests == 1
    assert ask("SELECT id FROM attempt ORDER BY id LIMIT 1") == [(unknown.id,)]
    right()

    Bookkeeping(writer, rollups).resolve(unknown.id, Usage(input=1000, output=100))

    right()
    assert ask("SELECT sum(cost_nusd) FROM usage_day") == [(3 * COST,)]
    assert Bookkeeping(writer, rollups).recount() == []
    assert ask("SELECT sum(cost_nusd) FROM usage_day") == [(3 * COST,)]
    assert retention.purge(90).requests == 1


def test_what_is_under_way_stays(book, move, retention, ask):
    attempt = book.reserve()
    move(attempt, old(100))

    assert retention.purge(90).requests == 0
    assert ask("SELECT count(*) FROM attempt") == [(1,)]


@pytest.mark.parametrize("period", ["daily", "monthly", "total"])
def test_a_budget_has_spent_what_it_had_spent(
    period, book, bill, budgets, retention, ask, right, writer
):
    for metric in ("cost", "tokens", "requests"):
        budgets.add(
            checked(project_id=book.project.id, name="x", cap=10**12, metric=metric, period=period)
        )
    for _ in range(3):
        bill(at=old(100))
    bill(at=old(1))
    waiting = book.reserve()
    before = ask(WINDOWS)
    assert before

    assert retention.purge(90).requests == 3

    assert ask(WINDOWS) == before
    right()
    book.settle(waiting)
    right()
    assert ask("SELECT sum(spent) FROM budget_window WHERE budget_id = 1") == [(5 * COST,)]


def test_periods_and_alerts_that_are_over_go_but_for_the_last(
    book, budgets, retention, writer, ask
):
    budget = budgets.add(checked(project_id=book.project.id, name="x", cap=1, period="daily"))
    other = budgets.add(checked(project_id=book.project.id, name="y", cap=1, period="daily"))

    def job(connection):
        connection.execute("DELETE FROM budget_window")
        for id, days in ((budget.id, 200), (budget.id, 100), (budget.id, 3), (other.id, 150)):
            connection.execute(
                "INSERT INTO budget_window VALUES (?,?,?,0,0,0,0)",
                (id, old(days), old(days) + DAY_MS),
            )
            connection.execute(
                "INSERT INTO alert (budget_id, start_ms, mark, spent, cap, created_ms) "
                "VALUES (?,?,50,1,1,?)",
                (id, old(days), old(days)),
            )

    writer.run(job)

    retention.purge(90)

    left = [(budget.id, old(3)), (other.id, old(150))]
    assert ask("SELECT budget_id, start_ms FROM budget_window ORDER BY 1, 2") == left
    assert ask("SELECT budget_id, start_ms FROM alert ORDER BY 1, 2") == left


@pytest.mark.parametrize(
    ("scope", "of", "cost"),
    [("all", "", 3 * COST), ("provider", "openai", 3 * COST), ("model", CLOUD.key, 3 * COST),
     ("tier", "FRONTIER", 3 * COST), ("tier", "SIMPLE", 0), ("model", LOCAL.key, 0)],
)  # fmt: skip
def test_a_new_budget_counts_what_is_not_kept_any_more(
    scope, of, cost, book, bill, budgets, retention, ask
):
    for days in (100, 95, 1):
        bill(at=old(days))
    bill(at=old(100), state="unknown", outcome={"status": 502}, project=book.add_project("other"))
    retention.purge(90)
    tokens = cost // COST * (USAGE.prompt + USAGE.output)

    for metric, spent in (("cost", cost), ("tokens", tokens), ("requests", cost // COST)):
        budget = budgets.add(
            checked(project_id=book.project.id, name="x", cap=10**12, metric=metric,
                    period="total", scope=scope, of=of)
        )  # fmt: skip
        (row,) = ask("SELECT opening, spent FROM budget_window WHERE budget_id = ?", budget.id)
        assert row == (spent, spent)


def test_a_new_budget_counts_what_nobody_knows_once(book, bill, budgets, retention, ask):
    bill(at=old(100), state="unknown", outcome={"status": 502})
    bill(at=old(100))
    retention.purge(90)

    budgets.add(checked(project_id=None, name="x", cap=10**12, period="total"))

    assert ask("SELECT spent FROM budget_window") == [(HOLD + COST,)]


def test_stored_responses_go_too(book, writer, retention):
    clock = [old(20)]
    responses = Responses(writer, clock=lambda: clock[0])
    for number in range(60):
        responses.save(
            book.project.id, {"id": f"resp_{number}", "output": []}, [{"content": "hi"}], None
        )
    clock[0] = old(2)
    responses.save(book.project.id, {"id": "resp_new", "output": []}, [{"content": "hi"}], None)

    assert retention.purge(10).responses == 60

    assert responses.count() == 1
    assert writer.run(
        lambda connection: connection.execute("SELECT count(*) FROM response_item").fetchone()
    ) == (1,)


def test_a_purge_that_takes_long_goes_on_another_time(history, retention, ask):
    requests = ask("SELECT count(*) FROM request")[0][0]

    gone = retention.purge(1, within_s=0)

    assert (gone.requests, gone.is_done) == (0, False)
    assert ask("SELECT count(*) FROM request") == [(requests,)]
    assert retention.purge(1).is_done


def test_others_have_their_turn(book, move, rollups, writer, ask):
    """Each transaction is short, however much there is (TRUST B16)."""
    for _ in range(20):
        book.bill()

    def multiply(connection):
        for table, columns in (
            ("request", "project_id, rid, asked, tier, stage, score, reason, stream, started_ms, "
             "ended_ms, status, error, model, degraded, bearer_id, baseline_nusd, numbers"),
        ):  # fmt: skip
            connection.execute(
                f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "  # noqa: S608
                f"INSERT INTO {table} (id, {columns}) "
                f"SELECT id || '_' || i, {columns} FROM {table} CROSS JOIN n"
            )

    writer.run(multiply)
    took: list[float] = []
    began = [time.monotonic()]

    def pause():
        took.append(time.monotonic() - began[0])
        began[0] = time.monotonic()

    gone = Retention(writer, 90, clock=lambda: book.record().started_ms + 2 * DAY_MS).purge(
        1, pause=pause
    )

    assert gone.requests == 20 * 501
    assert len(took) > 3
    assert sorted(took)[len(took) // 2] < 3 * LONGEST_S

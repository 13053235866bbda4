"""Alerts as they are read: the newest first, each with how it stands now."""

import pytest

from larouter.store.alerts import Alerts
from tests.store.bills import COST
from tests.store.limits import book, budgets, limit

__all__ = ["book", "budgets", "limit"]


@pytest.fixture
def alerts(writer):
    return Alerts(writer, clock=lambda: 99)


def test_alerts_come_the_newest_first_with_how_they_stand(book, limit, alerts, budgets, reports):
    limit(4 * COST, name="Mine", alerts=(50, 80))
    limit(COST, project=None, name="All", period="total")
    for _ in range(3):
        book.bill()
    alerts.see([1])
    budgets.change(1, cap=8 * COST, hard=None, name=None, alerts=None)

    every = reports.alerts()
    assert [(row.id, row.project, row.budget, row.mark) for row in every] == [
        (2, "notes", "Mine", 50), (1, None, "All", 50),
    ]  # fmt: skip
    mine, machine = every
    assert (mine.spent, mine.cap, mine.spent_now, mine.cap_now) == (
        2 * COST, 4 * COST, 3 * COST, 8 * COST,
    )  # fmt: skip
    assert mine.renews_ms > mine.start_ms
    assert (machine.renews_ms, machine.period, machine.metric) == (None, "total", "cost")
    assert [row.id for row in reports.alerts(unseen=True)] == [2]
    assert [row.id for row in reports.alerts(book.project.id)] == [2]
    assert reports.alerts("prj_other") == []
    assert [row.id for row in reports.alerts(limit=1)] == [2]


def test_an_alert_without_a_budget_is_of_its_project(book, writer, reports):
    writer.run(
        lambda connection: connection.executemany(
            "INSERT INTO alert (start_ms, mark, spent, cap, created_ms, of_project) "
            "VALUES (0,0,5,1,?,?)",
            [(1, ""), (2, book.project.id)],
        )
    )

    mine, machine = reports.alerts()
    assert (mine.project, mine.budget_id, machine.project) == ("notes", None, None)
    assert reports.alerts(book.project.id) == [mine]

"""Budgets as rows: made, changed, removed, and counted from the period's beginning."""

import pytest

from larouter.core.budget import ALERTS, METRICS, SCOPES
from larouter.core.errors import BadRequest, NotFound
from larouter.store.budgets import (
    MOST_BUDGETS,
    Budgets,
    checked,
    checked_alerts,
    checked_cap,
    checked_name,
)
from larouter.store.projects import Projects
from tests.store.bills import CLOUD, COST, LOCAL, NOON, USAGE, ms

DAY = 86_400_000


@pytest.fixture
def budgets(writer, clock):
    return Budgets(writer, "UTC", clock=lambda: int(clock[0] * 1000))


def a_budget(project_id=None, **fields):
    return checked(project_id=project_id, **{"name": "Cap", "cap": 10**9, **fields})


def test_a_budget_is_kept(writer, book, budgets):
    made = budgets.add(
        a_budget(book.project.id, metric="tokens", period="weekly", scope="provider", of="openai",
                 hard=False, alerts=(90, 10, 90))
    )  # fmt: skip

    assert Budgets(writer, "UTC").get(made.id) == made
    assert (made.alerts, made.hard, made.zone) == ((10, 90), False, "UTC")


def test_a_machines_budgets_come_with_those_of_each_project(book, budgets):
    first = budgets.add(a_budget(book.project.id))
    machine = budgets.add(a_budget())
    last = budgets.add(a_budget(book.project.id))

    assert budgets.of(book.project.id) == (first, machine, last)
    assert budgets.of("prj_other") == (machine,)
    assert budgets.every() == [first, machine, last]
    assert budgets.every(book.project.id) == [first, last]


def test_a_projects_zone_is_its_budgets(writer, book):
    projects, budgets = Projects(writer), Budgets(writer, "Europe/Berlin")
    project, _ = projects.create("far")
    made = budgets.add(a_budget(project.id))
    assert made.zone == "Europe/Berlin"

    projects.update(project.id, zone="Asia/Tokyo")
    budgets.reload()

    assert budgets.get(made.id).zone == "Asia/Tokyo"
    assert budgets.add(a_budget(project.id)).zone == "Asia/Tokyo"
    assert projects.update(project.id, zone="default").zone is None


@pytest.mark.parametrize(
    ("fields", "spent"),
    [
        ({}, 3 * COST),
        ({"metric": "tokens"}, 4 * (USAGE.prompt + USAGE.output)),
        ({"metric": "requests"}, 4),
        ({"scope": "provider", "of": "local", "metric": "requests"}, 1),
        ({"scope": "model", "of": CLOUD.key}, 3 * COST),
        ({"scope": "tier", "of": "SIMPLE"}, COST),
        ({"period": "daily"}, 2 * COST),
    ],
)
def test_what_was_spent_before_counts(bill, budgets, fields, spent):
    bill(at=NOON - DAY)
    bill(tier="SIMPLE")
    bill()
    bill(LOCAL)
    bill(state="failed")

    made = budgets.add(a_budget(**fields))

    assert budgets.standing([made])[0].spent == spent


def test_what_others_spent_does_not_count(book, bill, budgets):
    bill(project=book.add_project("other"))
    bill(at=ms("2026-10-31T23:59:59+00:00"))

    assert budgets.standing([budgets.add(a_budget(book.project.id))])[0].spent == 0


def test_a_change_keeps_what_is_spent(book, bill, budgets):
    bill()
    made = budgets.add(a_budget())

    changed = budgets.change(made.id, cap=5, hard=False, name="Less", alerts=())

    assert (changed.cap, changed.hard, changed.name, changed.alerts) == (5, False, "Less", ())
    assert budgets.standing([changed])[0].spent == COST
    assert budgets.standing([changed])[0].rest == 0
    assert budgets.change(made.id, cap=None, hard=None, name=None, alerts=None) == changed


def test_a_removed_budget_limits_nothing(book, budgets):
    made = budgets.add(a_budget(cap=0))

    budgets.remove(made.id)

    book.bill()
    assert budgets.of(book.project.id) == ()
    for act in (budgets.get, budgets.remove, budgets.resume):
        with pytest.raises(NotFound):
            act(made.id)


def test_a_period_that_is_over_stands_at_nothing(bill, budgets, clock):
    bill()
    made = budgets.add(a_budget(period="daily"))

    clock[0] += 86_400

    assert budgets.standing([made])[0].spent == 0


def test_a_project_has_so_many_budgets_at_most(book, budgets):
    for _ in range(MOST_BUDGETS):
        budgets.add(a_budget(book.project.id))

    with pytest.raises(BadRequest):
        budgets.add(a_budget(book.project.id))
    budgets.add(a_budget())


@pytest.mark.parametrize(
    ("field", "value"),
    [("metric", "euros"), ("period", "hourly"), ("scope", "user"), ("of", "openai"),
     ("name", " "), ("name", "x" * 101), ("cap", -1), ("cap", 10**15 + 1), ("alerts", (0,)),
     ("alerts", tuple(range(1, 12)))],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_field(field, value):
    with pytest.raises(BadRequest) as caught:
        a_budget(**{field: value})

    assert caught.value.param == field


def test_what_makes_sense():
    assert [checked_name(" a "), checked_cap(0), checked_alerts(ALERTS)] == ["a", 0, ALERTS]
    for scope in SCOPES[1:]:
        for metric in METRICS:
            assert a_budget(scope=scope, of="x", metric=metric).of == "x"
        with pytest.raises(BadRequest):
            a_budget(scope=scope)

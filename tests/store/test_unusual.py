"""Who is told that more is spent than is usual: once for each project and day."""

import json
from itertools import pairwise

import pytest

from larouter.core.unusual import QUARTER_MS
from larouter.store.unusual import UnusualSpend
from tests.store.bills import NOON
from tests.store.limits import webhooks

__all__ = ["webhooks"]

DAY = 24 * 4 * QUARTER_MS
DOLLAR = 10**9
ALERTS = "SELECT of_project, start_ms, spent, cap FROM alert ORDER BY id"


@pytest.fixture
def now():
    return [NOON + 50 * 60_000]


@pytest.fixture
def spend(writer):
    """Dollars of a project in the quarter of an hour at some moment."""

    def spend(project, at, dollars):
        writer.run(
            lambda connection: connection.execute(
                "INSERT INTO usage_quarter (project_id, start_ms, tier, model, bearer_id, calls, "
                "succeeded, prompt, cached, output, cost_nusd, unpriced, baseline_nusd) "
                "VALUES (?,?,'SIMPLE','openai/big','',1,1,0,0,0,?,0,0)",
                (project, at - at % QUARTER_MS, int(dollars * DOLLAR)),
            )
        )

    return spend


@pytest.fixture
def weeks(spend):
    """Two weeks of a project that spends so much every noon."""

    def weeks(project, dollars):
        for back in range(1, 15):
            spend(project, NOON - back * DAY, dollars)

    return weeks


@pytest.fixture
def unusual(writer, reports, now):
    reads = []

    def read(projects, since):
        reads.append(since)
        return reports.spending(projects, since)

    watch = UnusualSpend(
        writer,
        projects=lambda: ["prj_notes", "prj_site"],
        zone_of=lambda project_id: "UTC",
        read=read,
        clock=lambda: now[0],
    )
    watch.reads = reads  # type: ignore[attr-defined]
    return watch


def test_a_project_is_told_of_once_a_day(book, weeks, spend, unusual, webhooks, now, ask):
    webhooks.add(None, "https://example.com/all")
    webhooks.add(book.project.id, "https://example.com/mine")
    weeks("prj_notes", 1)
    spend("prj_notes", NOON, 5.5)

    assert unusual.look() == 1
    assert unusual.look() == 0

    assert ask(ALERTS) == [
        ("prj_notes", NOON - NOON % DAY, int(5.5 * DOLLAR), 5 * DOLLAR),
    ]  # fmt: skip
    bodies = [json.loads(body) for (body,) in ask("SELECT body FROM webhook_delivery ORDER BY id")]
    assert len(bodies) == 2
    assert all(one == other for one, other in pairwise(bodies))
    assert bodies[0]["type"] == "spend.unusual"
    assert bodies[0]["data"] == {
        "alert_id": 1, "project": "notes", "metric": "cost", "period": "hourly",
        "spent": "5.5", "spentNusd": int(5.5 * DOLLAR), "cap": "5", "capNusd": 5 * DOLLAR,
        "starts_ms": now[0] - 4 * QUARTER_MS, "renews_ms": None,
    }  # fmt: skip

    now[0] += DAY
    spend("prj_notes", NOON + DAY, 5.5)
    assert unusual.look() == 1


def test_a_project_without_history_is_left_alone(book, spend, unusual, ask):
    spend("prj_notes", NOON, 500)

    assert unusual.look() == 0
    assert ask(ALERTS) == []


def test_weeks_are_read_only_when_an_hour_was_dear(book, weeks, spend, unusual):
    weeks("prj_notes", 0.01)
    spend("prj_notes", NOON, 0.9)

    assert unusual.look() == 0
    assert len(unusual.reads) == 1


def test_the_machine_is_told_of_when_no_project_is_unusual_by_itself(
    book, weeks, spend, unusual, webhooks, ask
):
    book.add_project("site")
    webhooks.add(book.project.id, "https://example.com/mine")
    everything, _ = webhooks.add(None, "https://example.com/all")
    weeks("prj_notes", 0.1)
    weeks("prj_site", 0.1)
    spend("prj_notes", NOON, 0.99)
    spend("prj_site", NOON, 0.99)

    assert unusual.look() == 1

    assert ask(ALERTS) == [("", NOON - NOON % DAY, int(1.98 * DOLLAR), DOLLAR)]
    ((webhook, body),) = ask("SELECT webhook_id, body FROM webhook_delivery")
    assert (webhook, json.loads(body)["data"]["project"]) == (everything, "machine")


def test_one_project_and_the_machine_are_not_both_told_of(book, weeks, spend, unusual, ask):
    weeks("prj_notes", 1)
    spend("prj_notes", NOON, 50)

    assert unusual.look() == 1
    assert unusual.look() == 0
    assert [owner for owner, *_ in ask(ALERTS)] == ["prj_notes"]

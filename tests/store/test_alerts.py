"""Alerts: once for each mark and period, with their letters in one transaction."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.store.alerts import TOLD_WITHIN_MS, Alerts
from larouter.store.rollups import Rollups
from larouter.store.runs import Run
from tests.store.bills import COST, HOLD
from tests.store.limits import OUTBOX, book, budgets, limit, now, webhooks

__all__ = ["book", "budgets", "limit", "now", "webhooks"]

URL = "https://example.com/hook"
BODIES = "SELECT body FROM webhook_delivery ORDER BY id"


def letters(ask):
    return [json.loads(body) for (body,) in ask(BODIES)]


def test_an_alert_says_what_happened_in_exact_figures(book, limit, webhooks, ask):
    webhooks.add(None, URL)
    limit(2 * COST, period="total", hard=True, name="Claude")
    limit(2 * COST, period="daily")

    book.bill(outcome={"usage": Usage(input=400, output=1)}, output=10, prompt=500)
    book.bill(outcome={"usage": Usage(input=1000, output=100)}, output=100, prompt=1000)

    first, second = letters(ask)
    assert first["type"] == "budget.threshold"
    assert first["timestamp"].endswith("Z")
    data = first["data"]
    assert data == {
        "alert_id": 1, "project": "notes", "budget": {"id": 1, "name": "Claude"},
        "metric": "cost", "period": "total", "hard": True, "percent": 50,
        "spent": "0.00276", "spentNusd": 2_760_000, "cap": "0.0045", "capNusd": 2 * COST,
        "starts_ms": 0, "renews_ms": None,
    }  # fmt: skip
    assert second["data"]["renews_ms"] - second["data"]["starts_ms"] == 86_400_000


def test_what_is_counted_is_told_as_it_is(book, limit, webhooks, ask):
    webhooks.add(None, URL)
    limit(2, metric="requests")

    book.bill()

    (letter,) = letters(ask)
    assert (letter["data"]["spent"], letter["data"]["cap"]) == (1, 2)
    assert "spentNusd" not in letter["data"]


def test_a_call_that_cost_more_than_it_could_is_told_of_as_blocking(book, limit, webhooks, ask):
    webhooks.add(None, URL)
    limit(100 * HOLD, hard=True, alerts=())

    book.bill(outcome={"usage": Usage(input=10_000)})

    (letter,) = letters(ask)
    assert (letter["type"], letter["data"]["percent"]) == ("budget.blocked", None)


def test_a_mark_is_told_once_a_period_however_many_calls_pass(book, limit, webhooks, ask):
    webhooks.add(None, URL)
    limit(4 * COST, alerts=(50, 80, 100))

    for _ in range(6):
        book.bill()

    assert [letter["data"]["percent"] for letter in letters(ask)] == [50, 80, 100]
    assert len({event for (event,) in ask("SELECT event FROM webhook_delivery")}) == 3


def test_a_project_s_webhook_hears_of_nothing_else(book, limit, webhooks, ask):
    other = book.add_project("secret")
    mine, _ = webhooks.add(book.project.id, URL)
    theirs, _ = webhooks.add(other.id, URL)
    everything, _ = webhooks.add(None, URL)
    limit(COST)
    limit(COST, project=None, name="All of it")
    limit(COST, project=other.id, name="Hidden")

    book.bill()
    book.bill(project=other)

    heard: dict[int, list[str]] = {id: [] for id in (mine, theirs, everything)}
    for webhook, body in ask("SELECT webhook_id, body FROM webhook_delivery ORDER BY id"):
        heard[webhook].append(json.loads(body)["data"]["budget"]["name"])
    assert heard == {mine: ["Cap"], theirs: ["Hidden"], everything: ["Cap", "All of it", "Hidden"]}
    assert "secret" not in "".join(
        body for (body,) in ask("SELECT body FROM webhook_delivery WHERE webhook_id=?", mine)
    )


def test_no_webhook_no_letter(book, limit, webhooks, ask):
    gone, _ = webhooks.add(None, URL)
    webhooks.remove(gone)
    limit(COST)

    book.bill()

    assert ask("SELECT count(*) FROM alert") == [(1,)]
    assert ask(OUTBOX) == []


def test_a_settlement_that_is_rolled_back_leaves_no_letter(book, limit, webhooks, writer, ask):
    """One letter for one alert, both or neither (TRUST B3): the transaction is the settlement's."""
    webhooks.add(None, URL)
    limit(COST)
    attempt = book.reserve()

    class Full(Rollups):
        def flush(self, connection):
            connection.execute("INSERT INTO nowhere VALUES (1)")

    good, writer.batch = writer.batch, Full(lambda project_id: "UTC")
    with pytest.raises(Exception, match="cannot write to its database"):
        book.settle(attempt)
    assert ask("SELECT count(*) FROM alert") == ask("SELECT count(*) FROM webhook_delivery")
    assert ask(OUTBOX) == []

    writer.batch = good
    book.settle(attempt)
    assert ask("SELECT count(*) FROM alert") == [(1,)]
    assert ask(OUTBOX) == [(1, "waiting")]


def test_what_a_dead_process_left_open_may_pass_a_mark_too(book, limit, webhooks, writer, ask):
    """It is charged at what it held (TRUST B9), and nobody settles it."""
    webhooks.add(None, URL)
    limit(2 * HOLD, alerts=(50, 80))
    book.reserve()

    later = Run(writer, writer.batch)
    later.recover()
    later.recover()

    assert ask("SELECT mark, spent FROM alert") == [(50, HOLD)]
    assert len(letters(ask)) == 1


# Seen.


@pytest.fixture
def alerts(writer):
    return Alerts(writer, clock=lambda: 99)


def seen(ask):
    return [id for (id,) in ask("SELECT id FROM alert WHERE seen_ms = 99 ORDER BY id")]


def test_who_sees_a_mark_has_seen_the_lower_ones(book, limit, alerts, ask):
    limit(COST, alerts=(50, 80, 100))
    limit(COST, project=None, alerts=(50, 80))
    book.bill()
    assert ask("SELECT count(*) FROM alert") == [(5,)]

    assert alerts.see([2]) == 2
    assert seen(ask) == [1, 2]
    assert alerts.see([2, 3, 77]) == 1
    assert seen(ask) == [1, 2, 3]


def test_all_are_those_that_could_be_seen(book, limit, alerts, ask):
    limit(COST, alerts=(50, 80, 100))
    book.bill()

    assert alerts.see_all(2) == 2
    assert seen(ask) == [1, 2]


# Told.


def test_each_alert_is_told_by_one_process_once(book, limit, writer):
    one, other = (Alerts(writer) for _ in range(2))
    limit(COST, alerts=(50, 80))
    book.bill()

    assert one.claim_new() == [1, 2]
    assert other.claim_new() == []
    limit(4 * COST, project=None)
    book.bill()
    assert other.claim_new() == [3]
    assert one.claim_new() == []
    assert Alerts(writer).claim_new() == []


def test_what_happened_long_ago_is_told_no_more(book, limit, writer, ask):
    limit(COST)
    book.bill()
    ((created_ms,),) = ask("SELECT created_ms FROM alert")
    late = Alerts(writer, clock=lambda: created_ms + TOLD_WITHIN_MS)

    assert late.claim_new() == []
    assert ask("SELECT count(*) FROM alert WHERE told_ms IS NULL") == [(0,)]

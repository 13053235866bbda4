"""Sums that are equal to what they are sums of, always."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import gevent
import msgspec
import pytest

from larouter.core.errors import StorageDown
from larouter.core.price import Price
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.rollups import QUARTER_MS, SUMS, Rollups, Share, differences, keep_days
from larouter.store.runs import Run
from tests.store.bills import CLOUD, COST, HOLD, LOCAL, MODELS, NOON, UNPRICED, USAGE, Book, ms

QUARTERS = "SELECT start_ms, model, calls, cost_nusd FROM usage_quarter ORDER BY start_ms, model"
DAYS = "SELECT day, model, calls, cost_nusd FROM usage_day ORDER BY day, model"


@pytest.fixture
def check(database):
    """What is not as it should be, as somebody else sees it."""

    def check():
        with closing(database.connect()) as connection:
            return differences(connection)

    return check


@pytest.mark.sqlite
def test_the_columns_are_those_of_the_tables(ask):
    for table in ("usage_quarter", "usage_day"):
        columns = {name for _, name, *_ in ask(f"PRAGMA table_info({table})")}
        assert columns >= set(SUMS)


def test_every_end_is_in_the_sums(book, check, ask):
    book.bill()
    book.bill(LOCAL, tier="SIMPLE")
    book.bill(UNPRICED, "estimated")
    for state in ("failed", "released", "unknown"):
        book.bill(state=state, outcome={"status": 502})
    first = book.reserve()
    book.settle(first, "failed", status=502, final=False)
    book.settle(book.reserve(LOCAL, record=first.request))
    book.ledger.refuse(book.record(), 404, "model_not_found")
    second = book.reserve()
    book.settle(second, "failed", status=502, final=False)
    book.ledger.refuse(second.request, 429, "insufficient_quota")
    book.reserve()

    assert check() == []
    assert ask(
        "SELECT sum(calls), sum(succeeded), sum(cost_nusd), sum(unpriced) FROM usage_day"
    ) == [(9, 4, COST + HOLD, 1)]
    assert ask("SELECT sum(calls) FROM usage_quarter WHERE model = ''") == [(1,)]


def test_a_request_stays_in_the_tier_that_it_began_with(book, check):
    first = book.reserve(tier="FRONTIER")
    book.settle(first, "unknown", status=502, final=False)
    anew = msgspec.structs.replace(first.request, tier="SIMPLE")

    second = book.reserve(LOCAL, record=anew)
    book.settle(second, "failed", status=502, final=False)
    book.ledger.refuse(anew, 429, "insufficient_quota")

    assert second.request.tier == "FRONTIER"
    assert check() == []


def test_a_batch_of_many_is_written_once(book, check, ask):
    gevent.joinall([gevent.spawn(book.bill) for _ in range(40)], raise_error=True)

    assert check() == []
    assert ask("SELECT sum(calls), sum(cost_nusd) FROM usage_day") == [(40, 40 * COST)]


def test_a_second_settlement_adds_nothing(book, check):
    book.settle(book.bill())

    assert check() == []


def test_what_was_lost_is_counted_at_the_next_start(book, writer, rollups, check, ask):
    book.reserve()
    first = book.reserve()
    book.settle(first, "failed", status=502, final=False)

    Run(writer, rollups).recover()

    assert check() == []
    assert ask("SELECT sum(calls), sum(cost_nusd) FROM usage_day") == [(2, HOLD)]


def test_what_is_rolled_back_is_not_added(book, writer, rollups, check, ask):
    def spoil(connection):
        rollups.add(NOON, Share("prj_notes", "SIMPLE", "x/y", ""), (1,) * len(SUMS))
        connection.execute("ROLLBACK")

    with pytest.raises((StorageDown, sqlite3.Error)):
        writer.run(spoil)
    book.bill()

    assert check() == []
    assert ask("SELECT sum(calls) FROM usage_day") == [(1,)]


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("UTC", "2026-11-22T23:59:59+00:00", "2026-11-22"),
        ("Europe/Berlin", "2026-11-22T23:00:00+00:00", "2026-11-23"),
        ("Asia/Kathmandu", "2026-11-22T18:14:00+00:00", "2026-11-22"),
        ("Asia/Kathmandu", "2026-11-22T18:15:00+00:00", "2026-11-23"),
        ("America/New_York", "2026-11-01T04:00:00+00:00", "2026-11-01"),
    ],
)
def test_a_quarter_has_its_day_where_the_project_is(zone, at, day):
    rollups = Rollups(lambda project_id: zone)

    start_ms = ms(at) - ms(at) % QUARTER_MS

    assert [rollups.day(start_ms, "p"), rollups.day(start_ms, "q")] == [day, day]


def test_sums_are_made_anew(book, writer, rollups, check, ask):
    book.bill()
    book.bill(LOCAL)
    before = ask(QUARTERS), ask(DAYS)
    writer.run(lambda connection: connection.execute("UPDATE usage_quarter SET calls = 99"))
    assert len(check()) == 5

    writer.run(rollups.rebuild)

    assert check() == []
    assert (ask(QUARTERS), ask(DAYS)) == before


def test_sums_of_what_is_no_longer_kept_stay(book, writer, rollups, check, ask):
    share = Share(book.project.id, "SIMPLE", "x/y", "")
    writer.run(lambda connection: rollups.add(NOON - 9 * QUARTER_MS, share, (7,) * len(SUMS)))
    book.bill()

    writer.run(rollups.rebuild)

    assert check() == []
    assert ask("SELECT sum(calls) FROM usage_day") == [(8,)]


def test_nothing_is_made_of_nothing(writer, rollups, check):
    writer.run(rollups.rebuild)

    assert check() == []


def test_a_move_to_another_zone_moves_the_days(book, writer, move, ask, check):
    move(book.bill(), ms("2026-11-22T23:30:00+00:00"))
    zones = {"prj_notes": "UTC"}
    rollups = Rollups(lambda project_id: zones[project_id])

    keep_days(writer, rollups, "UTC")
    assert [row[0] for row in ask(DAYS)] == ["2026-11-22"]
    zones["prj_notes"] = "Asia/Tokyo"
    keep_days(writer, rollups, "UTC")
    assert [row[0] for row in ask(DAYS)] == ["2026-11-22"]
    keep_days(writer, rollups, "Asia/Tokyo")

    assert [row[0] for row in ask(DAYS)] == ["2026-11-23"]
    assert check() == []


def test_a_saving_is_what_the_dearest_would_have_cost(writer, run, feed, rollups, ask, check):
    dear = Price(input=Decimal("2.5"), output=Decimal(20))
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, baseline={"prj_notes": dear}.get,
    )  # fmt: skip
    book = Book(writer, ledger)

    book.bill(LOCAL)
    book.bill()
    book.bill(stage="explicit")
    book.bill(state="failed", outcome={"status": 502})

    assert ask("SELECT model, baseline_nusd, cost_nusd FROM usage_day ORDER BY model") == [
        (LOCAL.key, 2 * COST, 0), (CLOUD.key, 3 * COST, 2 * COST),
    ]  # fmt: skip
    assert check() == []


def test_usage_is_what_it_says(book, ask):
    book.bill(project=replace(book.project, bearer_id="brr_1"))

    assert ask("SELECT bearer_id, prompt, output, cached FROM usage_day") == [
        ("brr_1", USAGE.prompt, USAGE.output, 0)
    ]

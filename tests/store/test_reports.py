import threading

import gevent
import pytest

from larouter.core.chat import Usage
from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.core.report import Today
from larouter.store.usage import Wanted
from tests.store.bills import COST, HOLD, LOCAL, NOON, UNPRICED, USAGE, ms, spoil_pages


def test_a_day_begins_with_nothing(reports):
    assert reports.today() == Today()


def test_today_counts_requests_and_those_that_were_answered(reports, bill, book):
    bill()
    bill(LOCAL)
    bill(state="failed", outcome={"status": 502})
    book.ledger.refuse(book.record(started_ms=NOON), 404, "model_not_found")

    today = reports.today()

    assert (today.requests, today.succeeded, today.local) == (4, 2, 1)


def test_today_sums_tokens_and_money(reports, bill):
    bill(outcome={"usage": Usage(input=1, cache_read=10, cache_write_1h=100, output=1000)})
    bill(LOCAL, outcome={"usage": Usage(input=5, output=7)})
    bill(state="unknown")

    today = reports.today()

    assert (today.prompt_tokens, today.output_tokens) == (116, 1007)
    assert today.cost_nusd == (1 + 10 + 100) * 1_250 + 1000 * 10_000 + HOLD


def test_a_request_that_costs_nobody_knows_what_is_counted_apart(reports, bill):
    bill()
    bill(UNPRICED)
    bill(UNPRICED, state="unknown")

    today = reports.today()

    assert (today.unpriced, today.cost_nusd) == (2, COST)


def test_only_unknown_costs_are_no_cost(reports, bill):
    bill(UNPRICED)

    assert reports.today().cost_nusd == 0


def test_each_call_without_a_price_is_counted(reports, bill, book, move):
    first = bill(UNPRICED, state="estimated", outcome={"final": False})
    second = book.reserve(UNPRICED, record=first.request)
    book.settle(second)
    move(second, NOON)

    assert reports.today().unpriced == 2


@pytest.mark.parametrize("state", ["failed", "released"])
def test_what_was_not_done_is_not_unpriced(state, reports, bill):
    bill(UNPRICED, state)

    assert reports.today().unpriced == 0


def test_an_open_request_is_not_unpriced(reports, book, move):
    move(book.reserve(UNPRICED), NOON)

    today = reports.today()

    assert (today.requests, today.unpriced, today.succeeded) == (1, 0, 0)


@pytest.mark.parametrize(
    ("times", "median"), [([], None), ([7], 7), ([9, 1, 5], 5), ([1, 2, 3, 100], 3)]
)
def test_today_knows_how_long_an_answer_takes(times, median, reports, bill):
    for took_ms in times:
        bill(took_ms=took_ms)
    bill(state="failed", took_ms=99_999, outcome={"status": 502})

    assert reports.today().median_ms == median


@pytest.mark.parametrize(
    ("name", "now", "midnight"),
    [
        ("UTC", "2026-11-22T12:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        ("Europe/Vienna", "2026-11-22T12:00:00+00:00", "2026-11-21T23:00:00+00:00"),
        ("Europe/Vienna", "2026-11-22T23:30:00+00:00", "2026-11-22T23:00:00+00:00"),
        ("America/Los_Angeles", "2026-11-22T07:59:00+00:00", "2026-11-21T08:00:00+00:00"),
        ("Asia/Kathmandu", "2026-11-22T12:00:00+00:00", "2026-11-21T18:15:00+00:00"),
        # Days of 23 and of 25 hours: midnight's offset is not the one of the evening.
        ("Europe/Vienna", "2026-03-29T20:00:00+00:00", "2026-03-28T23:00:00+00:00"),
        ("Europe/Vienna", "2026-10-25T20:00:00+00:00", "2026-10-24T22:00:00+00:00"),
        # A day that has no midnight begins at one o'clock.
        ("Africa/Cairo", "2026-04-24T12:00:00+00:00", "2026-04-23T22:00:00+00:00"),
    ],
)
def test_today_begins_at_this_machine_s_midnight(name, now, midnight, reports, bill, clock, zone):
    zone(name)
    clock[0] = ms(now) / 1000
    bill(at=ms(midnight) - 1)
    bill(at=ms(midnight))

    today = reports.today()

    assert (today.requests, today.cost_nusd, today.prompt_tokens) == (1, COST, USAGE.input)


def test_the_newest_request_comes_first(reports, book):
    ids = [book.bill().request.id for _ in range(5)]

    assert [line.id for line in reports.recent(3)] == ids[:1:-1]


def test_a_line_says_what_happened(reports, bill, book):
    attempt = bill(LOCAL, degraded="no-key", reason="short", tier="SIMPLE", took_ms=123)

    (line,) = reports.recent()

    assert (line.id, line.started_ms, line.duration_ms) == (attempt.request.id, NOON, 123)
    assert (line.project, line.asked, line.tier, line.stage) == ("notes", "auto", "SIMPLE", "rules")
    assert (line.model, line.degraded, line.is_local) == (LOCAL.key, "no-key", True)
    assert (line.prompt_tokens, line.output_tokens, line.cost_nusd) == (1000, 100, 0)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ({}, "done"),
        ({"status": 499, "error": "client_left"}, "failed"),
        ({"final": False}, "open"),
    ],
)
def test_a_line_says_how_far_it_is(outcome, state, reports, bill):
    bill(outcome=outcome)

    assert reports.recent()[0].state == state


def test_a_refused_request_is_a_line_too(reports, book):
    book.ledger.refuse(book.record(), 424, "provider_not_configured")

    (line,) = reports.recent()

    assert (line.state, line.error, line.model) == ("refused", "provider_not_configured", None)
    assert (line.cost_nusd, line.duration_ms is not None) == (0, True)


def test_an_open_request_has_no_end_yet(reports, book):
    book.reserve()

    (line,) = reports.recent()

    assert (line.state, line.status, line.duration_ms, line.cost_nusd) == ("open", 0, None, 0)


def test_a_line_sums_its_attempts(reports, bill, book):
    first = bill(state="unknown", outcome={"final": False})
    book.settle(book.reserve(record=first.request))

    (line,) = reports.recent()

    assert (line.cost_nusd, line.prompt_tokens) == (HOLD + COST, 1000)


def test_one_attempt_without_a_price_makes_the_cost_unknown(reports, bill, book):
    first = bill(outcome={"final": False})
    book.settle(book.reserve(UNPRICED, record=first.request))

    assert reports.recent()[0].cost_nusd is None


def test_a_deleted_project_s_lines_stay(reports, book, writer):
    book.bill()
    writer.run(lambda c: c.execute("UPDATE project SET name='notes (deleted)', deleted_ms=1"))

    assert reports.recent()[0].project == "notes (deleted)"


def test_the_hub_goes_on_while_a_report_is_read(reports, bill):
    bill()
    ticks = []

    def tick():
        while True:
            ticks.append(1)
            gevent.sleep(0)

    ticker = gevent.spawn(tick)
    reports.today()
    ticker.kill()

    assert ticks


def test_reports_are_read_while_the_writer_holds_its_transaction(reports, bill, writer):
    bill()
    started, release = threading.Event(), threading.Event()

    def slow(connection):
        connection.execute("UPDATE attempt SET cost_nusd = 0")
        started.set()
        release.wait(10)

    keeper = gevent.spawn(writer.run, slow)
    while not started.is_set():
        gevent.sleep(0.001)
    seen = reports.today().cost_nusd
    release.set()
    keeper.join(10)

    assert seen == COST


def test_many_reports_at_once_do_not_disturb_each_other(reports, book):
    book.bill()
    asked = [gevent.spawn(ask) for _ in range(20) for ask in (reports.recent, reports.attempts)]
    written = [gevent.spawn(book.bill) for _ in range(50)]

    gevent.joinall([*asked, *written], timeout=20, raise_error=True)

    assert len(reports.attempts()) == 51


def test_a_database_that_cannot_be_read_is_told(reports, writer):
    writer.run(lambda connection: connection.execute("ALTER TABLE usage_day RENAME TO elsewhere"))

    with pytest.raises(StorageDown, match="cannot read its database"):
        reports.usage(Wanted())


@pytest.mark.sqlite
def test_a_damaged_database_is_told(book, reports, writer, database):
    book.bill()
    writer.close()
    spoil_pages(database.path)

    with pytest.raises(DatabaseDamaged):
        reports.attempts()

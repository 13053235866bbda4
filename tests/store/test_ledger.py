import threading
import time
from dataclasses import replace as changed
from decimal import Decimal

import gevent
import pytest
from msgspec.structs import replace

from larouter.core.chat import Usage
from larouter.core.errors import StorageDown
from larouter.core.price import OffPeak
from larouter.store.reports import Reports
from tests.store.bills import CLOUD, COST, HOLD, LOCAL, MODELS, UNPRICED, USAGE, ms

REQUEST = "SELECT status, error, ended_ms IS NOT NULL, model, degraded FROM request WHERE id=?"
ATTEMPT = "SELECT state, cost_nusd FROM attempt WHERE id=?"
ENTRIES = "SELECT attempt_id, kind, cost_nusd FROM ledger_entry ORDER BY id"


def test_a_reservation_is_durable_before_anything_is_sent(book, ask):
    attempt = book.reserve()

    assert ask(ATTEMPT, attempt.id) == [("pending", None)]
    assert ask(REQUEST, attempt.request.id) == [(None, None, 0, "openai/big-1", None)]
    assert ask(ENTRIES) == []


def test_a_reservation_carries_its_run_its_hold_and_its_price(book, run, ask):
    attempt = book.reserve()

    (row,) = ask(
        "SELECT run_id, hold_nusd, price_version.model, provider, attempt.project_id FROM attempt "
        "JOIN price_version ON price_version.id = price_version WHERE attempt.id=?",
        attempt.id,
    )
    assert row == (run.id, HOLD, CLOUD.key, "openai", book.project.id)


def test_what_the_request_was_is_written_down(book, ask):
    record = book.record(rid="client-7", reason="a “reason”", score=0.5, stream=False)

    book.reserve(record=record)

    assert ask(
        "SELECT project_id, rid, asked, tier, stage, score, reason, stream FROM request"
    ) == [(book.project.id, "client-7", "auto", "FRONTIER", "rules", 0.5, "a “reason”", 0)]


@pytest.mark.sqlite
def test_no_column_could_hold_what_was_asked(ask):
    tables = ["request", "attempt", "ledger_entry"]
    columns = {name for table in tables for _, name, *_ in ask(f"PRAGMA table_info({table})")}

    assert columns & {"prompt", "messages", "body", "content", "text", "answer"} == set()


def test_nothing_is_sent_when_nothing_can_be_written(book, refuse_writes, ask):
    refuse_writes()

    with pytest.raises(StorageDown):
        book.reserve()

    assert ask("SELECT count(*) FROM request") == [(0,)]


def test_request_and_attempt_are_written_together_or_not_at_all(book, writer, ask):
    writer.run(lambda connection: connection.execute("ALTER TABLE attempt RENAME TO gone"))

    with pytest.raises(StorageDown):
        book.reserve()

    assert ask("SELECT count(*) FROM request") == [(0,)]


@pytest.mark.parametrize(("hour", "cost"), [(2, COST), (12, COST // 2)])
def test_a_call_is_charged_by_the_hour_at_which_it_began(book, hour, cost):
    half = OffPeak(input=Decimal("0.625"), output=Decimal(5), peak=((60, 240),))
    model = changed(CLOUD, price=changed(CLOUD.price, off_peak=half))
    began = ms(f"2026-11-23T{hour:02}:00:00+00:00")

    attempt = replace(book.reserve(model), started_ms=began)

    assert book.settle(attempt) == cost


def test_a_settlement_is_durable_when_settle_returns(book, ask):
    attempt = book.reserve()

    cost = book.settle(attempt)

    assert cost == COST
    assert ask(ATTEMPT, attempt.id) == [("settled", COST)]
    assert ask(ENTRIES) == [(attempt.id, "settle", COST)]


def test_every_bucket_of_the_usage_is_written_down(book, ask):
    usage = Usage(
        input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=5, audio=6, image=7
    )
    attempt = book.reserve()

    book.settle(attempt, usage=usage, provider_id="chatcmpl-9", first_ms=88)

    assert ask(
        "SELECT input, cache_read, cache_write_5m, cache_write_1h, output, audio, image, "
        "provider_id, first_ms FROM attempt"
    ) == [(1, 2, 3, 4, 5, 6, 7, "chatcmpl-9", 88)]


@pytest.mark.parametrize("second", ["settled", "estimated", "failed", "released", "unknown"])
def test_an_attempt_is_settled_once_only(second, book, ask):
    attempt = book.reserve()
    book.settle(attempt)
    before = ask("SELECT * FROM attempt"), ask("SELECT * FROM request"), ask(ENTRIES)

    book.settle(attempt, second, usage=Usage(input=9_999), status=502, error="late")

    assert (ask("SELECT * FROM attempt"), ask("SELECT * FROM request"), ask(ENTRIES)) == before


def test_of_two_that_settle_at_once_one_wins(book, ask):
    attempt = book.reserve()

    gevent.joinall(
        [gevent.spawn(book.settle, attempt, state) for state in ("settled", "unknown")],
        timeout=10,
        raise_error=True,
    )

    ((state, cost),) = ask(ATTEMPT, attempt.id)
    assert ask(ENTRIES) == [(attempt.id, "settle", cost)]
    assert (state, cost) in {("settled", COST), ("unknown", HOLD)}


@pytest.mark.parametrize(
    ("state", "cost"),
    [("settled", COST), ("estimated", COST), ("failed", 0), ("released", 0), ("unknown", HOLD)],
)
def test_an_attempt_is_charged_for_how_it_ended(state, cost, book, ask):
    attempt = book.reserve()

    said = book.settle(attempt, state, usage=USAGE)

    assert said == cost
    assert ask(ATTEMPT, attempt.id) == [(state, cost)]
    assert ask("SELECT coalesce(sum(cost_nusd), 0) FROM ledger_entry") == [(cost,)]


@pytest.mark.parametrize("state", ["settled", "estimated", "unknown"])
def test_an_unknown_price_is_an_unknown_cost(state, book, ask):
    attempt = book.reserve(UNPRICED)

    said = book.settle(attempt, state, usage=USAGE)

    assert said is None
    assert ask(ATTEMPT, attempt.id) == [(state, None)]
    assert ask(ENTRIES) == []


@pytest.mark.parametrize("state", ["failed", "released"])
def test_what_was_not_done_costs_nothing_at_any_price(state, book):
    assert book.settle(book.reserve(UNPRICED), state) == 0


def test_this_machine_costs_nothing(book, ask):
    attempt = book.bill(LOCAL)

    assert ask(ATTEMPT, attempt.id) == [("settled", 0)]
    assert ask(ENTRIES) == []


def test_an_attempt_keeps_the_price_that_it_was_reserved_at(book, ask):
    attempt = book.reserve()
    dearer = changed(CLOUD, price=changed(CLOUD.price, output=Decimal(20)))

    book.bill(dearer)
    book.settle(attempt)

    assert ask(ATTEMPT, attempt.id) == [("settled", COST)]


@pytest.mark.parametrize(
    ("status", "error"), [(200, None), (499, "client_left"), (502, "upstream_error")]
)
def test_a_request_ends_with_its_final_attempt(status, error, book, ask):
    attempt = book.bill(outcome={"status": status, "error": error})

    assert ask(REQUEST, attempt.request.id) == [(status, error, 1, CLOUD.key, None)]


def test_a_request_stays_open_while_another_attempt_follows(book, ask):
    attempt = book.reserve()

    book.settle(attempt, "failed", status=502, error="upstream_error", final=False)

    assert ask(ATTEMPT, attempt.id) == [("failed", 0)]
    assert ask(REQUEST, attempt.request.id) == [(None, None, 0, CLOUD.key, None)]


def test_a_fallback_is_a_second_attempt_of_one_request(book, ask):
    first = book.reserve()
    book.settle(first, "failed", status=502, final=False)

    second = book.reserve(LOCAL, degraded="provider-down", record=first.request)
    book.settle(second)

    assert ask("SELECT request_id, model, state FROM attempt ORDER BY id") == [
        (first.request.id, CLOUD.key, "failed"),
        (first.request.id, LOCAL.key, "settled"),
    ]
    assert ask(REQUEST, first.request.id) == [(200, None, 1, LOCAL.key, "provider-down")]


def test_a_request_costs_the_sum_of_its_attempts(book, ask):
    first = book.reserve()
    book.settle(first, "unknown", status=504, final=False)

    book.settle(book.reserve(record=first.request))

    assert ask("SELECT sum(cost_nusd) FROM ledger_entry") == [(HOLD + COST,)]


def test_a_refusal_is_a_request_without_an_attempt(book, ask):
    record = book.record(tier="-", stage="policy")

    book.ledger.refuse(record, 404, "model_not_found")

    assert ask(REQUEST, record.id) == [(404, "model_not_found", 1, None, None)]
    assert ask("SELECT count(*) FROM attempt") == [(0,)]


@pytest.mark.sqlite
def test_money_is_an_integer_of_64_bits(book, ask):
    attempt = book.reserve()

    book.settle(attempt, usage=Usage(output=900_000_000_000_001))

    (row,) = ask("SELECT cost_nusd, typeof(cost_nusd) FROM attempt WHERE id=?", attempt.id)
    assert row == (9_000_000_000_000_010_000, "integer")


def test_many_at_once_are_all_there(book, ask):
    greenlets = [gevent.spawn(book.bill) for _ in range(200)]
    gevent.joinall(greenlets, timeout=20, raise_error=True)

    assert ask("SELECT count(*), sum(cost_nusd) FROM attempt WHERE state='settled'") == [
        (200, 200 * COST)
    ]
    assert ask("SELECT count(*), sum(cost_nusd) FROM ledger_entry") == [(200, 200 * COST)]


def test_the_ledger_does_not_keep_the_hub_waiting(book, writer):
    started, ticks = threading.Event(), []

    def slow(_):
        started.set()
        time.sleep(0.2)

    keeper = gevent.spawn(writer.run, slow)
    while not started.is_set():
        gevent.sleep(0.001)
    bill = gevent.spawn(book.bill)
    while not bill.dead:
        ticks.append(1)
        gevent.sleep(0.005)
    keeper.join(5)

    assert len(ticks) > 10


@pytest.fixture
def lines(feed):
    """What a watcher of the feed is told; call it for what came since."""
    with feed.subscribe() as subscribed:
        endless = subscribed(0)
        yield lambda: list(iter(endless.__next__, None))


def test_a_watcher_is_told_of_a_request_that_ended(book, lines):
    attempt = book.bill()

    (line,) = lines()

    assert (line.id, line.state, line.status) == (attempt.request.id, "done", 200)
    assert (line.project, line.model, line.is_local) == ("notes", CLOUD.key, False)
    assert (line.prompt_tokens, line.output_tokens, line.cost_nusd) == (1000, 100, COST)


def test_a_watcher_is_told_once(book, lines):
    attempt = book.bill()
    book.settle(attempt)

    assert len(lines()) == 1


def test_a_watcher_is_not_told_of_an_attempt_that_another_follows(book, lines):
    book.bill(state="failed", outcome={"status": 502, "final": False})

    assert lines() == []


def test_a_watcher_is_told_of_a_refusal(book, lines):
    book.ledger.refuse(book.record(), 424, "provider_not_configured")

    (line,) = lines()

    assert (line.state, line.status, line.error) == ("refused", 424, "provider_not_configured")
    assert (line.model, line.cost_nusd, line.is_local) == (None, 0, True)


@pytest.mark.parametrize(
    ("status", "state"), [(200, "done"), (399, "done"), (400, "failed"), (499, "failed")]
)
def test_a_line_says_whether_it_was_answered(status, state, book, lines):
    book.bill(outcome={"status": status})

    assert lines()[0].state == state


def test_a_line_says_that_a_price_is_unknown(book, lines):
    book.bill(UNPRICED)

    assert lines()[0].cost_nusd is None


def test_the_page_and_the_feed_tell_the_same(book, lines, database):
    for model in MODELS:
        book.bill(model)
    book.ledger.refuse(book.record(), 404, "model_not_found")

    assert lines() == Reports(database).recent()[::-1]


def test_ids_of_attempts_only_rise(book):
    ids = [book.reserve().id for _ in range(3)]

    assert ids == sorted(set(ids))


def test_the_row_of_a_request_names_the_attempt_that_answered(book, ask):
    first = book.reserve(model=LOCAL)
    above = replace(first.request, stage="escalated", reason="the local answer was empty")
    second = book.reserve(record=above)
    row = "SELECT stage, reason, model, status FROM request WHERE id=?"
    during = ask(row, first.request.id)

    book.settle(second, state="failed", status=502, final=False)
    stands = replace(first, request=replace(first.request, reason="it stands"))
    book.settle(stands)

    assert during == [("rules", first.request.reason, "openai/big-1", None)]
    assert ask(row, first.request.id) == [("rules", "it stands", "local/starter", 200)]


@pytest.mark.parametrize(
    ("asked", "served", "times"),
    [
        (None, "priority", 2),
        ("priority", "default", 1),
        ("priority", None, 2),
        (None, "scale", 1),
        ("priority", "scale", 2),
    ],
)
def test_what_the_provider_served_is_charged(book, asked, served, times):
    price = changed(CLOUD.price, services=(("priority", Decimal(2)),))
    attempt = replace(book.reserve(changed(CLOUD, price=price)), service=asked)

    assert book.settle(attempt, usage=replace(USAGE, service=served)) == times * COST

"""Recorded requests as they can be decided again, read from a real database."""

import threading
from contextlib import closing

import gevent
import pytest

from larouter.core.chat import Usage
from larouter.core.replay import Recorded
from larouter.core.route import Numbers
from larouter.store.replays import History, Replays
from tests.store.bills import CLOUD, COST, HOUR, LOCAL, NOON, UNPRICED, USAGE

NUMBERS = Numbers(
    probabilities=(0.1, 0.2, 0.3, 0.25, 0.15), need_strong=0.4, prompt_tokens=900,
    output_tokens=80, needs=("tools",), tags=("code",), turns=3, private=True,
)  # fmt: skip


@pytest.fixture
def replays(database):
    return Replays(database)


@pytest.fixture
def rows(replays):
    def rows(**chosen):
        return replays.read(lambda history: list(history.rows()), **chosen)

    return rows


def test_nothing_was_recorded(rows, replays):
    assert rows() == []
    assert replays.read(lambda history: (history.without_numbers(), history.most_used())) == (0, {})


def test_a_request_comes_back_with_its_numbers_and_its_bill(rows, bill):
    attempt = bill(numbers=NUMBERS, tier="COMPLEX", stage="learned", asked="auto")

    assert rows() == [
        Recorded(
            id=attempt.request.id,
            project="prj_notes",
            asked="auto",
            tier="COMPLEX",
            stage="learned",
            started_ms=NOON,
            numbers=NUMBERS,
            model=CLOUD.key,
            usage=USAGE,
            cost=COST,
        )
    ]


def test_every_bucket_of_tokens_comes_back(rows, bill):
    usage = Usage(
        input=1, cache_read=2, cache_write_5m=3, cache_write_1h=4, output=5, audio=6, image=7
    )
    bill(numbers=NUMBERS, outcome={"usage": usage})

    assert rows()[0].usage == usage


@pytest.mark.sqlite
def test_numbers_are_compact_json(book, ask):
    book.reserve(numbers=Numbers(need_strong=0.25, tags=("code",)))

    assert ask("SELECT numbers, typeof(numbers) FROM request") == [
        ('{"need_strong":0.25,"tags":["code"]}', "text")
    ]


def test_a_request_without_numbers_is_only_counted(rows, replays, bill):
    bill()
    bill(numbers=NUMBERS)

    assert len(rows()) == 1
    assert replays.read(lambda history: history.without_numbers()) == 1


def test_an_open_request_is_not_read(rows, book):
    book.reserve(numbers=NUMBERS)

    assert rows() == []


def test_a_refused_request_is_one_that_nobody_answered(rows, book):
    book.ledger.refuse(book.record(numbers=NUMBERS), 424, "provider_not_configured")

    (row,) = rows()
    assert (row.model, row.usage, row.cost) == (None, Usage(), 0)


def test_all_attempts_are_paid_and_the_last_answer_counts(rows, book):
    record = book.record(numbers=NUMBERS)
    first = book.reserve(LOCAL, record=record)
    book.settle(first, final=False)
    second = book.reserve(CLOUD, record=record)
    book.settle(second)
    third = book.reserve(LOCAL, record=record)
    book.settle(third, "failed")

    (row,) = rows()
    assert (row.model, row.usage, row.cost) == (CLOUD.key, USAGE, COST)


def test_an_unknown_price_is_an_unknown_cost(rows, bill):
    bill(UNPRICED, numbers=NUMBERS)

    assert rows()[0].cost is None


def _history(database, **limits):
    with closing(database.connect(read_only=True)) as connection:
        history = History(connection, 0, None, **limits)
        return [row.id for row in history.rows()], history.is_cut


def test_many_requests_are_read_page_by_page_in_order(database, book):
    made = [book.bill(numbers=NUMBERS).request.id for _ in range(7)]

    assert _history(database, page=3) == (made, False)


def test_the_newest_are_read_where_there_are_too_many(database, book):
    made = [book.bill(numbers=NUMBERS).request.id for _ in range(5)]

    assert _history(database, most=3) == (made[-3:], True)
    assert _history(database, most=5) == (made, False)


def test_a_period_and_a_project_choose(rows, replays, bill, book):
    other = book.add_project("other")
    bill(numbers=NUMBERS, at=NOON - HOUR)
    recent = bill(numbers=NUMBERS)
    theirs = bill(LOCAL, numbers=NUMBERS, project=other)
    bill(LOCAL, project=other)

    assert [row.id for row in rows(since_ms=NOON)] == [recent.request.id, theirs.request.id]
    assert [row.id for row in rows(project_id="prj_other")] == [theirs.request.id]
    assert replays.read(lambda history: history.without_numbers(), project_id="prj_other") == 1


def test_the_most_used_model_is_known_by_project(replays, bill, book):
    other = book.add_project("other")
    for model in (LOCAL, CLOUD, CLOUD):
        bill(model, numbers=NUMBERS)
    bill(LOCAL, numbers=NUMBERS, project=other)
    bill(CLOUD, "failed", numbers=NUMBERS, project=other, outcome={"status": 502})

    most = replays.read(lambda history: history.most_used())

    assert most == {"prj_notes": CLOUD.key, "prj_other": LOCAL.key}


@pytest.mark.sqlite
def test_nothing_can_be_written_from_there(replays):
    def write(history):
        history._connection.execute("DELETE FROM request")

    with pytest.raises(Exception, match="readonly"):
        replays.read(write)


def test_the_hub_goes_on_while_it_reads(replays, bill):
    bill(numbers=NUMBERS)
    hub, ticks = threading.get_ident(), []

    def tick():
        while True:
            ticks.append(1)
            gevent.sleep(0.001)

    ticking = gevent.spawn(tick)

    worker = replays.read(lambda history: (list(history.rows()), threading.get_ident())[1])

    ticking.kill()
    assert worker != hub
    assert ticks

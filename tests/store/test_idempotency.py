from contextlib import contextmanager

import pytest

from larouter.core.errors import StorageDown
from larouter.store.idempotency import KEPT_MS, IdempotencyKeys, Original
from larouter.store.runs import HEARTBEAT_S, Run
from larouter.store.writer import now_ms

KEY, BODY = "order-17", "a" * 64
COUNT = "SELECT count(*) FROM idempotency_key"


@pytest.fixture
def time_ms():
    return [now_ms()]


@pytest.fixture
def keys(writer, run, time_ms):
    return IdempotencyKeys(writer, run_id=run.id, clock=lambda: time_ms[0])


@pytest.fixture
def other(writer, rollups, time_ms):
    """Another process on the same database."""
    other = Run(writer, rollups)
    return IdempotencyKeys(writer, run_id=other.id, clock=lambda: time_ms[0])


@pytest.fixture
def broken(writer):
    """While it lasts, nothing can be written about keys."""

    @contextmanager
    def broken():
        _rename(writer, "idempotency_key", "away")
        yield
        _rename(writer, "away", "idempotency_key")

    return broken


def _rename(writer, old, new):
    writer.run(lambda connection: connection.execute(f"ALTER TABLE {old} RENAME TO {new}"))


def claim(keys, request_id="req_2", project="p", body=BODY):
    return keys.claim(project, KEY, body, request_id)


@pytest.fixture
def first(keys):
    """A request that has the key and has not got further."""
    assert claim(keys, "req_1") is None


@pytest.fixture
def reserved(keys, book, first):
    """The same request on its way to a provider."""
    attempt = book.reserve(record=book.record(id="req_1"))
    keys.written("req_1")
    return attempt


def test_a_key_belongs_to_the_first_request(keys, first):
    assert claim(keys) == Original("req_1", is_same=True, is_open=True, status=None, error=None)


def test_another_body_is_seen(keys, first):
    assert not claim(keys, body="b" * 64).is_same


def test_each_project_has_keys_of_its_own(keys, first):
    assert claim(keys, project="q") is None


def test_a_call_under_way_has_its_key(keys, reserved):
    assert claim(keys).is_open


def test_a_call_that_has_ended_keeps_its_key(keys, book, reserved):
    book.settle(reserved)

    assert claim(keys) == Original("req_1", is_same=True, is_open=False, status=200, error=None)


@pytest.mark.parametrize("state", ["unknown", "estimated"])
def test_a_call_that_may_have_been_made_keeps_its_key(keys, book, reserved, state):
    book.settle(reserved, state, status=504, error="upstream_timeout")

    found = claim(keys)

    assert (found.is_open, found.status, found.error) == (False, 504, "upstream_timeout")


@pytest.mark.parametrize("state", ["released", "failed"])
def test_a_call_that_did_nothing_leaves_the_key_to_the_next(keys, book, reserved, state):
    book.settle(reserved, state, status=503, error="upstream_error")

    assert claim(keys) is None
    assert claim(keys, "req_3").request_id == "req_2"


@pytest.mark.parametrize("state", ["released", "failed"])
def test_between_two_tries_the_key_is_taken(keys, book, reserved, state):
    book.settle(reserved, state, status=503, error="upstream_error", final=False)

    assert claim(keys).is_open


def test_one_call_of_several_that_was_made_is_enough(keys, book, reserved):
    book.settle(reserved, "unknown", status=504, error="upstream_timeout", final=False)
    second = book.reserve(record=reserved.request)
    book.settle(second, "failed", status=400, error="invalid_request")

    assert claim(keys).status == 400


def test_a_request_that_was_refused_leaves_its_key(keys, book, first):
    book.ledger.refuse(book.record(id="req_1"), 429, "insufficient_quota")
    keys.release("p", KEY, "req_1")

    assert claim(keys, body="b" * 64) is None


def test_a_request_without_a_row_leaves_its_key(keys, ask, first):
    keys.release("p", KEY, "req_1")

    assert ask(COUNT) == [(0,)]
    assert claim(keys) is None


def test_a_request_with_a_row_is_not_released(keys, book, reserved):
    keys.release("p", KEY, "req_1")

    assert claim(keys).is_open


def test_what_could_not_be_released_is_known_to_be_over(keys, broken, first):
    with broken(), pytest.raises(StorageDown):
        keys.release("p", KEY, "req_1")

    assert claim(keys) is None


def test_a_process_that_was_killed_leaves_what_it_had_not_reserved(keys, other, writer, first):
    assert claim(other).is_open
    writer.run(
        lambda connection: connection.execute(
            "UPDATE run SET ended_ms=heartbeat_ms WHERE id=?", (keys._run_id,)
        )
    )

    assert claim(other) is None


def test_a_process_whose_lease_is_over_leaves_what_it_had_not_reserved(other, time_ms, first):
    time_ms[0] += 6 * HEARTBEAT_S * 1_000 + 1_000

    assert claim(other, "req_3") is None


def test_after_a_crash_what_was_sent_keeps_its_key(other, writer, rollups, reserved):
    Run(writer, rollups).recover()

    found = claim(other)

    assert (found.is_open, found.status, found.error) == (False, 500, "server_stopped")


def test_a_key_is_forgotten_after_a_day(keys, book, ask, time_ms, reserved):
    book.settle(reserved)
    time_ms[0] += KEPT_MS - 1
    assert keys.forget_expired() == 0

    time_ms[0] += 1
    assert claim(keys, body="b" * 64) is None
    time_ms[0] += KEPT_MS
    assert keys.forget_expired() == 1
    assert ask(COUNT) == [(0,)]


def test_a_key_that_cannot_be_written_is_nobodys(keys, broken):
    with broken(), pytest.raises(StorageDown):
        claim(keys, "req_1")

    assert claim(keys, "req_1") is None


@pytest.mark.sqlite
def test_neither_key_nor_body_is_in_the_database(database, first):
    for path in database.path.parent.glob("larouter.db*"):
        assert KEY.encode() not in path.read_bytes()

import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from larouter.store.rollups import Rollups, differences
from larouter.store.runs import LEASE_MS, Run
from larouter.store.sqlite import connect
from larouter.store.writer import Writer
from tests.store.bills import CLOUD, COST, HOLD, LOCAL, UNPRICED

ATTEMPT = "SELECT state, cost_nusd, ended_ms IS NOT NULL FROM attempt WHERE id=?"
REQUEST = "SELECT status, error, ended_ms IS NOT NULL FROM request WHERE id=?"
ENTRIES = "SELECT attempt_id, kind, cost_nusd FROM ledger_entry ORDER BY id"
RUN = "SELECT ended_ms, heartbeat_ms FROM run WHERE id=?"


@pytest.fixture
def next_run(writer, rollups, book):
    """A second process's run; `book` is of the first, which is dead."""
    return Run(writer, rollups)


def test_a_run_has_a_row_with_a_lease(run, ask):
    ((ended, heartbeat),) = ask(RUN, run.id)

    assert ended is None
    assert heartbeat > 0


def test_renewing_moves_the_lease(run, writer, ask):
    writer.run(lambda connection: connection.execute("UPDATE run SET heartbeat_ms=5"))

    run.renew()

    assert ask(RUN, run.id)[0][1] > 5


def test_an_orderly_end_is_written_down(run, ask):
    run.end()

    assert ask(RUN, run.id)[0][0] is not None


def test_a_call_that_was_cut_off_is_unknown_and_charged_at_its_hold(book, next_run, ask):
    attempt = book.reserve()

    assert next_run.recover() == 1
    assert ask(ATTEMPT, attempt.id) == [("unknown", HOLD, 1)]
    assert ask(ENTRIES) == [(attempt.id, "settle", HOLD)]


def test_the_request_of_a_call_that_was_cut_off_is_closed(book, next_run, ask):
    attempt = book.reserve()

    next_run.recover()

    assert ask(REQUEST, attempt.request.id) == [(500, "server_stopped", 1)]


def test_recovering_charges_once(book, next_run, writer, rollups, ask):
    book.reserve()
    next_run.recover()
    before = ask("SELECT * FROM attempt"), ask("SELECT * FROM request"), ask(ENTRIES)

    assert (next_run.recover(), Run(writer, rollups).recover()) == (0, 0)
    assert (ask("SELECT * FROM attempt"), ask("SELECT * FROM request"), ask(ENTRIES)) == before


def test_a_late_settlement_after_recovering_corrects_the_charge(book, next_run, ask):
    attempt = book.reserve()
    next_run.recover()

    book.settle(attempt)

    assert ask(ENTRIES) == [(attempt.id, "settle", HOLD), (attempt.id, "correct", COST - HOLD)]


def test_recovering_leaves_its_own_run_alone(book, run, ask):
    attempt = book.reserve()

    assert run.recover() == 0
    assert ask(ATTEMPT, attempt.id) == [("pending", None, 0)]
    assert ask(REQUEST, attempt.request.id) == [(None, None, 0)]
    assert ask(RUN, run.id)[0][0] is None


def test_recovering_leaves_what_ended_alone(book, next_run, ask):
    book.bill()
    book.ledger.refuse(book.record(), 404, "model_not_found")
    before = ask("SELECT * FROM attempt"), ask("SELECT * FROM request"), ask(ENTRIES)

    assert next_run.recover() == 0
    assert (ask("SELECT * FROM attempt"), ask("SELECT * FROM request"), ask(ENTRIES)) == before


@pytest.mark.parametrize(
    ("model", "cost", "entries"), [(LOCAL, 0, 0), (UNPRICED, None, 0), (CLOUD, HOLD, 1)]
)
def test_what_held_nothing_is_charged_nothing(model, cost, entries, book, next_run, ask):
    attempt = book.reserve(model)

    next_run.recover()

    assert ask(ATTEMPT, attempt.id) == [("unknown", cost, 1)]
    assert len(ask(ENTRIES)) == entries


def test_a_request_that_died_between_two_attempts_is_closed(book, next_run, ask):
    attempt = book.reserve()
    book.settle(attempt, "failed", status=502, final=False)

    next_run.recover()

    assert ask(ATTEMPT, attempt.id) == [("failed", 0, 1)]
    assert ask(REQUEST, attempt.request.id) == [(500, "server_stopped", 1)]


def test_a_dead_run_ended_when_it_was_last_heard_of(run, next_run, ask):
    next_run.recover()

    ((ended, heartbeat),) = ask(RUN, run.id)
    assert ended == heartbeat


def test_a_clock_that_was_set_back_keeps_nobody_alive(book, run, next_run, writer, ask):
    attempt = book.reserve()
    tomorrow = "UPDATE run SET heartbeat_ms = heartbeat_ms + 86400000 WHERE id=?"
    writer.run(lambda connection: connection.execute(tomorrow, (run.id,)))

    assert next_run.recover() == 1
    assert ask(ATTEMPT, attempt.id) == [("unknown", HOLD, 1)]


class TestShared:
    """Several processes on one database."""

    @pytest.fixture
    def clock(self):
        return [1_000_000]

    @pytest.fixture
    def start(self, writer, rollups, clock):
        return lambda: Run(writer, rollups, is_shared=True, clock=lambda connection: clock[0])

    @pytest.fixture
    def run(self, start):
        return start()

    def test_who_lives_keeps_what_is_pending(self, book, run, start, clock, ask):
        attempt = book.reserve()
        other = start()
        clock[0] += LEASE_MS

        assert other.recover() == 0
        assert ask(ATTEMPT, attempt.id) == [("pending", None, 0)]
        assert ask(RUN, run.id)[0][0] is None

    def test_a_request_between_two_attempts_of_who_lives_stays_open(self, book, start, ask):
        attempt = book.reserve()
        book.settle(attempt, "failed", status=502, final=False)

        start().recover()

        assert ask(REQUEST, attempt.request.id) == [(None, None, 0)]

    def test_who_was_not_heard_of_for_long_is_dead(self, book, run, start, clock, ask):
        attempt = book.reserve()
        died = clock[0]
        clock[0] += LEASE_MS + 1
        other = start()

        assert (other.recover(), other.recover()) == (1, 0)
        assert ask(ATTEMPT, attempt.id) == [("unknown", HOLD, 1)]
        assert ask(REQUEST, attempt.request.id) == [(500, "server_stopped", 1)]
        assert ask(RUN, run.id)[0][0] == died

    def test_who_renews_lives(self, book, run, start, clock, ask):
        attempt = book.reserve()
        clock[0] += LEASE_MS + 1
        run.renew()

        assert start().recover() == 0
        assert ask(ATTEMPT, attempt.id) == [("pending", None, 0)]

    def test_who_ended_leaves_nothing_pending(self, book, run, start, ask):
        attempt = book.reserve()
        run.end()

        assert start().recover() == 1
        assert ask(ATTEMPT, attempt.id) == [("unknown", HOLD, 1)]

    def test_who_wakes_after_long_is_alive_again(self, run, start, clock, ask):
        clock[0] += LEASE_MS + 1
        start().recover()

        run.renew()

        assert ask(RUN, run.id) == [(None, clock[0])]


def test_what_was_cut_off_is_said_in_the_log(book, next_run, caplog):
    book.reserve()

    next_run.recover()

    assert [record.getMessage() for record in caplog.records] == [
        "1 calls were cut off by the last stop; their usage is unknown"
    ]


def test_an_orderly_start_says_nothing(next_run, caplog):
    next_run.recover()

    assert caplog.records == []


@contextmanager
def killed_after(database, lines):
    """Start `crash.py`, kill -9 it after that many lines; give all the lines it wrote."""
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.store.crash", str(database)],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout
        with child.stdout as out:
            first = [out.readline() for _ in range(lines)]
            child.kill()
            said = first + out.readlines()
        # The last line may be half a line.
        yield [tuple(line.split()) for line in said if line.endswith("\n")]
    finally:
        child.kill()
        child.wait(10)


@pytest.mark.sqlite
@pytest.mark.slow
def test_kill_9_loses_nothing(database, ask):
    with killed_after(database, lines=600) as said:
        writer = Writer(database)
        left = {id for (id,) in ask("SELECT request_id FROM attempt WHERE state='pending'")}

        writer.batch = rollups = Rollups(lambda project_id: "UTC")
        recovered = Run(writer, rollups).recover()
        writer.close()

    reserved = {id for word, id in said if word == "reserved"}
    settled = {id for word, id in said if word == "settled"}
    states = dict(ask("SELECT request_id, state FROM attempt"))
    assert settled
    assert left
    assert recovered == len(left)
    # What somebody was told of is there, as it was told; and nothing is pending or paid twice.
    assert reserved <= states.keys()
    assert {states[id] for id in settled} == {"settled"}
    assert {states[id] for id in left} == {"unknown"}
    assert set(states.values()) == {"settled", "unknown"}
    assert ask("SELECT count(*) FROM request WHERE status IS NULL") == [(0,)]
    assert ask("SELECT sum(cost_nusd) FROM ledger_entry") == [
        (HOLD * len(left) + COST * (len(states) - len(left)),)
    ]
    assert ask("PRAGMA integrity_check") == [("ok",)]
    with closing(connect(database)) as connection:
        assert differences(connection) == []

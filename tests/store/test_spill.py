"""What the database could not take is on the disk all the same (TRUST B14)."""

import logging
import os

import gevent
import pytest

from larouter.core.chat import Usage
from larouter.core.errors import StorageDown
from larouter.store.budgets import Budgets, checked
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.rollups import Share, differences
from larouter.store.settlement import Settlement
from larouter.store.spill import SIZE, Spill
from tests.store.bills import COST, HOLD, MODELS, Book

STATES = "SELECT state, cost_nusd FROM attempt ORDER BY id"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "unwritten.jsonl"


@pytest.fixture
def spill(path):
    spill = Spill(path)
    yield spill
    spill.close()


@pytest.fixture
def book(writer, run, feed, rollups, spill):
    ledger = Ledger(
        writer, run_id=run.id, price_versions=record_prices(writer, MODELS), feed=feed,
        rollups=rollups, spill=spill,
    )  # fmt: skip
    return Book(writer, ledger)


_LOCK = "CREATE TRIGGER refuse BEFORE UPDATE ON attempt"
_LOCKS = {
    "sqlite": (f"{_LOCK} BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END", "DROP TRIGGER refuse"),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'disk I/O error'; END $$;"
        f"{_LOCK} FOR EACH ROW EXECUTE FUNCTION refuse()",
        "DROP TRIGGER refuse ON attempt",
    ),
}


@pytest.fixture
def locked(database_kind, writer):
    """Let the database take nothing, or something again."""
    lock, unlock = _LOCKS[database_kind]

    def locked(is_locked):
        writer.run(lambda connection: connection.execute(lock if is_locked else unlock))

    yield locked
    # PostgreSQL's tables are used again by the next test.
    gone = unlock.replace("TRIGGER", "TRIGGER IF EXISTS")
    writer.run(lambda connection: connection.execute(gone))


def a_settlement(number=1, **changes):
    facts = {
        "attempt_id": number, "state": "settled", "provider_id": "x", "cost": 5,
        "usage": Usage(input=1), "first_ms": 2, "ended_ms": 3, "final": True,
        "request_id": f"req_{number}", "started_ms": 1, "status": 200, "error": None,
        "stage": "rules", "reason": "said “so”", "degraded": None, "baseline": 0,
        "share": Share("p", "SIMPLE", "a/b", ""),
    }  # fmt: skip
    return Settlement(**{**facts, **changes})


def test_there_is_room_before_it_is_needed(spill, path):
    assert path.stat().st_size == SIZE
    assert path.stat().st_blocks * 512 >= SIZE
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(spill) == 0


def test_an_answer_whose_end_cannot_be_written_is_settled_all_the_same(book, locked, spill, ask):
    attempt = book.reserve()
    locked(True)

    assert book.settle(attempt) == COST
    assert len(spill) == book.ledger.spilled == 1
    assert ask(STATES) == [("pending", None)]

    locked(False)
    assert book.ledger.replay() == 1
    assert ask(STATES) == [("settled", COST)]
    assert ask("SELECT status FROM request") == [(200,)]
    assert ask("SELECT sum(cost_nusd) FROM ledger_entry") == [(COST,)]
    assert (len(spill), book.ledger.replay()) == (0, 0)


def test_it_stays_while_the_database_takes_nothing(book, locked, spill):
    attempt = book.reserve()
    locked(True)
    book.settle(attempt)

    with pytest.raises(StorageDown):
        book.ledger.replay()

    assert len(spill) == 1


def test_it_is_there_after_a_restart(book, locked, path, writer, rollups, feed, spill, ask):
    attempts = [book.reserve() for _ in range(3)]
    locked(True)
    for attempt in attempts:
        book.settle(attempt)
    spill.close()
    locked(False)

    again = Spill(path)
    ledger = Ledger(
        writer, run_id="run_2", price_versions={}, feed=feed, rollups=rollups, spill=again
    )

    assert len(again) == 3
    assert ledger.replay() == 3
    assert ask(STATES) == [("settled", COST)] * 3
    assert writer.run(differences) == []
    assert len(Spill(path)) == 0


def test_what_was_written_before_is_not_written_twice(book, spill, ask):
    attempt = book.bill()
    spill.keep(a_settlement(attempt.id, cost=99))

    book.ledger.replay()

    assert ask(STATES) == [("settled", COST)]


def test_what_comes_in_the_meantime_stays(spill):
    spill.keep(a_settlement(1))
    seen: list[int] = []

    def apply(settled):
        seen.append(settled.attempt_id)
        if len(seen) == 1:
            spill.keep(a_settlement(2))

    assert spill.replay(apply) == 1
    assert len(spill) == 2
    assert spill.replay(apply) == 2
    assert seen == [1, 1, 2]


def test_what_is_being_written_is_not_wiped(spill, path):
    spill.keep(a_settlement(1))

    writing = gevent.spawn(spill.keep, a_settlement(2))
    gevent.sleep(0)
    spill.replay(lambda settled: None)
    writing.get()

    assert len(spill) == 2
    assert len(Spill(path)) == 2


def test_a_line_that_failed_leaves_the_later_ones(spill, path, monkeypatch):
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *_: _fail())
    with pytest.raises(StorageDown):
        spill.keep(a_settlement(1))
    monkeypatch.setattr(os, "pwrite", write)

    spill.keep(a_settlement(2))

    assert len(Spill(path)) == 1


def _fail():
    raise OSError(5, "Input/output error")


def test_it_comes_back_as_it_was(spill, path):
    settled = a_settlement(7, cost=None, error="crash", final=False)
    spill.keep(settled)

    seen: list[Settlement] = []
    Spill(path).replay(seen.append)

    assert seen == [settled]


def test_half_a_line_is_passed_over(spill, path, caplog):
    spill.keep(a_settlement(1))
    spill.keep(a_settlement(2))
    whole = path.read_bytes().index(b"\n") + 1
    with path.open("r+b") as file:
        file.seek(whole + 20)
        file.write(bytes(SIZE - whole - 20))

    with caplog.at_level(logging.ERROR):
        assert len(Spill(path)) == 1
    assert "cannot be read" in caplog.text


def test_when_it_is_full_it_says_so(spill):
    with pytest.raises(StorageDown):
        spill.keep(a_settlement(1, reason="x" * SIZE))

    assert len(spill) == 0


def test_a_folder_without_room_is_told_at_the_start(tmp_path):
    with pytest.raises(StorageDown, match=r"unwritten\.jsonl"):
        Spill(tmp_path / "nowhere" / "unwritten.jsonl")


def test_a_disk_that_fails_is_told(spill, monkeypatch):
    monkeypatch.setattr(os, "pwrite", lambda *_: _fail())
    with pytest.raises(StorageDown):
        spill.keep(a_settlement(1))
    assert len(spill) == 0


def test_budgets_get_back_what_was_held(writer, run, feed, rollups, spill, locked, ask):
    budgets = Budgets(writer, "UTC")
    book = Book(
        writer,
        Ledger(
            writer, run_id=run.id, price_versions={}, feed=feed, rollups=rollups,
            budgets=budgets.of, spill=spill,
        ),
    )  # fmt: skip
    budgets.add(checked(project_id=book.project.id, name="Cap", cap=10**9))
    attempt = book.reserve()
    assert ask("SELECT spent, reserved FROM budget_window") == [(0, HOLD)]
    locked(True)
    book.settle(attempt)
    locked(False)

    book.ledger.replay()

    assert ask("SELECT spent, reserved FROM budget_window") == [(COST, 0)]

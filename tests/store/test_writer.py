import sqlite3
import threading
import time
from contextlib import closing

import gevent
import pytest

from larouter.core.errors import StorageDown
from larouter.store.sqlite import SqliteFile
from larouter.store.writer import Writer, now_ms

INSERT = "INSERT INTO setting (name, value) VALUES (?, ?)"


def note(name, value="x"):
    """A job that writes one row and gives its name."""

    def job(connection):
        connection.execute(INSERT, (str(name), value))
        return name

    return job


@pytest.fixture
def names(ask):
    return lambda: sorted(name for (name,) in ask("SELECT name FROM setting"))


@pytest.fixture
def statements(writer):
    """Everything that the writer's connection runs from now on."""
    seen: list[str] = []
    writer.run(lambda connection: connection.set_trace_callback(seen.append))
    seen.clear()
    return seen


@pytest.fixture
def busy(writer):
    """Keep the writer in a job of its own, until `set`: what is handed over meanwhile queues."""
    started, release = threading.Event(), threading.Event()

    def job(_):
        started.set()
        release.wait(10)

    keeper = gevent.spawn(writer.run, job)
    while not started.is_set():
        gevent.sleep(0.001)
    yield release
    release.set()
    keeper.join(10)


def hand_over(writer, *jobs):
    """Start a greenlet for each job; return once they all sleep."""
    greenlets = [gevent.spawn(writer.run, job) for job in jobs]
    gevent.sleep(0.01)
    return greenlets


def refused(writer, job):
    with pytest.raises(StorageDown) as caught:
        writer.run(job)
    return caught.value


def test_a_job_gives_its_result(writer):
    assert writer.run(note("a")) == "a"


def test_a_job_is_committed_when_run_returns(writer, names):
    writer.run(note("a"))

    assert names() == ["a"]


def test_what_queues_up_is_committed_together(writer, statements, busy, names):
    greenlets = hand_over(writer, *map(note, range(40)))
    statements.clear()

    busy.set()
    gevent.joinall(greenlets, timeout=10)

    # One commit ends the job that kept the writer busy.
    assert statements.count("COMMIT") == 2
    assert len(names()) == 40


def test_more_than_a_batch_is_committed_too(writer, busy, names):
    greenlets = hand_over(writer, *map(note, range(300)))

    busy.set()
    gevent.joinall(greenlets, timeout=10)

    assert [greenlet.value for greenlet in greenlets] == list(range(300))
    assert len(names()) == 300


def test_jobs_run_in_the_order_of_their_handing_over(writer, busy):
    order = []
    greenlets = hand_over(writer, *(lambda _, n=n: order.append(n) for n in range(100)))

    busy.set()
    gevent.joinall(greenlets, timeout=10)

    assert order == list(range(100))


@pytest.mark.parametrize(
    ("bad", "raised"),
    [
        (lambda _: 1 / 0, ZeroDivisionError),
        (lambda connection: connection.execute(INSERT, ("n", 2**70)), OverflowError),
        (lambda connection: connection.execute(INSERT, ("n", None)), StorageDown),
        (lambda connection: connection.execute("nonsense"), StorageDown),
    ],
)
def test_a_failing_job_takes_no_other_along(bad, raised, writer, busy, names):
    before, failing, after = hand_over(writer, note("a"), bad, note("b"))

    busy.set()
    gevent.joinall([before, failing, after], timeout=10)

    assert isinstance(failing.exception, raised)
    assert (before.value, after.value) == ("a", "b")
    assert names() == ["a", "b"]


def test_a_failing_job_leaves_nothing_of_its_own(writer, names):
    def half(connection):
        note("a")(connection)
        raise LookupError

    with pytest.raises(LookupError):
        writer.run(half)

    assert names() == []


def test_native_threads_write_too(writer, names):
    def work(thread):
        for number in range(20):
            writer.run(note(f"{thread}-{number}"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(names()) == 80


def test_threads_and_greenlets_share_one_writer(writer, names):
    thread = threading.Thread(target=lambda: [writer.run(note(f"t{n}")) for n in range(30)])
    thread.start()
    greenlets = [gevent.spawn(writer.run, note(f"g{n}")) for n in range(30)]
    gevent.joinall(greenlets, timeout=10)
    thread.join(20)

    assert len(names()) == 60


def test_the_job_of_a_killed_waiter_is_committed(writer, busy, names):
    (waiter,) = hand_over(writer, note("a"))

    waiter.kill()
    busy.set()
    writer.run(note("b"))

    assert names() == ["a", "b"]


def test_a_killed_waiter_wakes_nobody_else(writer, busy):
    waiters = hand_over(writer, *map(note, range(3)))

    waiters[1].kill()
    busy.set()
    gevent.joinall(waiters, timeout=10)

    assert (waiters[0].value, waiters[2].value) == (0, 2)
    assert isinstance(waiters[1].value, gevent.GreenletExit)


def test_a_waiter_with_a_deadline_leaves_in_time(writer, busy):
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.02):
        writer.run(note("a"))


def test_another_switch_does_not_end_the_wait(writer, busy):
    (waiter,) = hand_over(writer, note("a"))

    gevent.get_hub().loop.run_callback(waiter.switch)
    gevent.sleep(0.01)
    still_waiting = not waiter.dead
    busy.set()
    waiter.join(10)

    assert still_waiting
    assert waiter.value == "a"


def test_the_hub_goes_on_while_the_writer_is_in_a_job(writer):
    ticks = []

    def tick():
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0.005)

    ticker = gevent.spawn(tick)
    writer.run(lambda _: time.sleep(0.3))
    ticker.kill()

    assert len(ticks) > 10


def test_a_lock_of_another_process_is_waited_for(writer, database, names):
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiter = gevent.spawn(writer.run, note("a"))
        gevent.sleep(0.1)
        waited = not waiter.dead
        other.execute("ROLLBACK")
        waiter.join(10)

    assert waited
    assert names() == ["a"]


def test_a_lock_that_stays_is_storage_down(writer, database):
    writer.run(lambda connection: connection.execute("PRAGMA busy_timeout=20"))

    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused(writer, note("a"))


@pytest.fixture
def full(writer):
    """The database may not grow any more: what a full disk looks like."""
    writer.run(lambda connection: connection.execute("PRAGMA max_page_count=1").fetchall())

    def room_again():
        writer.run(lambda c: c.execute("PRAGMA max_page_count=1000000").fetchall())

    return room_again


BIG = "x" * 1_000_000


def test_a_full_disk_is_storage_down(writer, full):
    error = refused(writer, note("a", BIG))

    assert (error.status, error.code) == (503, "storage_unavailable")
    assert "disk space" in error.message


def test_a_full_disk_says_nothing_of_files_and_statements(writer, full, database):
    error = refused(writer, note("a", BIG))

    assert str(database) not in error.message
    assert "INSERT" not in error.message


def test_nobody_is_told_of_a_write_that_did_not_last(writer, full, busy, names):
    jobs = hand_over(writer, note("a"), note("b", BIG), note("c"))

    busy.set()
    gevent.joinall(jobs, timeout=10)

    assert names() == sorted(job.value for job in jobs if job.successful())
    assert not jobs[1].successful()


def test_writing_goes_on_once_there_is_room_again(writer, full, names):
    refused(writer, note("a", BIG))

    full()
    writer.run(note("b", BIG))

    assert names() == ["b"]


def test_a_read_only_database_is_storage_down(writer, names):
    writer.run(lambda connection: connection.execute("PRAGMA query_only=1"))

    refused(writer, note("a"))

    assert names() == []


def test_a_folder_that_is_not_there_is_an_error_at_once(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        Writer(SqliteFile(tmp_path / "nowhere" / "larouter.db"))


def test_close_commits_what_was_handed_over(writer, busy, names):
    jobs = hand_over(writer, *map(note, range(30)))

    threading.Timer(0.05, busy.set).start()
    writer.close()
    gevent.joinall(jobs, timeout=10)

    assert [job.value for job in jobs] == list(range(30))
    assert len(names()) == 30


def test_close_leaves_nobody_waiting(writer, names):
    waiter = gevent.spawn(writer.run, note("a"))
    gevent.spawn(writer.close)
    waiter.join(timeout=0.5)

    assert waiter.dead
    assert names() == (["a"] if waiter.successful() else [])


def test_close_gives_the_file_back(writer, database):
    writer.run(note("a"))

    writer.close()

    assert [path.name for path in database.path.parent.iterdir()] == [database.path.name]


def test_a_closed_writer_refuses(writer):
    writer.close()

    assert "shutting down" in refused(writer, note("a")).message


def test_close_is_idempotent(writer):
    writer.close()
    writer.close()


def test_now_is_unix_time_in_milliseconds():
    assert abs(now_ms() - time.time() * 1000) < 1000

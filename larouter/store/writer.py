"""The one writer: a native thread that owns the database connection and groups commits.

A greenlet hands over a job and sleeps until the job is committed; the gevent hub never waits for
the disk (TRUST B16). Whatever has queued up while the last commit ran is committed together, each
job in a SAVEPOINT of its own so that one failure does not take the others along; a job that is
alone is the whole transaction, and needs none.

Jobs are handed over once per turn of the loop, all that came up in it together: the thread is
woken once, and has its batch. The hand-over uses the original queue and `loop.async_()`: a lock
patched by gevent must never be shared between threads.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

import gevent
from gevent.monkey import get_original

from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.store.sql import Connection, Database, Error, IntegrityError, is_damage

T = TypeVar("T")
Job = Callable[[Connection], T]

_BATCH = 64

logger = logging.getLogger(__name__)

_SimpleQueue: Any = get_original("queue", "SimpleQueue")
_Empty: Any = get_original("queue", "Empty")
_start_thread: Any = get_original("_thread", "start_new_thread")
_allocate_lock: Any = get_original("_thread", "allocate_lock")


class Batch(Protocol):
    """What jobs leave to be written once for all of them."""

    def flush(self, connection: Connection) -> None:
        """Write it: the commit comes next."""
        ...

    def forget(self) -> None:
        """The batch is rolled back."""
        ...


class _Ticket:
    """A job under way and the greenlet that waits for it."""

    __slots__ = ("error", "hub", "job", "ready", "result", "waiter")

    def __init__(self, job: Job[Any], hub: _Hub) -> None:
        self.job = job
        self.hub = hub
        self.waiter: Any = gevent.getcurrent()
        self.ready = False
        self.result: Any = None
        self.error: BaseException | None = None


class _Hub:
    """One thread's side of the hand-over. One async watcher wakes all of its greenlets."""

    __slots__ = ("_done", "_jobs", "_new", "_watcher", "closed", "hub")

    def __init__(self, jobs: Any) -> None:
        self.hub = gevent.get_hub()
        self.closed = False
        self._jobs = jobs
        self._new: list[_Ticket] = []
        self._done: deque[_Ticket] = deque()
        self._watcher = self.hub.loop.async_()
        self._watcher.start(self._wake)

    def add(self, ticket: _Ticket) -> None:
        """Hand the ticket over at the end of this turn of the loop."""
        if not self._new:
            self.hub.loop.run_callback(self.hand_over)
        self._new.append(ticket)

    def hand_over(self) -> None:
        tickets, self._new = self._new, []
        if not self.closed:
            self._jobs.put(tickets)
            return
        for ticket in tickets:
            ticket.error = _shutting_down()
        self._done.extend(tickets)
        self._wake()

    def finish(self, tickets: list[_Ticket]) -> None:
        """Called in the writer's thread."""
        self._done.extend(tickets)
        self._watcher.send()

    def _wake(self) -> None:
        while self._done:
            ticket = self._done.popleft()
            ticket.ready = True
            # A waiter that was killed in the meantime has taken its name off.
            if ticket.waiter is not None:
                ticket.waiter.switch()


class Writer:
    """Runs jobs one after another on one connection. `close` commits what was handed over."""

    def __init__(self, database: Database) -> None:
        """Raises `Error`."""
        self.batch: Batch | None = None
        """What is told of each batch, in the writer's thread."""
        self._jobs = _SimpleQueue()
        self._hubs: dict[int, _Hub] = {}
        self._closed = False
        self.is_damaged = False
        """Nothing is written any more (TRUST A9)."""
        self.is_failing = False
        """The last batch could not be written."""
        self._gone = _allocate_lock()
        self._gone.acquire()
        self._begin = database.begin
        self._connection = database.connect()
        _start_thread(self._work, ())

    def run(self, job: Job[T]) -> T:
        """Run `job` in the writer's transaction and return its result once it is committed.

        Raises what the job raises, and `StorageDown` when the database cannot be written.
        """
        if self._closed:
            raise _shutting_down()
        if self.is_damaged:
            raise DatabaseDamaged
        ticket = _Ticket(job, self._hub())
        ticket.hub.add(ticket)
        # A loop, because anyone may switch to a greenlet; KeyboardInterrupt leaves it.
        try:
            while not ticket.ready:
                ticket.hub.hub.switch()
        finally:
            ticket.waiter = None
        if isinstance(ticket.error, Error):
            logger.error("the database refused a write: %s", ticket.error)
            self.is_failing = not isinstance(ticket.error, IntegrityError)
            if is_damage(ticket.error):
                self.stop_for_damage()
                raise DatabaseDamaged from ticket.error
            raise StorageDown(
                "LARouter cannot write to its database. Check free disk space and the data folder."
            ) from ticket.error
        if ticket.error is not None:
            raise ticket.error
        return cast(T, ticket.result)

    @property
    def queued(self) -> int:
        """How many batches wait for the thread."""
        return int(self._jobs.qsize())

    def stop_for_damage(self) -> None:
        """Write nothing any more: what is written on would be lost, and might spoil the rest."""
        self.is_damaged = True

    def close(self) -> None:
        """Finish what is queued, then close the file."""
        if not self._closed:
            self._closed = True
            for hub in self._hubs.values():
                if hub.hub is gevent.get_hub():
                    hub.hand_over()
                hub.closed = True
            self._jobs.put(None)
            self._gone.acquire()

    def _hub(self) -> _Hub:
        identity = id(gevent.get_hub())
        found = self._hubs.get(identity)
        if found is None:
            found = self._hubs[identity] = _Hub(self._jobs)
        return found

    def _work(self) -> None:
        try:
            while (tickets := self._next_batch()) is not None:
                self._commit(tickets)
                self._tell(tickets)
        finally:
            self._connection.close()
            self._gone.release()

    def _next_batch(self) -> list[_Ticket] | None:
        """Everything that has been handed over, up to a bound; None at the end."""
        batch = self._jobs.get()
        while batch is not None and len(batch) < _BATCH:
            try:
                more = self._jobs.get_nowait()
            except _Empty:
                break
            if more is None:
                self._jobs.put(None)
                break
            batch = batch + more
        return cast("list[_Ticket] | None", batch)

    def _commit(self, tickets: list[_Ticket]) -> None:
        connection = self._connection
        try:
            connection.execute(self._begin)
            self._run_all(connection, tickets)
            if self.batch is not None:
                self.batch.flush(connection)
            connection.execute("COMMIT")
            self.is_failing = False
        except Exception as error:  # noqa: BLE001 - a thread boundary: the waiters raise it
            if self.batch is not None:
                self.batch.forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for ticket in tickets:
                ticket.error = ticket.error or error

    def _run_all(self, connection: Connection, tickets: list[_Ticket]) -> None:
        if len(tickets) > 1:
            for ticket in tickets:
                self._run_one(connection, ticket)
            return
        tickets[0].result = tickets[0].job(connection)
        if not connection.in_transaction:
            # SQLite may end one by itself; what comes next would be written alone.
            raise Error("the transaction ended before its commit")

    def _run_one(self, connection: Connection, ticket: _Ticket) -> None:
        connection.execute("SAVEPOINT job")
        try:
            ticket.result = ticket.job(connection)
        except Exception as error:  # noqa: BLE001 - a thread boundary: the waiter raises it
            ticket.error = error
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")

    def _tell(self, tickets: list[_Ticket]) -> None:
        by_hub: dict[int, list[_Ticket]] = {}
        for ticket in tickets:
            by_hub.setdefault(id(ticket.hub), []).append(ticket)
        for group in by_hub.values():
            group[0].hub.finish(group)


def _shutting_down() -> StorageDown:
    return StorageDown("LARouter is shutting down.")


def now_ms() -> int:
    """Unix milliseconds, UTC."""
    return int(time.time() * 1000)

"""The queue of downloads: some run at once, the others wait; pause, go on, cancel, remove.

What is wanted is in the orders' files (`orders.py`); whoever holds the lock of the folder makes it
so, with a worker process for each order that runs. Among several processes (`serve --workers`)
the others write orders, and read how far they are. When the owner is killed its workers leave, and
the next owner goes on where they stopped.
"""

from __future__ import annotations

import logging
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from filelock import FileLock, Timeout

from larouter.config import import_path
from larouter.core.errors import Conflict, LARouterError, NotFound
from larouter.downloads.order import Order, Piece, State
from larouter.downloads.orders import Orders
from larouter.downloads.place import Place
from larouter.downloads.process import HUB_ENVIRONMENT, Line, Process
from larouter.downloads.room import check_room
from larouter.downloads.row import Row, row_of
from larouter.downloads.worker import Job

logger = logging.getLogger(__name__)

AT_ONCE = 2
_LOOK_S = 1.0
_CRASHES = 3
_CANCEL_S = 8.0
_PAUSE_S = 60.0
_CRASHED = "It ended unexpectedly, several times; the log says where. Resume it to try again."

T = TypeVar("T")
Offload = Callable[[Callable[[], T]], T]


@dataclass(slots=True)
class _Run:
    """One order at work."""

    process: Process | None = None
    last: Line = field(default_factory=dict)
    end: Line | None = None
    is_stopping: bool = False


def here(work: Callable[[], T]) -> T:
    """Do it at once: where nobody else waits for this thread."""
    return work()


class Downloads:
    """The downloads of this machine."""

    def __init__(
        self,
        place: Place,
        *,
        offload: Callable[[Callable[[], Any]], Any] = here,
        on_done: Callable[[Order], None] = lambda order: None,  # may raise `LARouterError`
        is_shared: bool = False,
        at_once: int = AT_ONCE,
        python: Sequence[str] = (sys.executable,),
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """`offload` does what touches the disk elsewhere than in the hub. `is_shared`: other
        processes may want something, too."""
        self._place = place
        self._offload: Callable[[Callable[[], Any]], Any] = offload
        self._on_done = on_done
        self._is_shared = is_shared
        self._at_once = at_once
        self._command = [*python, "-m", "larouter.downloads.worker"]
        self._free = free
        self._orders = Orders(place.models)
        self._lock: FileLock | None = None
        self._runs: dict[str, _Run] = {}
        self._crashes: dict[str, int] = {}
        self._unwritten: dict[str, float] = {}
        """Until when what could not be written down is left alone."""
        self._mine: set[str] | None = set()
        """The orders that this process may run; None: all. A command runs only its own."""
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def serve(self) -> None:
        """Go on with what was under way when the last server ended, and with what comes."""
        self._mine = None
        self._start_thread()

    def start(self, order: Order) -> Row:
        """Download a model. Raises `Conflict`, `DiskFull`."""

        def edit(before: Order | None) -> Order | None:
            if before is not None and before.state == "done" and self._orders.are_whole(before):
                return None
            self._check_room(order)
            return order

        self._offload(lambda: self._orders.change(order.id, edit))
        return self._changed(order.id)

    def pause(self, order_id: str) -> Row:
        """Stop it for now; what has arrived stays. Raises `NotFound`, `Conflict`."""
        self._set(order_id, "paused", {"queued", "paused"}, "cannot be paused")
        return self._changed(order_id)

    def resume(self, order_id: str) -> Row:
        """Go on with what is paused or has failed. Raises `NotFound`, `Conflict`, `DiskFull`."""
        self._set(order_id, "queued", {"queued", "paused", "failed"}, "cannot be resumed")
        return self._changed(order_id)

    def cancel(self, order_id: str) -> int:
        """Give it up, and free what has arrived of it: return how many bytes that were."""
        order = self._set(
            order_id, "cancelled", {"queued", "paused", "failed", "cancelled"}, "is complete"
        )
        freed: int = self._offload(lambda: self._orders.arrived(order))
        self._nudge(order_id)
        deadline = time.monotonic() + _CANCEL_S
        while (
            (left := self._offload(lambda: self._orders.get(order_id)))
            and left.state != "done"
            and time.monotonic() < deadline
        ):
            self._closed.wait(0.02)
        if left is not None and left.state == "done":
            # It came an instant before: the model is here.
            raise Conflict(f"The download of {order_id} is complete.", code="download_state")
        return freed

    def forget(self, order_id: str) -> None:
        """A model that was removed was never downloaded."""
        order = self._offload(lambda: self._orders.get(order_id))
        if order is not None and order.state != "done":
            self.cancel(order_id)
        elif order is not None:
            self._offload(lambda: self._orders.drop(order))

    def rows(self) -> list[Row]:
        """All of them, the oldest first."""
        found: list[Row] = self._offload(lambda: self._look(self._orders.all()))
        return found

    def orders(self) -> list[Order]:
        """All of them, as they are written down."""
        found: list[Order] = self._offload(self._orders.all)
        return found

    def row(self, order_id: str) -> Row:
        """One of them. Raises `NotFound`."""
        order = self._offload(lambda: self._orders.get(order_id))
        rows: list[Row] = self._offload(lambda: self._look([order])) if order else []
        if not rows:
            raise _unknown(order_id)
        return rows[0]

    def watch(self, every_s: float, life_s: float) -> Iterator[list[Row] | None]:
        """The rows whenever they have changed, else None; until `stop`."""
        before: list[Row] | None = None
        end = time.monotonic() + life_s
        while not self._closed.is_set() and time.monotonic() < end:
            rows = self.rows()
            yield rows if rows != before else None
            before = rows
            self._closed.wait(every_s)

    def stop(self) -> None:
        """Begin to end: watchers first, as a server's stop would wait for them."""
        self._closed.set()
        self._wake.set()

    def close(self) -> None:
        """End what runs; the next server goes on with it."""
        self.stop()
        if self._thread is not None:
            self._thread.join(_CANCEL_S)
        if self._lock is not None:
            self._lock.release()

    def _look(self, orders: list[Order]) -> list[Row]:
        """Without those of which somebody has taken the files away."""
        told = self._orders.told() if self._is_shared and self._lock is None else {}
        said = {**told, **{order_id: run.last for order_id, run in self._runs.items()}}
        return [
            row_of(order, said.get(order.id), self._orders.arrived(order))
            for order in orders
            if order.state != "done" or self._orders.are_whole(order)
        ]

    def _set(self, order_id: str, state: State, allowed: set[str], refused: str) -> Order:
        def edit(before: Order | None) -> Order:
            if before is None or before.state == "cancelled" != state:
                raise _unknown(order_id)
            if before.state not in allowed:
                raise Conflict(f"The download of {order_id} {refused}.", code="download_state")
            if state == "queued" and before.state != "queued":
                self._check_room(before)
            return msgspec.structs.replace(before, state=state, code=None, message=None)

        changed: Order = self._offload(lambda: self._orders.change(order_id, edit))
        return changed

    def _check_room(self, order: Order) -> None:
        check_room(self._orders, order, self._free, self._place.reserve)

    def _changed(self, order_id: str) -> Row:
        self._nudge(order_id)
        return self.row(order_id)

    def _nudge(self, order_id: str) -> None:
        if self._mine is not None:
            self._mine.add(order_id)
        self._crashes.pop(order_id, None)
        self._unwritten.pop(order_id, None)
        self._start_thread()
        self._wake.set()

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            while not self._closed.is_set():
                try:
                    self._turn()
                except Exception:
                    # The thread's boundary: the next turn may do better.
                    logger.exception("the downloads could not be looked after")
                busy = bool(self._runs or self._unwritten) or self._is_shared or self._lock is None
                self._wake.wait(_LOOK_S if busy else None)
                self._wake.clear()
        finally:
            for run in list(self._runs.values()):
                if run.process is not None:
                    run.is_stopping = True
                    run.process.stop()

    def _turn(self) -> None:
        """Make what is wanted so."""
        orders = [order for order in self._offload(self._orders.all) if self._may(order)]
        if (not orders and self._lock is None) or not self._own():
            return
        wanted = [order for order in orders if order.state == "queued"]
        self._end_all_but({order.id for order in wanted})
        for order in orders:
            if order.state == "cancelled" and order.id not in self._runs:
                self._offload(partial(self._orders.drop, order))
        for order in wanted:
            rests = self._unwritten.get(order.id, 0.0) > time.monotonic()
            if order.id not in self._runs and len(self._runs) < self._at_once and not rests:
                self._run(order)
        if self._is_shared:
            told = {order_id: run.last for order_id, run in self._runs.items()}
            self._offload(lambda: self._orders.tell(told))

    def _end_all_but(self, wanted: set[str]) -> None:
        for order_id, run in list(self._runs.items()):
            if order_id not in wanted and run.process is not None:
                run.is_stopping = True
                run.process.let_go()

    def _may(self, order: Order) -> bool:
        return self._mine is None or order.id in self._mine

    def _own(self) -> bool:
        if self._lock is None:
            self._offload(self._orders.prepare)
            lock = FileLock(self._orders.folder / "owner.lock", mode=0o600, thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return False
            self._lock = lock
        return True

    def _run(self, order: Order) -> None:
        run = self._runs[order.id] = _Run()
        place = self._place
        job = Job(
            order=order,
            models=str(place.models),
            endpoint=place.endpoint,
            token=place.token,
            proxies=dict(place.proxies),
            reserve=place.reserve,
        )
        try:
            run.process = Process(
                self._command,
                msgspec.json.encode(job),
                environment={
                    **place.environment, **HUB_ENVIRONMENT,
                    "PYTHONPATH": import_path(place.environment),
                },
                on_line=lambda line: self._hear(order.id, run, line),
                on_end=lambda: self._ended(order.id, run),
            )  # fmt: skip
        except OSError:
            del self._runs[order.id]
            raise
        logger.info("downloading %s", order.id)

    def _hear(self, order_id: str, run: _Run, line: Line) -> None:
        if "end" in line:
            run.end = line
        elif "files" in line:
            files = msgspec.convert(line["files"], tuple[Piece, ...])
            # What the hub said is kept: after a break, the same files are gone on with.
            self._edit(order_id, lambda order: msgspec.structs.replace(order, files=files))
        elif line["phase"] == "waiting":
            run.last = {**run.last, **line}
        else:
            run.last = line

    def _ended(self, order_id: str, run: _Run) -> None:
        end = run.end
        if end is None and not run.is_stopping:
            end = {"end": "crashed", "what": "it said nothing"}
        try:
            if end is not None and end["end"] == "done":
                end = self._tell_done(order_id, end)
            if end is not None and (after := self._edit(order_id, self._outcome(order_id, end))):
                logger.info("the download of %s: %s", order_id, after.message or after.state)
        finally:
            self._runs.pop(order_id, None)
            self._wake.set()

    def _tell_done(self, order_id: str, end: Line) -> Line:
        """It is done when whoever wanted it has taken it; what is no model is not taken. Killed in
        between, the order is still open: the next worker finds the file in its place."""
        order = self._offload(lambda: self._orders.get(order_id))
        if order is None:
            return end
        try:
            self._on_done(self._outcome(order_id, end)(order))
        except LARouterError as error:
            if error.status >= 500:
                return {"end": "crashed", "what": error.message}
            return {"end": "failed", "code": error.code, "message": error.message}
        except OSError as error:
            return {"end": "crashed", "what": str(error)}
        return end

    def _outcome(self, order_id: str, end: Line) -> Callable[[Order], Order]:
        """What an order becomes when its worker has ended."""
        now = round(time.time() * 1000)
        if end["end"] == "done":
            files = msgspec.convert(end["files"], tuple[Piece, ...])
            # Also where somebody wanted it to stop an instant before.
            return lambda order: msgspec.structs.replace(
                order, state="done", files=files, code=None, message=None, ended_ms=now
            )
        if end["end"] == "failed":
            code, message = str(end["code"]), str(end["message"])
        else:
            crashes = self._crashes[order_id] = self._crashes.get(order_id, 0) + 1
            logger.error("the download of %s crashed: %s", order_id, end["what"])
            if crashes < _CRASHES:
                return lambda order: order
            code, message = "download_crashed", _CRASHED
        return lambda order: (
            msgspec.structs.replace(order, state="failed", code=code, message=message, ended_ms=now)
            if order.state == "queued"
            else order
        )

    def _edit(self, order_id: str, edit: Callable[[Order], Order]) -> Order | None:
        def guarded() -> Order | None:
            return self._orders.change(order_id, lambda order: edit(order) if order else None)

        try:
            after: Order | None = self._offload(guarded)
        except (OSError, LARouterError):
            logger.exception("what became of the download of %s cannot be written", order_id)
            # As on a full disk: begun again at once, it would only end the same way.
            self._unwritten[order_id] = time.monotonic() + _PAUSE_S
            return None
        return after


def _unknown(order_id: str) -> NotFound:
    return NotFound(
        f"There is no download of {order_id!r}. larouter models downloads lists them.",
        code="download_not_found",
    )

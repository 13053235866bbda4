"""The child process that runs one order: `python -m larouter.downloads.worker`.

It gets its order as one JSON line on stdin, as the hub's token and a proxy's password must not be
in a command line, and tells how it goes by JSON lines on stdout. The end of stdin means that its
parent is gone or wants it to stop: it leaves at once, and what has arrived stays for the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import IO, Any, NoReturn

import msgspec
from filelock import FileLock

from larouter.downloads.failed import Again, Failed
from larouter.downloads.order import Order, Piece, checked
from larouter.downloads.orders import Orders
from larouter.downloads.part import Part, put_in_place, unwritable
from larouter.downloads.source import Hub, Source
from larouter.downloads.transfer import TRIES, Transfer

_TELL_S = 0.25
_WINDOW_S = 5.0
_PIECE = 1024 * 1024
_LOCK_S = 15.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """The line on stdin."""

    order: Order
    models: str
    endpoint: str
    token: str | None = None
    proxies: dict[str, str] = {}
    reserve: int = 0
    stalled_s: float = 30.0


def main() -> NoReturn:
    # Ctrl-C in a terminal reaches the whole group; the parent then ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    job = msgspec.json.decode(_line(), type=Job)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    teller = Teller(out, job.order)
    try:
        order = run(job, teller)
    except Failed as fault:
        teller.fail(fault)
    except OSError as error:
        # Of the network's it is none: those are `Again`. One without a number is a lock's.
        teller.fail(unwritable(error)) if error.errno else teller.crash(error)
    except Exception as error:  # noqa: BLE001 - the boundary of the process: its parent logs it
        teller.crash(error)
    else:
        teller.say({"end": "done", "files": msgspec.to_builtins(order.files)})
    os._exit(0)


def run(job: Job, teller: Teller) -> Order:
    """Bring every file of the order; they appear together, the main one last."""
    hub = Hub(endpoint=job.endpoint, token=job.token, proxies=job.proxies, stalled_s=job.stalled_s)
    order = checked(job.order)
    if any(not piece.is_known for piece in order.files):
        order = msgspec.structs.replace(order, files=_ask(hub, order, teller))
    teller.begin(order)
    orders = Orders(Path(job.models))
    orders.prepare()
    source = Source(hub)
    # Of a server that was killed, the worker may be about to leave.
    with FileLock(orders.lock(order.id), timeout=_LOCK_S, mode=0o600):
        _bring(job, order, orders, source, teller)
    return order


def _bring(job: Job, order: Order, orders: Orders, source: Source, teller: Teller) -> None:
    brought = [piece for piece in order.files if not _is_there(orders, piece, teller)]
    for piece in brought:
        with teller.file(piece):
            part = Part(
                orders.part(piece.name),
                orders.state(piece.name),
                piece,
                free=lambda folder: shutil.disk_usage(folder).free,
                reserve=job.reserve,
            )
            try:
                Transfer(source, teller).fill(piece, part)
            finally:
                part.close()
    for piece in reversed(brought):
        put_in_place(orders.part(piece.name), orders.models / piece.name)
        orders.state(piece.name).unlink(missing_ok=True)


class Teller:
    """Says how it goes, four times a second at most."""

    def __init__(self, out: IO[str], order: Order) -> None:
        self._out = out
        self._total = order.total
        self._before = 0
        self._told_at = 0.0
        self._phase = "asking"
        self._recent: deque[tuple[float, int]] = deque()

    def begin(self, order: Order) -> None:
        """The sizes are known now."""
        self._total = order.total
        self.say({"files": msgspec.to_builtins(order.files)})

    def file(self, piece: Piece) -> _Counted:
        return _Counted(self, piece.bytes or 0)

    def count(self, size: int) -> None:
        """A file is whole: the next one's bytes come on top."""
        self._before += size

    def on_bytes(self, phase: str, size: int) -> None:
        now = time.monotonic()
        if phase == self._phase and now - self._told_at < _TELL_S:
            return
        done = self._before + size
        if phase != self._phase:
            self._recent.clear()
        self._phase, self._told_at = phase, now
        self._recent.append((now, done))
        while now - self._recent[0][0] > _WINDOW_S:
            self._recent.popleft()
        self.say({"phase": phase, "done": done, "total": self._total, "speed": self._speed()})

    def on_wait(self, why: str, wait_s: float) -> None:
        self._phase = "waiting"
        if wait_s >= 1:
            self.say({"phase": "waiting", "why": why, "wait_s": round(wait_s, 1)})

    def say(self, line: dict[str, Any]) -> None:
        self._out.write(json.dumps(line) + "\n")
        self._out.flush()

    def fail(self, fault: Failed) -> None:
        self.say({"end": "failed", "code": fault.code, "message": fault.message})

    def crash(self, error: Exception) -> None:
        """Not by its words: they may hold an address with a signature."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}"
        self.say({"end": "crashed", "what": what})

    def _speed(self) -> int | None:
        """Bytes a second, over the last seconds."""
        (first, before), (last, now) = self._recent[0], self._recent[-1]
        return round((now - before) / (last - first)) if last - first >= _TELL_S else None


class _Counted:
    """While one file comes."""

    def __init__(self, teller: Teller, size: int) -> None:
        self._teller, self._size = teller, size

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._teller.count(self._size)


def _ask(hub: Hub, order: Order, teller: Teller) -> tuple[Piece, ...]:
    # It takes half a second to import, and most orders know all that they need.
    from larouter.downloads.hub import complete  # noqa: PLC0415

    tries = 0
    while True:
        try:
            return complete(hub, order.files)
        except Again as fault:
            tries += 1
            if tries >= TRIES and not fault.is_network:
                raise Failed(f"{fault.why}. Try again later.", code="hub_failing") from fault
            wait_s = min(fault.wait_s if fault.wait_s is not None else 2.0**tries, 60.0)
            teller.on_wait(fault.why, wait_s)
            time.sleep(wait_s)


def _is_there(orders: Orders, piece: Piece, teller: Teller) -> bool:
    """Is the file in its place already, and the right one? Then it is not brought again."""
    final, part = orders.models / piece.name, orders.part(piece.name)
    if not os.path.lexists(final):
        return False
    if part.exists() and part.samefile(final):
        # Ended between the two steps of putting it in place.
        part.unlink()
        orders.state(piece.name).unlink(missing_ok=True)
    if not final.is_symlink() and final.is_file() and final.stat().st_size == piece.bytes:
        found = hashlib.sha256()
        with final.open("rb") as file:
            while data := file.read(_PIECE):
                found.update(data)
                teller.on_bytes("checking", file.tell())
        if found.hexdigest() == piece.sha256:
            teller.count(piece.bytes or 0)
            return True
    raise Failed(
        f"There is another file {piece.name} among the models; remove it first.",
        code="file_exists",
    )


def _line() -> bytes:
    """Byte by byte: what a buffered reader takes too much of, the watch would not see."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line


def _leave_with_parent() -> None:
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())

"""Which children live: one for each model in use, started when asked for, again after a crash.

All of them fit into the memory that they may take together. A model for which there is no room
waits until the one that was not asked for the longest has nothing to do, and takes its place; when
it has waited for a while, that one gets no further callers. What is on its way out still counts, so
two models never load into memory that is not there.
"""

from __future__ import annotations

import logging
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from larouter.config import import_path
from larouter.core.catalog import Model
from larouter.core.errors import Conflict, EngineDown, ModelNotFound
from larouter.core.ports import Address, EngineStatus, Leaving
from larouter.core.room import Plan, Sizes
from larouter.engines.files import Files
from larouter.engines.heads import Heads
from larouter.engines.layout import read_sizes
from larouter.engines.line import LONGEST_S, Line, Place
from larouter.engines.log import EngineLog
from larouter.engines.memory import MachineMemory, Memory, rss
from larouter.engines.process import Process, Ready
from larouter.engines.room import IMPATIENT_S, Room
from larouter.engines.seats import Seat, again, down
from larouter.engines.watch import Watch

logger = logging.getLogger(__name__)

_NOTICE_S = 0.2
_PAUSE_S = 0.1
_GB = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A program that serves the files with this suffix as OpenAI's chat completions."""

    name: str
    suffix: str
    module: str


ENGINES = (Engine(name="xllamacpp", suffix=".gguf", module="larouter.engines.worker"),)


class Pool:
    """The `Runner` of this machine."""

    def __init__(
        self,
        files: Files,
        *,
        logs: Path,
        environment: Mapping[str, str],
        python: Sequence[str] = (sys.executable,),
        heads: Heads | None = None,
        memory: Memory | None = None,
        idle_s: float | None = None,
        start_timeout_s: float = 300.0,
        longest_wait_s: float = LONGEST_S,
        impatient_s: float = IMPATIENT_S,
        watch_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._logs = logs
        self._environment = {**environment, "PYTHONPATH": import_path(environment)}
        self._python = tuple(python)
        self._heads = heads or Heads(environment)
        self._start_timeout_s = start_timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._seats: dict[str, Seat] = {}
        self._room = Room(
            self._seats, self._lock, memory or MachineMemory(), clock=clock, impatient_s=impatient_s
        )
        self._line = Line(longest_s=longest_wait_s)
        self._watch = Watch(self._seats, self._lock, idle_s=idle_s, clock=clock, every_s=watch_s)

    def ensure_ready(self, model: Model, leaving: Leaving | None = None) -> Address:
        """Callers that ask for the same model at once share one start. `leaving`: whose leave ends
        the waiting."""
        path = self._files.find(model)
        if path is None:
            raise ModelNotFound(
                f"The file of {model.id} is not on this machine; download it first.",
                code="model_not_downloaded",
            )
        process = self._serving(model)
        if process is None:
            process = self._started(model, path, leaving)
        address = self._address(model, path, process)
        # A long start is no idle time.
        self._seats[model.id].asked_at = self._clock()
        return address

    def running(self, model: Model) -> Address | None:
        seat = self._seats.get(model.id)
        return seat.process.address if seat is not None and seat.process is not None else None

    def has(self, model: Model) -> bool:
        return self._files.find(model) is not None

    def state(self, model: Model) -> str:
        seat = self._seats.get(model.id)
        process = seat.alive if seat else None
        if process is not None:
            # Without a look at the disk: every decision about a local model asks.
            return "ready" if process.ready is not None else "loading"
        if not self.has(model):
            return "absent"
        if seat is None:
            return "stopped"
        if seat.quarantine is not None:
            return "quarantined"
        return "crashed" if seat.streak else "stopped"

    def status(self, model: Model) -> EngineStatus:
        """All that can be said of the model's engine, for the owner of this machine."""
        seat = self._seats.get(model.id)
        state = self.state(model)
        if seat is None:
            return EngineStatus(state=state)
        process = seat.alive
        held = rss(process.pid) if process is not None else None
        ready = process.ready if process is not None else None
        return EngineStatus(
            state=state,
            progress=_progress(model, held) if state == "loading" else None,
            memory_bytes=held,
            reserved_bytes=seat.reserved or None,
            context=ready.context if ready else None,
            total_context=ready.total_context if ready else None,
            slots=ready.slots if ready else None,
            engine=ready.engine if ready else None,
            crashes=len(seat.crashes),
            last_lines=seat.log.lines,
        )

    def ready(self, model: Model) -> Ready | None:
        """What the child said of itself, while it is there."""
        seat = self._seats.get(model.id)
        process = seat.alive if seat else None
        return process.ready if process is not None else None

    def memory_bytes(self, model: Model) -> int | None:
        """What the model's process holds in memory; None: there is none, or nobody can say."""
        seat = self._seats.get(model.id)
        process = seat.alive if seat else None
        return rss(process.pid) if process is not None else None

    def last_lines(self, model: Model) -> tuple[str, ...]:
        """The end of the engine's log, for the owner of this machine."""
        seat = self._seats.get(model.id)
        return seat.log.lines if seat else ()

    def report_failure(self, model: Model) -> None:
        """A call of this model's address broke: make sure that a dead child is seen as dead.

        A crash is noticed by itself, an instant after its callers feel it; a child that lives
        but no longer answers is ended here.
        """
        seat = self._seats.get(model.id)
        process = seat.process if seat else None
        if process is None or process.ready is None or process.wait_gone(_NOTICE_S):
            return
        if not process.is_answering():
            logger.error("the engine of %s does not answer", model.id)
            process.kill()

    def reset(self, model: Model) -> None:
        """Forget the crashes of this model, its quarantine too."""
        with self._lock:
            seat = self._seats.get(model.id)
            if seat is not None:
                seat.forget()

    def unload(self, model: Model) -> None:
        """Free its memory. Raises `Conflict` while it is answering somebody."""
        seat = self._seats.get(model.id)
        process = seat.alive if seat else None
        if process is not None and process.ready is not None and process.is_busy():
            raise Conflict(
                f"{model.id} is answering somebody; wait for the end, or unload it by force.",
                code="model_busy",
            )
        self.stop(model)

    def stop(self, model: Model) -> None:
        seat = self._seats.get(model.id)
        if seat is not None and seat.process is not None:
            seat.process.stop()

    def stop_all(self) -> None:
        children = [seat.process for seat in self._seats.values() if seat.process is not None]
        for child in children:
            child.stop()

    def _serving(self, model: Model) -> Process | None:
        """The model's child, if there is one that takes callers."""
        with self._lock:
            seat = self._seats.get(model.id)
            if seat is None or seat.is_leaving or seat.is_stopping:
                return None
            seat.asked_at = self._clock()
            return seat.alive

    def _started(self, model: Model, path: Path, leaving: Leaving | None) -> Process:
        """Wait in line until there is room, and start one."""
        self._engine(model)
        sizes = read_sizes(path, self._heads)
        with self._line.place(model.id) as place:
            try:
                while True:
                    process, wait_s = self._try(model, path, sizes, place)
                    if process is not None:
                        return process
                    time.sleep(wait_s)
                    if leaving is not None and leaving.fired:
                        raise EngineDown(f"Nobody waits for {model.id} any more.")
            finally:
                if not self._line.is_shared:
                    self._room.keep()

    def _try(
        self, model: Model, path: Path, sizes: Sizes, place: Place
    ) -> tuple[Process | None, float]:
        """The child, or how long to wait for another try."""
        with self._lock:
            seat = self._seats.get(model.id)
            if seat is None:
                seat = self._seats[model.id] = Seat(log=EngineLog(self._logs, model.id))
            if seat.alive is not None and not seat.is_stopping:
                if seat.is_leaving and not self._line.has_others(model.id):
                    # Whoever it was to make room for is gone.
                    seat.is_leaving = False
                if not seat.is_leaving:
                    return seat.alive, 0.0
            if seat.alive is not None:
                self._line.check(place)
                return None, _PAUSE_S
            wait_s = seat.wait_s(model, self._clock())
            if wait_s or not self._line.is_turn_of(place):
                return None, wait_s or _PAUSE_S
            found = self._room.find(model, sizes)
            if found is not None:
                return self._start(model, path, seat, found), 0.0
        self._room.make(place)
        return None, _PAUSE_S

    def _engine(self, model: Model) -> Engine:
        name = model.file.name if model.file else ""
        engine = next((row for row in ENGINES if name.lower().endswith(row.suffix)), None)
        if engine is None:
            raise EngineDown(f"No engine here runs files like the one of {model.id}.")
        return engine

    def _start(self, model: Model, path: Path, seat: Seat, found: Plan) -> Process:
        engine = self._engine(model)
        command = [*self._python, "-m", engine.module, "--model", str(path), "--alias", model.id]
        sha256 = model.file.sha256 if model.file else None
        if sha256 and not self._files.is_verified(path, sha256):
            command += ["--sha256", sha256]
        command += ["--slots", str(found.slots), "--context", str(found.context)]
        command += ["--cache", str(found.cache_mib)]
        logger.info(
            "starting %s for %s: %d tokens, %d slots, at most %.1f GB",
            engine.name, model.id, found.context, found.slots, found.bytes / _GB,
        )  # fmt: skip
        try:
            process = Process(
                command,
                key=secrets.token_urlsafe(32),
                environment=self._environment,
                log=seat.log,
                on_exit=lambda process: self._on_exit(model, process),
            )
        except OSError as error:
            raise EngineDown(
                f"This machine cannot start a process for {model.id}; is its memory used up?"
            ) from error
        seat.process, seat.plan, seat.is_leaving = process, found, False
        seat.asked_at = self._clock()
        self._watch.begin()
        return process

    def _address(self, model: Model, path: Path, process: Process) -> Address:
        left_s = process.started_at + self._start_timeout_s - time.monotonic()
        if not process.wait_decided(max(left_s, 0.0)):
            logger.error("%s was not ready in %d s", model.id, self._start_timeout_s)
            process.kill()
        address = process.address
        if address is None:
            seat = self._seats[model.id]
            raise again(seat.quarantine or down(model, 1.0), seat.log.last_line)
        sha256 = model.file.sha256 if model.file else None
        if sha256 and not self._files.is_verified(path, sha256):
            self._files.remember(path, sha256)
        return address

    def _on_exit(self, model: Model, process: Process) -> None:
        if process.is_stopping:
            logger.info("stopped the engine of %s", model.id)
            return
        with self._lock:
            seat = self._seats[model.id]
            logger.error(
                "the engine of %s ended with %s: %s",
                model.id,
                process.returncode,
                seat.log.last_line,
            )
            seat.ended(model, process, self._clock())


def _progress(model: Model, held: int | None) -> float | None:
    """How much of the file is in memory: the engine itself says nothing of it."""
    size = model.file.bytes if model.file else None
    return min(held / size, 0.99) if size and held is not None else None

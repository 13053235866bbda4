"""Which children live: one for each model in use, started when asked for, again after a crash."""

from __future__ import annotations

import logging
import math
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from larouter.config import import_path
from larouter.core.catalog import Model
from larouter.core.errors import EngineDown, ModelNotFound
from larouter.core.ports import Address
from larouter.engines.files import Files
from larouter.engines.log import EngineLog
from larouter.engines.process import Process, Ready

logger = logging.getLogger(__name__)

CRASHES = 3
CRASH_WINDOW_S = 300.0
_BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_PATIENCE_S = 2.0
"""A backoff this short is waited for; for a longer one the client is told when to come back."""
_NOTICE_S = 0.2
_JUST_ASKED_S = 10.0
"""Whoever asked for a model so recently may be about to call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A program that serves the files with this suffix as OpenAI's chat completions."""

    name: str
    suffix: str
    module: str


ENGINES = (Engine(name="xllamacpp", suffix=".gguf", module="larouter.engines.worker"),)


class EngineCrash(Exception):
    """The child's last words, as the cause of an `EngineDown`: for the log, not for clients."""


@dataclass(slots=True)
class _Seat:
    """One model's place: its child, and what became of those before."""

    log: EngineLog
    process: Process | None = None
    crashes: list[float] = field(default_factory=list)
    streak: int = 0
    """Crashes since a child last lived for a whole window."""
    not_before: float = 0.0
    quarantine: EngineDown | None = None
    asked_at: float = 0.0


class Pool:
    """The `Runner` of this machine."""

    def __init__(
        self,
        files: Files,
        *,
        logs: Path,
        environment: Mapping[str, str],
        python: Sequence[str] = (sys.executable,),
        slots: int = 8,
        context: int = 32_768,
        limit: int = 3,
        start_timeout_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._logs = logs
        self._environment = {**environment, "PYTHONPATH": import_path(environment)}
        self._python = tuple(python)
        self._options = ("--slots", str(slots), "--context", str(context))
        self._limit = limit
        self._start_timeout_s = start_timeout_s
        self._clock = clock
        self._lock = threading.Lock()
        self._seats: dict[str, _Seat] = {}

    def ensure_ready(self, model: Model) -> Address:
        """Callers that ask for the same model at once share one start."""
        path = self._files.find(model)
        if path is None:
            raise ModelNotFound(
                f"The file of {model.id} is not on this machine; download it first.",
                code="model_not_downloaded",
            )
        while True:
            process, wait_s = self._running(model, path)
            if process is not None:
                return self._address(model, path, process)
            time.sleep(wait_s)

    def running(self, model: Model) -> Address | None:
        seat = self._seats.get(model.id)
        return seat.process.address if seat is not None and seat.process is not None else None

    def has(self, model: Model) -> bool:
        return self._files.find(model) is not None

    def state(self, model: Model) -> str:
        seat = self._seats.get(model.id)
        process = seat.process if seat else None
        if process is not None and process.is_alive:
            # Without a look at the disk: every decision about a local model asks.
            return "ready" if process.ready is not None else "loading"
        if not self.has(model):
            return "absent"
        if seat is None:
            return "stopped"
        if seat.quarantine is not None:
            return "quarantined"
        return "crashed" if seat.streak else "stopped"

    def ready(self, model: Model) -> Ready | None:
        """What the child said of itself, while it is there."""
        seat = self._seats.get(model.id)
        process = seat.process if seat else None
        return process.ready if process is not None and process.is_alive else None

    def memory_bytes(self, model: Model) -> int | None:
        """What the model's process holds in memory; None: there is none, or nobody can say."""
        seat = self._seats.get(model.id)
        process = seat.process if seat else None
        if process is None or not process.is_alive:
            return None
        try:
            return int(psutil.Process(process.pid).memory_info().rss)
        except psutil.Error:
            return None

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
                seat.crashes.clear()
                seat.streak, seat.not_before, seat.quarantine = 0, 0.0, None

    def stop(self, model: Model) -> None:
        seat = self._seats.get(model.id)
        if seat is not None and seat.process is not None:
            seat.process.stop()

    def stop_all(self) -> None:
        children = [seat.process for seat in self._seats.values() if seat.process is not None]
        for child in children:
            child.stop()

    def _running(self, model: Model, path: Path) -> tuple[Process | None, float]:
        """Return the model's child, started if there is none, or how long to wait with that."""
        with self._lock:
            seat = self._seats.get(model.id)
            if seat is None:
                seat = self._seats[model.id] = _Seat(log=EngineLog(self._logs, model.id))
            seat.asked_at = self._clock()
            if seat.process is not None and seat.process.is_alive:
                return seat.process, 0.0
            if seat.quarantine is not None:
                raise _again(seat.quarantine, seat.log.last_line)
            wait_s = seat.not_before - self._clock()
            if wait_s > _PATIENCE_S:
                raise _again(_down(model, wait_s), seat.log.last_line)
            if wait_s > 0:
                return None, wait_s
            self._make_room()
            seat.process = self._start(model, path, seat)
            return seat.process, 0.0

    def _make_room(self) -> None:
        """Stop the child that was asked for the longest ago and has nothing to do."""
        alive = [
            (seat.asked_at, seat.process)
            for seat in self._seats.values()
            if seat.process is not None and seat.process.is_alive
        ]
        if len(alive) < self._limit:
            return
        latest = self._clock() - _JUST_ASKED_S
        for asked_at, process in sorted(alive, key=lambda pair: pair[0]):
            if asked_at < latest and not process.is_busy():
                process.stop()
                return
        raise EngineDown(
            f"{self._limit} local models are at work already; try again in a moment.",
            code="engines_busy",
            retry_after_s=math.ceil(_JUST_ASKED_S),
        )

    def _start(self, model: Model, path: Path, seat: _Seat) -> Process:
        engine = next((row for row in ENGINES if row.suffix == path.suffix.lower()), None)
        if engine is None:
            raise EngineDown(f"No engine here runs files like the one of {model.id}.")
        command = [*self._python, "-m", engine.module, "--model", str(path), "--alias", model.id]
        sha256 = model.file.sha256 if model.file else None
        if sha256 and not self._files.is_verified(path, sha256):
            command += ["--sha256", sha256]
        logger.info("starting %s for %s", engine.name, model.id)
        try:
            return Process(
                [*command, *self._options],
                key=secrets.token_urlsafe(32),
                environment=self._environment,
                log=seat.log,
                on_exit=lambda process: self._on_exit(model, process),
            )
        except OSError as error:
            raise EngineDown(
                f"This machine cannot start a process for {model.id}; is its memory used up?"
            ) from error

    def _address(self, model: Model, path: Path, process: Process) -> Address:
        left_s = process.started_at + self._start_timeout_s - time.monotonic()
        if not process.wait_decided(max(left_s, 0.0)):
            logger.error("%s was not ready in %d s", model.id, self._start_timeout_s)
            process.kill()
        address = process.address
        if address is None:
            seat = self._seats[model.id]
            raise _again(seat.quarantine or _down(model, 1.0), seat.log.last_line)
        sha256 = model.file.sha256 if model.file else None
        if sha256 and not self._files.is_verified(path, sha256):
            self._files.remember(path, sha256)
        return address

    def _on_exit(self, model: Model, process: Process) -> None:
        if process.is_stopping:
            logger.info("stopped the engine of %s", model.id)
            return
        now = self._clock()
        with self._lock:
            seat = self._seats[model.id]
            logger.error(
                "the engine of %s ended with %s: %s",
                model.id,
                process.returncode,
                seat.log.last_line,
            )
            if process.refusal is not None and process.refusal.kind == "damaged":
                seat.quarantine = _damaged(model)
                return
            lived_s = time.monotonic() - process.started_at
            seat.streak = 1 if lived_s >= CRASH_WINDOW_S else seat.streak + 1
            seat.not_before = now + _BACKOFF_S[min(seat.streak, len(_BACKOFF_S)) - 1]
            seat.crashes = [at for at in seat.crashes if now - at < CRASH_WINDOW_S] + [now]
            if len(seat.crashes) >= CRASHES:
                seat.quarantine = _quarantined(model)


def _again(error: EngineDown, last_line: str) -> EngineDown:
    fresh = EngineDown(error.message, code=error.code, retry_after_s=error.retry_after_s)
    fresh.__cause__ = EngineCrash(last_line)
    return fresh


def _down(model: Model, wait_s: float) -> EngineDown:
    return EngineDown(
        f"The engine of {model.id} has just ended; it is started again at the next request.",
        retry_after_s=math.ceil(wait_s),
    )


def _quarantined(model: Model) -> EngineDown:
    return EngineDown(
        f"The engine of {model.id} ended {CRASHES} times within {CRASH_WINDOW_S / 60:.0f} minutes, "
        "so it is not started again before LARouter is.",
        code="engine_quarantined",
    )


def _damaged(model: Model) -> EngineDown:
    return EngineDown(
        f"The file of {model.id} is damaged; delete it and download it again.",
        code="model_file_damaged",
    )

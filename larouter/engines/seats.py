"""One model's place: its child, what that may take of memory, and what became of those before."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from larouter.core.catalog import Model
from larouter.core.errors import EngineDown
from larouter.core.room import Plan
from larouter.engines.log import EngineLog
from larouter.engines.process import Process

CRASHES = 3
CRASH_WINDOW_S = 300.0
_BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_PATIENCE_S = 2.0
"""A backoff this short is waited for; for a longer one the client is told when to come back."""


class EngineCrash(Exception):
    """The child's last words, as the cause of an `EngineDown`: for the log, not for clients."""


@dataclass(slots=True)
class Seat:
    """Changed under the pool's lock only."""

    log: EngineLog
    process: Process | None = None
    plan: Plan | None = None
    """Of `process`."""
    crashes: list[float] = field(default_factory=list)
    streak: int = 0
    """Crashes since a child last lived for a whole window."""
    not_before: float = 0.0
    quarantine: EngineDown | None = None
    asked_at: float = 0.0
    is_leaving: bool = False
    """It gets no further callers, so that another model has its room."""

    @property
    def alive(self) -> Process | None:
        process = self.process
        return process if process is not None and process.is_alive else None

    @property
    def is_stopping(self) -> bool:
        """It lives still, and was told to end."""
        return self.alive is not None and self.alive.is_stopping

    @property
    def reserved(self) -> int:
        """What it takes of the memory of all."""
        return self.plan.bytes if self.alive is not None and self.plan is not None else 0

    def wait_s(self, model: Model, now: float) -> float:
        """How long until a child may be started. Raises `EngineDown` for what is not waited for."""
        if self.quarantine is not None:
            raise again(self.quarantine, self.log.last_line)
        wait_s = self.not_before - now
        if wait_s > _PATIENCE_S:
            raise again(down(model, wait_s), self.log.last_line)
        return max(0.0, wait_s)

    def ended(self, model: Model, process: Process, now: float) -> None:
        """The child ended without being asked to."""
        if process.refusal is not None and process.refusal.kind == "damaged":
            self.quarantine = _damaged(model)
            return
        lived_s = time.monotonic() - process.started_at
        self.streak = 1 if lived_s >= CRASH_WINDOW_S else self.streak + 1
        self.not_before = now + _BACKOFF_S[min(self.streak, len(_BACKOFF_S)) - 1]
        self.crashes = [at for at in self.crashes if now - at < CRASH_WINDOW_S] + [now]
        if len(self.crashes) >= CRASHES:
            self.quarantine = _quarantined(model)

    def forget(self) -> None:
        """The crashes, a quarantine too."""
        self.crashes.clear()
        self.streak, self.not_before, self.quarantine = 0, 0.0, None


def again(error: EngineDown, last_line: str) -> EngineDown:
    fresh = EngineDown(error.message, code=error.code, retry_after_s=error.retry_after_s)
    fresh.__cause__ = EngineCrash(last_line)
    return fresh


def down(model: Model, wait_s: float) -> EngineDown:
    return EngineDown(
        f"The engine of {model.id} has just ended; it is started again at the next request.",
        retry_after_s=math.ceil(wait_s),
    )


def _quarantined(model: Model) -> EngineDown:
    return EngineDown(
        f"The engine of {model.id} ended {CRASHES} times within {CRASH_WINDOW_S / 60:.0f} minutes, "
        f"so it is left alone. larouter models load {model.id} tries again and shows why.",
        code="engine_quarantined",
    )


def _damaged(model: Model) -> EngineDown:
    return EngineDown(
        f"The file of {model.id} is damaged; delete it and download it again.",
        code="model_file_damaged",
    )

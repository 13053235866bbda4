"""Looks after loaded models: who holds too much memory is ended, who is idle is unloaded."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from larouter.engines.memory import rss
from larouter.engines.process import Process
from larouter.engines.seats import Seat

logger = logging.getLogger(__name__)

_EVERY_S = 1.0


class Watch:
    """Works while a child lives, in a thread (in the server, a greenlet) of its own."""

    def __init__(
        self,
        seats: Mapping[str, Seat],
        lock: threading.Lock,
        *,
        idle_s: float | None,
        clock: Callable[[], float],
        every_s: float = _EVERY_S,
    ) -> None:
        self._seats = seats
        self._lock = lock
        self._idle_s = idle_s
        self._clock = clock
        self._every_s = every_s
        self._is_at_work = False

    def begin(self) -> None:
        """Call it with the lock held, when a child was started."""
        if not self._is_at_work:
            self._is_at_work = True
            threading.Thread(target=self._work, name="engines-watch", daemon=True).start()

    def _work(self) -> None:
        while True:
            time.sleep(self._every_s)
            with self._lock:
                alive = [(id, seat, seat.process) for id, seat in self._seats.items() if seat.alive]
                if not alive:
                    self._is_at_work = False
                    return
            for id, seat, process in alive:
                if process is not None:
                    self._look_at(id, seat, process)

    def _look_at(self, id: str, seat: Seat, process: Process) -> None:
        held = rss(process.pid)
        if seat.plan is not None and held is not None and held > seat.plan.limit:
            words = f"{id} held {held:,} bytes of memory, more than the {seat.plan.limit:,} it may"
            seat.log.write(words.encode())
            logger.error("%s; its engine is ended", words)
            process.kill()
        elif self._is_idle(seat, process):
            logger.info("%s was idle and is unloaded", id)
            process.stop()

    def _is_idle(self, seat: Seat, process: Process) -> bool:
        """A long answer is no idleness: it is looked at only when nobody has asked for so long."""
        if self._idle_s is None or process.ready is None or seat.is_leaving:
            return False
        asked_at = seat.asked_at
        if self._clock() - asked_at < self._idle_s:
            return False
        is_busy = process.is_busy()
        with self._lock:
            if is_busy:
                seat.asked_at = self._clock()
            elif seat.asked_at == asked_at:
                # Whoever asks from now on waits until it is gone, and gets a new one.
                seat.is_leaving = True
                return True
        return False

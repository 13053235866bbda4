"""Room in memory: how a model is laid out beside those that live, and who goes for it.

What is on its way out still counts, so two models never load into memory that is not there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from larouter.core.catalog import Model
from larouter.core.errors import EngineDown
from larouter.core.room import SHARED_CONTEXT, Plan, Sizes, plan, smallest
from larouter.engines.line import Place
from larouter.engines.memory import Memory, rss
from larouter.engines.seats import Seat

JUST_ASKED_S = 2.0
"""Whoever asked for a model so recently may be about to call it."""
IMPATIENT_S = 10.0
"""After so long, a model that is never idle gets no further callers."""
_GB = 1e9


class Room:
    """Shares its seats and their lock with the pool."""

    def __init__(
        self,
        seats: Mapping[str, Seat],
        lock: threading.Lock,
        memory: Memory,
        *,
        clock: Callable[[], float],
        impatient_s: float = IMPATIENT_S,
    ) -> None:
        self._seats = seats
        self._lock = lock
        self._memory = memory
        self._clock = clock
        self._impatient_s = impatient_s

    def find(self, model: Model, sizes: Sizes) -> Plan | None:
        """How the model is laid out now; None: somebody has to go first. Raises `EngineDown` when
        that would not help. Called with the lock held."""
        alive = [(seat, seat.process) for seat in self._seats.values() if seat.alive is not None]
        most = self._memory.most()
        whole = plan(sizes, most)
        if whole is None:
            raise _too_large(model, smallest(sizes).bytes, most)
        held = sum(rss(process.pid) or 0 for _, process in alive if process is not None)
        free = self._memory.room(held) - sum(seat.reserved for seat, _ in alive)
        if whole.bytes <= free:
            return whole
        if alive:
            if smallest(sizes).bytes > (whole_room := self._memory.room(held)):
                # Whoever went for it would go for nothing.
                raise _too_little(model, smallest(sizes).bytes, whole_room)
            return plan(sizes, free, least=SHARED_CONTEXT)
        found = plan(sizes, free)
        if found is None:
            raise _too_little(model, smallest(sizes).bytes, free)
        return found

    def make(self, place: Place) -> None:
        """Stop one that has nothing to do, the one not asked for the longest first. After a while,
        one gets no more to do."""
        with self._lock:
            loaded = [seat for seat in self._seats.values() if seat.alive is not None]
            if any(seat.is_stopping for seat in loaded):
                return  # its memory is not free yet
            loaded.sort(key=lambda seat: (not seat.is_leaving, seat.asked_at))
        if any(self._stopped(seat) for seat in loaded):
            return
        if place.waited_s > self._impatient_s and not any(seat.is_leaving for seat in loaded):
            ready = (seat for seat in loaded if seat.process and seat.process.ready)
            for seat in ready:
                seat.is_leaving = True
                return

    def keep(self) -> None:
        """Nobody waits for room any more: who was to leave and is still there stays."""
        with self._lock:
            for seat in self._seats.values():
                if seat.is_leaving and seat.process is not None and not seat.process.is_stopping:
                    seat.is_leaving = False

    def _stopped(self, seat: Seat) -> bool:
        process, asked_at = seat.process, seat.asked_at
        if process is None or process.is_busy():
            return False
        with self._lock:
            # It took a moment to find out that it is idle; somebody may have asked meanwhile.
            recent = asked_at > self._clock() - JUST_ASKED_S or asked_at != seat.asked_at
            if recent and not seat.is_leaving:
                return False
            seat.is_leaving = True
        process.stop()
        return True


def _too_large(model: Model, needs: int, most: int) -> EngineDown:
    return EngineDown(
        f"{model.id} takes at least {needs / _GB:.1f} GB of memory, and models may take "
        f"{most / _GB:.1f} GB on this machine (LAROUTER_MODEL_MEMORY). Choose a smaller model.",
        code="not_enough_memory",
    )


def _too_little(model: Model, needs: int, free: int) -> EngineDown:
    return EngineDown(
        f"{model.id} takes at least {needs / _GB:.1f} GB of memory, and {max(free, 0) / _GB:.1f} "
        "GB are free for it now. Close other programs, or choose a smaller model.",
        code="not_enough_memory",
        retry_after_s=30,
    )

"""Who waits for room in memory: first come, first served, not too many and not for ever."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from larouter.core.errors import EngineBusy

MOST = 64
LONGEST_S = 300.0
"""Loading a model does not count (TRUST A5)."""
_AGAIN_S = 10


class Place:
    """One caller's place in the line."""

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id
        self.since = time.monotonic()

    @property
    def waited_s(self) -> float:
        return time.monotonic() - self.since


class Line:
    """The first one looks for room; who waits for the same model finds it alive then."""

    def __init__(self, *, most: int = MOST, longest_s: float = LONGEST_S) -> None:
        self._most = most
        self._longest_s = longest_s
        self._places: list[Place] = []
        self._lock = threading.Lock()

    @contextmanager
    def place(self, model_id: str) -> Iterator[Place]:
        """Raises `EngineBusy` when too many wait for this model already."""
        place = Place(model_id)
        with self._lock:
            if sum(other.model_id == model_id for other in self._places) >= self._most:
                raise _busy(f"{self._most} requests wait for {model_id} already")
            self._places.append(place)
        try:
            yield place
        finally:
            with self._lock:
                self._places.remove(place)

    def check(self, place: Place) -> None:
        """Raises `EngineBusy` when it has waited for too long."""
        if place.waited_s > self._longest_s:
            raise _busy(f"{place.model_id} has waited for memory for {self._longest_s:.0f} seconds")

    def is_turn_of(self, place: Place) -> bool:
        """Raises `EngineBusy` when it has waited for too long."""
        self.check(place)
        with self._lock:
            return self._places[0] is place

    @property
    def is_shared(self) -> bool:
        """Does more than one wait?"""
        return len(self._places) > 1

    def has_others(self, model_id: str) -> bool:
        """Does anybody wait for another model?"""
        with self._lock:
            return any(place.model_id != model_id for place in self._places)


def _busy(why: str) -> EngineBusy:
    return EngineBusy(
        f"{why}; other local models are at work. Try again in a moment.",
        retry_after_s=math.ceil(_AGAIN_S),
    )

"""The circuit breaker: a model that keeps failing is left alone for a while (TRUST A3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

_MOST_SEEN = 1_000
_SHARE = 0.5
_WHILE_PROBING_S = 1.0
_MOST_MODELS = 1_000


class Limits(NamedTuple):
    """When a model is left alone, and for how long. The defaults are those for answers."""

    failures: int = 5
    """So many within the window, and half of its calls, are too many."""
    window_s: float = 30.0
    first_pause_s: float = 5.0
    longest_pause_s: float = 60.0


ANSWERS = Limits()


@dataclass(slots=True)
class _Circuit:
    pause_s: float
    seen: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=_MOST_SEEN))
    """When a call ended, and whether it failed: of the window."""
    open_until: float | None = None
    """None: closed."""
    is_probing: bool = False


class Breaker:
    """Closed, it counts. Open, it lets one call through after a pause: if that one fails, the
    pause doubles; if it succeeds, all is forgotten."""

    def __init__(self, clock: Callable[[], float], limits: Limits = ANSWERS) -> None:
        self._clock = clock
        self._limits = limits
        self._circuits: dict[str, _Circuit] = {}

    def wait_s(self, model: str) -> float:
        """0: the model may be called (and is, by the one who asks). Else how long it rests."""
        rests_s = self.rests_s(model)
        circuit = self._circuits.get(model)
        if not rests_s and circuit is not None and circuit.open_until is not None:
            # One whose end nobody hears of, or that takes its time, does not keep out the next.
            circuit.is_probing = True
            circuit.open_until = self._clock() + self._limits.longest_pause_s
        return rests_s

    def rests_s(self, model: str) -> float:
        """The same, for one who only wants to know: nobody is let through."""
        circuit = self._circuits.get(model)
        if circuit is None or circuit.open_until is None:
            return 0.0
        left = max(0.0, circuit.open_until - self._clock())
        return min(left, _WHILE_PROBING_S) if circuit.is_probing else left

    def is_open(self, model: str) -> bool:
        """Does the model rest, but for a probe?"""
        circuit = self._circuits.get(model)
        return circuit is not None and circuit.open_until is not None

    def succeeded(self, model: str) -> None:
        circuit = self._circuit(model)
        if circuit.open_until is not None:
            del self._circuits[model]
            return
        circuit.seen.append((self._clock(), False))

    def failed(self, model: str) -> None:
        """For failures of the provider only: never for what a client did wrong."""
        now = self._clock()
        circuit = self._circuit(model)
        if circuit.is_probing:
            circuit.pause_s = min(2 * circuit.pause_s, self._limits.longest_pause_s)
            circuit.is_probing = False
            circuit.open_until = now + circuit.pause_s
            return
        if circuit.open_until is not None:
            # A call from before the pause; that it is over brings the probe no nearer or later.
            return
        circuit.seen.append((now, True))
        while circuit.seen[0][0] < now - self._limits.window_s:
            circuit.seen.popleft()
        failures = sum(failed for _, failed in circuit.seen)
        if failures >= self._limits.failures and failures >= _SHARE * len(circuit.seen):
            circuit.open_until = now + circuit.pause_s

    def undecided(self, model: str) -> None:
        """A call that was let through said nothing about the provider (the client left): if it
        was the probe, the next call is."""
        circuit = self._circuits.get(model)
        if circuit is not None and circuit.is_probing:
            circuit.is_probing, circuit.open_until = False, self._clock()

    def _circuit(self, model: str) -> _Circuit:
        circuit = self._circuits.get(model)
        if circuit is None:
            if len(self._circuits) >= _MOST_MODELS:  # clients may name any model of a provider
                del self._circuits[next(iter(self._circuits))]
            circuit = self._circuits[model] = _Circuit(self._limits.first_pause_s)
        return circuit

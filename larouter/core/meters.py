"""What this process has done since its start, counted for `GET /metrics`.

A settled call costs one look-up and some additions: plain integers in a dict, added to in one hub,
so that nothing is locked and no label is made before somebody asks. Several processes are added up
by adding up their sums.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

from larouter.core.account import Outcome
from larouter.core.accounting import CLIENT_LEFT
from larouter.core.money import Nanodollars

BUCKETS_MS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000,
              600_000)  # fmt: skip
"""How long something took, at most; what took longer has a place of its own behind them."""
KINDS = (
    "input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "audio", "image",
)  # fmt: skip
OTHER = "other"
"""The name of every model that the catalogue does not know: clients may write any."""

_FAILED = 400


class Label(NamedTuple):
    """Whose sums they are. Every part is a name of LARouter's own."""

    project_id: str
    tier: str
    provider: str
    """`""`: none was called."""
    model: str


class Tally:
    """How often something took how long."""

    __slots__ = ("counts", "sum_ms")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS_MS) + 1)
        self.sum_ms = 0

    def add(self, ms: int) -> None:
        self.counts[bisect_left(BUCKETS_MS, ms)] += 1
        self.sum_ms += ms


class Sums:
    """Everything that is counted for one label."""

    __slots__ = ("attempts", "cost_nusd", "first", "requests", "tokens", "took", "unpriced")

    def __init__(self) -> None:
        self.requests: dict[str, int] = {}
        """By outcome: answered, left, failed or refused."""
        self.attempts: dict[str, int] = {}
        """By state."""
        self.tokens = [0] * len(KINDS)
        self.cost_nusd = 0
        self.unpriced = 0
        self.took = Tally()
        """Requests, from their arrival to their end."""
        self.first = Tally()
        """Calls of a provider, from sending to the first byte."""


class Meters:
    """Counts. Everything but `snapshot` is on the road of a request."""

    def __init__(self, is_known: Callable[[str], bool] = lambda key: True) -> None:
        """`is_known`: is this `provider/model` in the catalogue?"""
        self._is_known = is_known
        self._sums: dict[tuple[str, str, str], Sums] = {}
        self._labels: dict[tuple[str, str, str], Label] = {}

    def settled(
        self,
        project_id: str,
        tier: str,
        model: str,
        outcome: Outcome,
        cost: Nanodollars | None,
        took_ms: int,
    ) -> None:
        """An attempt has ended, and with a final one its request, `took_ms` after it came."""
        sums = self._sums.get((project_id, tier, model)) or self._new(project_id, tier, model)
        state = outcome.state
        sums.attempts[state] = sums.attempts.get(state, 0) + 1
        if cost is None:
            sums.unpriced += 1
        else:
            sums.cost_nusd += cost
        usage = outcome.usage
        tokens = sums.tokens
        tokens[0] += usage.input
        tokens[4] += usage.output
        if usage.prompt != usage.input:
            tokens[1] += usage.cache_read
            tokens[2] += usage.cache_write_5m
            tokens[3] += usage.cache_write_1h
            tokens[5] += usage.audio
            tokens[6] += usage.image
        if outcome.first_ms is not None:
            sums.first.add(outcome.first_ms)
        if outcome.final:
            status = outcome.status
            name = "answered" if status < _FAILED else "left" if status == CLIENT_LEFT else "failed"
            sums.requests[name] = sums.requests.get(name, 0) + 1
            sums.took.add(took_ms)

    def refused(self, project_id: str, tier: str, model: str, took_ms: int) -> None:
        """A request has ended of which no model was asked, or no further one; `model` is `""` or
        the last one."""
        sums = self._sums.get((project_id, tier, model)) or self._new(project_id, tier, model)
        sums.requests["refused"] = sums.requests.get("refused", 0) + 1
        sums.took.add(took_ms)

    def snapshot(self) -> Mapping[Label, Sums]:
        """The sums as they are now, by label."""
        return {self._labels[key]: sums for key, sums in self._sums.items()}

    def _new(self, project_id: str, tier: str, model: str) -> Sums:
        provider = model.partition("/")[0]
        if model and not self._is_known(model):
            # Not kept under its own name: there may be no end of them.
            model = f"{provider}/{OTHER}"
        key = (project_id, tier, model)
        found = self._sums.get(key)
        if found is None:
            found = self._sums[key] = Sums()
            self._labels[key] = Label(project_id, tier, provider, model.partition("/")[2])
        return found

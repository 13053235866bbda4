"""Whole answers to requests that have an `Idempotency-Key`, for a client that lost its own.

In memory only, for ten minutes and up to 64 MiB (TRUST B11, S11): they end with the process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

KEPT_S = 600
_MOST_BYTES = 64 * 1024 * 1024
_LONGEST = 4 * 1024 * 1024
"""One long answer must not push all the others out."""


class Result(NamedTuple):
    """An answer as the client got it, or would have."""

    project: str
    headers: Sequence[tuple[str, str]]
    body: bytes


class _Kept(NamedTuple):
    result: Result
    until: float


class Results:
    """The oldest are forgotten first. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float], most_bytes: int = _MOST_BYTES) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def keep(self, request_id: str, result: Result) -> None:
        """Keep the answer to a request, unless it is very long."""
        if len(result.body) > _LONGEST:
            return
        self._kept[request_id] = _Kept(result, self._clock() + KEPT_S)
        self._bytes += len(result.body)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def of(self, request_id: str) -> Result | None:
        """The answer to a request, if it is still there."""
        self.forget_expired()
        kept = self._kept.get(request_id)
        return None if kept is None else kept.result

    def count(self) -> int:
        self.forget_expired()
        return len(self._kept)

    def forget_all(self, project: str) -> int:
        """Drop all of a project's; return how many there were."""
        theirs = [id for id, kept in self._kept.items() if kept.result.project == project]
        for request_id in theirs:
            self._drop(request_id)
        return len(theirs)

    def forget_expired(self) -> None:
        now = self._clock()
        while self._kept:
            request_id, kept = next(iter(self._kept.items()))
            if kept.until > now:
                break
            self._drop(request_id)

    def _drop(self, request_id: str) -> None:
        self._bytes -= len(self._kept.pop(request_id).result.body)

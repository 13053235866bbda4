"""What a judge has said before, so that nobody asks it twice. No text is kept (TRUST S11)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

KEPT_S = 3_600
"""An answer stays as good as it was; an hour is as long as a conversation lasts."""
MOST = 4_096
"""Answers; the oldest are forgotten first. About 1 MB."""


class _Kept(NamedTuple):
    said: tuple[float, ...]
    until: float


class Answers:
    """Five numbers for each question that a model was asked, under a hash whose key is known to
    this process alone. `clock` gives seconds that only grow; `key` is 16 random bytes or more."""

    def __init__(self, clock: Callable[[], float], key: bytes, most: int = MOST) -> None:
        self._clock = clock
        self._key = key
        self._most = most
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def find(self, model: str, question: str) -> tuple[float, ...] | None:
        """What this model said to all that it was shown of this question, if it is remembered."""
        digest = self._digest(model, question)
        kept = self._kept.get(digest)
        if kept is None:
            return None
        if kept.until < self._clock():
            del self._kept[digest]
            return None
        return kept.said

    def keep(self, model: str, question: str, said: tuple[float, ...]) -> None:
        self._kept[self._digest(model, question)] = _Kept(said, self._clock() + KEPT_S)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def _digest(self, model: str, question: str) -> bytes:
        return blake2b(f"{model}\0{question}".encode(), digest_size=16, key=self._key).digest()

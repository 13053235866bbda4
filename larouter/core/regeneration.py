"""Notices when a program asks the same again: the answer before was not what somebody wanted.

The same last words of a user at the same place of a conversation, within ten minutes, mean that
the answer in between was dropped. Only a keyed hash of the words is held, in memory, under a key
that nobody knows and that ends with the process (TRUST S11).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from larouter.core.chat import ChatRequest

WITHIN_S = 600
MOST = 10_000
"""Requests that are remembered; the oldest are forgotten first. About 2 MB."""
_ENDS = 1_000
"""Characters of a long message that count, from each end: hashing a megabyte takes a millisecond,
and this takes five microseconds."""


class _Seen(NamedTuple):
    request_id: str | None
    """None: nothing more is to be learnt from asking it once more."""
    at: float


class Regenerations:
    """`clock` gives seconds that only grow; `key` is 16 random bytes or more."""

    def __init__(self, clock: Callable[[], float], key: bytes, most: int = MOST) -> None:
        self._clock = clock
        self._key = key
        self._most = most
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()

    def note(self, request: ChatRequest, request_id: str, *, was_local: bool) -> str | None:
        """Remember a request; return the id of the one that it repeats, if that is news.

        Only what was answered here is remembered: another answer of a cloud teaches nothing. Who
        asks a third time is a program that polls, not a person who is not content, so that only
        the first repetition counts.
        """
        last = len(request.messages) - 1
        if last < 0 or request.messages[last].role != "user":
            return None
        now = self._clock()
        digest = self._digest(request.project, last, request.messages[last].text)
        before = self._seen.pop(digest, None)
        if before is not None and now - before.at <= WITHIN_S:
            self._keep(digest, _Seen(None, now))
            return before.request_id
        if was_local:
            self._keep(digest, _Seen(request_id, now))
        return None

    def _keep(self, digest: bytes, seen: _Seen) -> None:
        self._seen[digest] = seen
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def _digest(self, project: str, place: int, text: str) -> bytes:
        ends = text if len(text) <= 2 * _ENDS else f"{text[:_ENDS]}{text[-_ENDS:]}"
        words = f"{project}\0{place}\0{len(text)}\0{ends}"
        return blake2b(
            words.encode("utf-8", "surrogatepass"), digest_size=16, key=self._key
        ).digest()

"""One file from a hub into its part: cut, slow, stalled or full, it goes on where it stopped.

Network faults are tried again for as long as it takes, with a growing pause: a laptop sleeps and
moves. A server that fails without sending anything new is given up after some tries. Bytes of
two revisions are never mixed: a range is tied to the ETag of the bytes before it, and a file of
which the hash is wrong is not kept (TRUST A10).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol

import requests
import urllib3

from larouter.downloads.failed import Again, Failed
from larouter.downloads.order import Piece
from larouter.downloads.part import Part, wrong_file
from larouter.downloads.source import Answer, Source

_PIECE = 512 * 1024
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_LONGEST_WAIT_S = 900.0
"""What a server may ask us to wait."""
TRIES = 10
"""Refusals in a row without a new byte: some four minutes."""
_CRAWL_S = 60.0
_CRAWL = 512
"""Bytes a second, over so long: a connection this slow is as good as stalled."""


class Heard(Protocol):
    """Who wants to know how it goes."""

    def on_bytes(self, phase: str, size: int) -> None:
        """`checking` what was there, or `fetching`; so many bytes of the file now."""

    def on_wait(self, why: str, wait_s: float) -> None:
        """Nothing comes for so long; then it is tried again."""


class Cut(Again):
    """The connection ended before the file did; new bytes came or not."""


class Transfer:
    """Fills one part."""

    def __init__(
        self,
        source: Source,
        heard: Heard,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._heard = heard
        self._sleep = sleep
        self._clock = clock

    def fill(self, piece: Piece, part: Part) -> None:
        """Return when the part is whole and right. Raises `Failed`."""
        part.resume(lambda size: self._heard.on_bytes("checking", size))
        part.check_room()
        self._heard.on_bytes("fetching", part.size)
        was_resumed = part.was_resumed
        self._fetch(piece, part)
        if part.is_right():
            return
        if not was_resumed:
            part.restart()
            raise wrong_file("is not what its publisher states (its SHA-256 differs)")
        # What an earlier process left may be what is wrong: a power cut leaves holes.
        part.restart()
        self._fetch(piece, part)
        if not part.is_right():
            part.restart()
            raise wrong_file("is not what its publisher states (its SHA-256 differs)")

    def _fetch(self, piece: Piece, part: Part) -> None:
        best, tries = part.size, 0
        while part.size < part.total:
            try:
                self._once(piece, part)
            except Again as fault:
                tries = 0 if part.size > best else tries + 1
                best = max(best, part.size)
                if tries >= TRIES and not fault.is_network:
                    raise Failed(
                        f"It stopped again and again: {fault}. Resume it later; what has arrived "
                        "is kept.",
                        code="hub_failing",
                    ) from fault
                self._pause(fault, tries)

    def _once(self, piece: Piece, part: Part) -> None:
        answer = self._source.open(piece, part.size, part.origin.etag)
        with answer.response:
            self._check(answer, part)
            if answer.offset != part.size:
                # It begins anew, as a range was not possible or is of other bytes.
                part.restart()
            if part.origin.etag != answer.etag or not part.size:
                part.know_as(answer.etag)
            self._read(answer.response, part)

    def _check(self, answer: Answer, part: Part) -> None:
        if answer.sha256 is not None and answer.sha256 != part.origin.sha256:
            raise wrong_file("has another SHA-256 than its publisher stated")
        if answer.total is not None and answer.total != part.total:
            raise wrong_file("has another size than its publisher stated")

    def _read(self, response: requests.Response, part: Part) -> None:
        looked_at, looked_size = self._clock(), part.size
        while part.size < part.total:
            try:
                # What is there, without waiting for a piece to be full.
                data = response.raw.read1(_PIECE, decode_content=False)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise Cut("the connection broke off") from error
            if not data:
                raise Cut("the connection ended too early")
            part.write(data)
            self._heard.on_bytes("fetching", part.size)
            now = self._clock()
            if now - looked_at >= _CRAWL_S:
                if part.size - looked_size < _CRAWL * (now - looked_at):
                    raise Cut("the connection has all but stopped")
                looked_at, looked_size = now, part.size

    def _pause(self, fault: Again, tries: int) -> None:
        if fault.wait_s is not None:
            wait_s = min(fault.wait_s, _LONGEST_WAIT_S)
        elif tries == 0:
            wait_s = 0.1
        else:
            longest = min(_FIRST_PAUSE_S * 2 ** (tries - 1), _LONGEST_PAUSE_S)
            wait_s = longest * random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come at once
        self._heard.on_wait(fault.why, wait_s)
        self._sleep(wait_s)

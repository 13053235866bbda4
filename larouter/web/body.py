"""The request body as `wsgi.input`: read from the client only when the app asks for it.

Small bodies arrive with their head, so the usual `read()` hands over a slice that is already here.
Limits hold while reading: a framing error, a body that is too large and a client that is too slow
come out of `read()` as errors of our tree, and the connection closes after the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from larouter.core.errors import BadRequest, LARouterError
from larouter.web.http11 import Dechunker, Head, Limits

Receive = Callable[[bool], bytes]
"""Blocks for more bytes of the body, b"" if the client is gone. The argument says whether the
client waits for `100 Continue` first (RFC 9110 section 10.1.1)."""

_DISCARD = 64 * 1024


class Body:
    """A file-like, forward-only request body (PEP 3333, `wsgi.input_terminated`)."""

    __slots__ = (
        "_dechunker",
        "_failure",
        "_left",
        "_ready",
        "_receive",
        "awaited",
        "finished",
        "rest",
    )

    def __init__(self, head: Head, buffer: bytes, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._dechunker = Dechunker(limits) if head.chunked else None
        self._left = 0 if head.chunked else head.length
        self._ready = b""
        self._failure: LARouterError | None = None
        self.awaited = head.expects_continue and not buffer
        self.rest = buffer
        """After the body is finished: what the client sent behind it."""
        self.finished = not (head.chunked or head.length)
        """Has the whole body been received? Never, once something went wrong."""
        if not self.finished:
            self._take(buffer)

    @property
    def discardable(self) -> bool:
        """Is what is missing small enough to be read and thrown away?"""
        if self.finished:
            return True
        short = self._dechunker is None and self._left <= _DISCARD
        return short and not self.awaited and self._failure is None

    def discard(self) -> None:
        """Read what is missing, so that the next request can be read."""
        while not self.finished:
            self._pull()
        self._ready = b""

    def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer at the end only; everything without a size."""
        wanted = -1 if size is None else size
        if not self.finished:
            self._gather(wanted)
        if wanted < 0 or wanted >= len(self._ready):
            data, self._ready = self._ready, b""
        else:
            data, self._ready = self._ready[:wanted], self._ready[wanted:]
        return data

    def readline(self, size: int | None = -1) -> bytes:
        """Return up to and including the next line feed."""
        limit = -1 if size is None else size
        end = self._ready.find(b"\n")
        while end < 0 and not self.finished and not 0 <= limit <= len(self._ready):
            searched = len(self._ready)
            self._gather(searched + 1)
            end = self._ready.find(b"\n", searched)
        length = end + 1 if end >= 0 else len(self._ready)
        return self.read(length if limit < 0 else min(length, limit))

    def readlines(self, _hint: int = -1) -> list[bytes]:
        """Return the lines that are left."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def _gather(self, wanted: int) -> None:
        """Make `wanted` bytes ready, or all of them when it is negative."""
        parts = [self._ready]
        have = len(self._ready)
        while (wanted < 0 or have < wanted) and not self.finished:
            self._ready = b""
            self._pull()
            parts.append(self._ready)
            have += len(self._ready)
        self._ready = b"".join(parts)

    def _pull(self) -> None:
        # Once failed, always failed: an app that catches the error must not read half a body.
        if self._failure is not None:
            raise self._failure
        try:
            data = self._receive(self.awaited)
            if not data:
                raise BadRequest("The request body ended early.")
        except LARouterError as error:
            self._failure = error
            raise
        self.awaited = False
        self._take(data)
        if self._failure is not None:
            raise self._failure

    def _take(self, data: bytes) -> None:
        """Add received bytes; a framing error waits for `read()`, where the app handles it."""
        if self._dechunker is None:
            piece = data if len(data) <= self._left else data[: self._left]
            self._left -= len(piece)
            self._ready += piece
            self.rest = data[len(piece) :]
            self.finished = not self._left
            return
        try:
            self._ready += self._dechunker.feed(data)
            self.finished = self._dechunker.done
        except LARouterError as error:
            self._failure = error
        self.rest = self._dechunker.rest

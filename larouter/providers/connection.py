"""One HTTP/1.1 connection to a provider: a POST out, an answer in, kept alive between calls.

Why our own: it is the hot path, and `benchmarks/upstream_client.py` measures it against
geventhttpclient, urllib3 and http.client. It also tells apart what the ledger needs to know
(never sent, or sent with an unknown outcome, TRUST B9), hands out bytes the moment they arrive,
and can be cut from another greenlet. httptools (llhttp) parses; nothing is decoded that the
provider was not asked to encode.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import gevent
import httptools

from larouter.core.errors import UpstreamError, UpstreamTimeout

if TYPE_CHECKING:
    from gevent._types import _IoWatcher

_READ, _WRITE = 1, 2
_PIECE = 64 * 1024
MAX_HEADERS = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds (TRUST A1)."""

    connect: float = 5.0
    tls: float = 5.0
    first_byte: float = 600.0
    idle: float = 120.0
    total: float = 3600.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a connection belongs to."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return cls(parts.scheme, host, parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"


Connect = Callable[[Origin, Timeouts], socket.socket]


class Connection:
    """A socket, its parser, and the answer that is coming in on it."""

    __slots__ = (
        "_body", "_complete", "_end_at", "_header_size", "_hub", "_late", "_parser", "_readable",
        "_socket", "_timeouts", "_waiter", "broken", "due_at", "headers", "headers_done",
        "idle_since", "keep_alive", "status",
    )  # fmt: skip

    def __init__(self, connected: socket.socket, timeouts: Timeouts) -> None:
        # We wait ourselves, with one watcher for the whole answer: gevent's own `recv` starts and
        # stops a watcher and a timer for each piece that arrives. A `Watchdog` looks at `due_at`.
        connected.setblocking(False)
        self._socket = connected
        self._hub: Any = None
        self._readable: _IoWatcher | None = None
        self._waiter: Any = None
        self.due_at = float("inf")
        self._late = ""
        self._timeouts = timeouts
        self.broken = False
        self.idle_since = 0.0
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._complete = False
        self._header_size = 0
        self._end_at = float("inf")
        self.status = 0
        self.headers: dict[str, str] = {}
        self.headers_done = False
        self.keep_alive = True

    # httptools calls these while it is fed.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_size += len(name) + len(value)
        if self._header_size > MAX_HEADERS:
            raise UpstreamError("The provider's headers are larger than 64 KiB.")
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._complete:
            raise UpstreamError("The provider sent a second answer to one request.")
        # 100 Continue and its kin announce another answer; it is read as if nothing had come.
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
            self.headers_done = True
            self.keep_alive = self._parser.should_keep_alive()
        else:
            self.headers.clear()

    def on_body(self, piece: bytes) -> None:
        self._body.append(piece)

    def on_message_complete(self) -> None:
        self._complete = self.headers_done

    def send(self, data: bytes) -> None:
        """Send one whole request. Raises `OSError`; then nothing is known of its outcome."""
        self._reset()
        now = time.monotonic()
        self._end_at = now + self._timeouts.total
        self.due_at = now + self._timeouts.idle
        sent = self._send_some(data)
        while sent < len(data):
            self._wait_writable()
            sent += self._send_some(memoryview(data)[sent:])

    def read_head(self, first_byte_s: float) -> int:
        """Wait for the answer's head; return its status."""
        size = 0
        while not self.headers_done:
            # The parser collects a header before it shows it, so what arrives is counted.
            if size > MAX_HEADERS:
                self.close()
                raise UpstreamError("The provider's headers are larger than 64 KiB.")
            size += self._receive(first_byte_s)
        return self.status

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives. Raises `UpstreamError` when it is cut or too slow."""
        while True:
            if self._body:
                piece = self._body[0] if len(self._body) == 1 else b"".join(self._body)
                self._body = []
                yield piece
            if self._complete:
                return
            self._receive(self._timeouts.idle)

    def read_body(self, limit: int = MAX_BODY) -> bytes:
        """The whole body."""
        parts, size = [], 0
        for piece in self.pieces():
            size += len(piece)
            if size > limit:
                self.close()
                raise UpstreamError(f"The provider's answer is larger than {limit} bytes.")
            parts.append(piece)
        return b"".join(parts)

    def is_complete_without_waiting(self) -> bool:
        """Is the answer read to its end, counting what has arrived but was not looked at?"""
        if not self._complete and not self.broken:
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, TimeoutError, OSError):
                self._feed(self._socket.recv(_PIECE))
        return self._complete

    @property
    def is_reusable(self) -> bool:
        return self._complete and self.keep_alive and not self.broken

    def is_alive(self) -> bool:
        """Has the other side left this idle connection open and silent? One system call."""
        if self.broken:
            return False
        try:
            return self._peek() is None
        except OSError:
            return False

    def _peek(self) -> bytes | None:
        try:
            # TLS cannot peek; reading is as good, since an idle connection has nothing to say.
            return self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, TimeoutError):
            return None

    def abort(self) -> None:
        """Wake whoever reads from this connection, from another greenlet or thread: a socket that
        is shut down is readable."""
        self.broken = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.broken = True
        if self._readable is not None:
            self._readable.stop()
            self._readable.close()
            self._readable = None
        with contextlib.suppress(OSError):
            self._socket.close()

    def expire(self) -> None:
        """What was waited for has not come: end the wait (called by the watchdog)."""
        self._late = (
            "The provider stopped in the middle of its answer."
            if self.headers_done
            else "The provider did not answer in time."
        )
        self.abort()

    def _receive(self, patience_s: float) -> int:
        """Read what has come, at least something; return how many bytes."""
        self.due_at = min(time.monotonic() + patience_s, self._end_at)
        try:
            data = self._read_some()
        except OSError as error:
            self.close()
            raise self._broken("The connection to the provider broke.") from error
        finally:
            self.due_at = float("inf")
        if data:
            self._feed(data)
        else:
            self._end_of_input()
        return len(data)

    def _read_some(self) -> bytes:
        while True:
            # Wait first: whoever asks has read everything that was there.
            self._wait_readable()
            try:
                return self._socket.recv(_PIECE)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue

    def _send_some(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0

    def _wait_readable(self) -> None:
        # TLS may hold decrypted bytes of which the socket shows nothing.
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return
        hub = gevent.get_hub()
        if self._readable is None or self._hub is not hub:
            self._hub = hub
            self._readable = hub.loop.io(self._socket.fileno(), _READ)
        if not self._readable.active:  # type: ignore[attr-defined]
            self._readable.start(self._wake)
        self._waiter = gevent.getcurrent()
        try:
            hub.switch()
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None:
            self._waiter.switch()
        elif self._readable is not None:
            # Nobody is waiting now; the next wait starts the watcher again.
            self._readable.stop()

    def _wait_writable(self) -> None:
        hub = gevent.get_hub()
        watcher = hub.loop.io(self._socket.fileno(), _WRITE)
        try:
            hub.wait(watcher)
        finally:
            watcher.close()

    def _broken(self, message: str) -> UpstreamError:
        return UpstreamTimeout(self._late) if self._late else UpstreamError(message)

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            self.close()
            raise error.__context__ or error from None
        except httptools.HttpParserUpgrade as error:
            self.close()
            raise UpstreamError("The provider changed the protocol.") from error
        except httptools.HttpParserError as error:
            self.close()
            raise UpstreamError("The provider's answer is not valid HTTP.") from error

    def _end_of_input(self) -> None:
        """The other side closed: the end of a body without a length, or a cut."""
        self.keep_alive = False
        aborted, self.broken = self.broken, True
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        if self.headers_done and not framed and not aborted:
            self._complete = True
            return
        self.close()
        raise self._broken("The provider closed the connection before the end of its answer.")

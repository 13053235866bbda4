"""One connection from its first request to its close: head, guard, app, answer, again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from logging import Logger
from typing import Any, TypeAlias

from larouter.core.errors import (
    LARouterError,
    RequestTimeout,
    TooLarge,
    TooManyRequests,
    Unavailable,
)
from larouter.web.answer import Answer, DateLine, Fields, write_error
from larouter.web.body import Body
from larouter.web.guard import Guard, preflight
from larouter.web.http11 import DEFAULT_LIMITS, Head, HeadReader, Limits, head_start, write_head
from larouter.web.peer import Expired, Gone, Peer
from larouter.web.shapes import error_body

WSGIApp: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]

_HEAD_BYTES = 16 * 1024
_BODY_BYTES = 256 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = ("Connection", "close")
_RETRY_AFTER_S = 1


@dataclass(slots=True, kw_only=True)
class Door:
    """What all connections of a server share."""

    app: WSGIApp
    guard: Guard
    logger: Logger
    limits: Limits = DEFAULT_LIMITS
    heads: HeadReader = field(default_factory=HeadReader)
    date: DateLine = field(default_factory=DateLine)
    in_flight: int = 0
    draining: bool = False


class Connection:
    """Serves the requests of one client, in their order."""

    def __init__(self, door: Door, peer: Peer, variables: Mapping[str, Any]) -> None:
        self._door = door
        self._limits = door.limits
        self._variables = {**variables, "larouter.on_leave": peer.on_leave}
        self._buffer = b""
        self._current: Answer | None = None
        self._body_since = 0.0
        self._unread = False
        self.peer = peer
        self.idle = True
        """Is no request being read or answered?"""

    def run(self) -> None:
        """Serve until either side closes."""
        try:
            while self._serve_next():
                pass
            if self._unread:
                self._linger()
        except Gone:
            pass
        except Exception:
            # The boundary of a greenlet: what gets here is a fault of the server's own.
            self._door.logger.exception("A connection failed.")
        finally:
            self.peer.close()

    def _serve_next(self) -> bool:
        try:
            head = self._read_head()
        except LARouterError as error:
            return self._refuse(error)
        if head is None:
            return False
        cors: Fields = ()
        try:
            cors = self._door.guard.admit(head)
            self._check_room(head)
        except LARouterError as error:
            return self._refuse(error, cors, head)
        granted = preflight(head, cors) if cors else None
        if granted is not None:
            return self._grant(head, granted)
        self._door.in_flight += 1
        try:
            return self._answer(head, cors)
        finally:
            self._door.in_flight -= 1

    def _read_head(self) -> Head | None:
        """Return the next head, or None when the client is done or was idle for too long."""
        buffer, seen, end = self._buffer, 0, -1
        heads, limits = self._door.heads, self._limits
        self.idle = not buffer
        deadline = time.monotonic() + (limits.keep_alive_s if self.idle else limits.head_s)
        while True:
            if buffer:
                end = heads.find(buffer, seen)
                if end >= 0:
                    break
                seen = len(buffer)
            try:
                data = self.peer.receive(_HEAD_BYTES, deadline)
            except Expired as error:
                if self.idle:
                    return None
                raise RequestTimeout("The request head took too long.") from error
            if not data:
                return None
            if self.idle:
                self.idle = False
                deadline = time.monotonic() + limits.head_s
            buffer += data
        self._buffer = buffer[end + 4 :]
        return heads.read(buffer[head_start(buffer) : end])

    def _check_room(self, head: Head) -> None:
        door = self._door
        if head.length > self._limits.body:
            raise TooLarge("The request body is too large.")
        if door.draining:
            raise Unavailable("The server is stopping.", retry_after_s=_RETRY_AFTER_S)
        if door.in_flight >= self._limits.in_flight:
            raise TooManyRequests(
                "Too many requests are in flight; try again.",
                code="too_many_in_flight",
                retry_after_s=_RETRY_AFTER_S,
            )

    def _refuse(self, error: LARouterError, cors: Fields = (), head: Head | None = None) -> bool:
        body = error_body(error, head.path if head else "", head.variables if head else {})
        with_body = head is None or head.method != "HEAD"
        date = self._door.date
        self._send(write_error(error, body, date=date, cors=cors, with_body=with_body))
        self._unread = True
        return False

    def _answer(self, head: Head, cors: Fields) -> bool:
        """Answer one request; return if the connection can have another."""
        body = Body(head, self._buffer, self._receive_body, self._limits)
        answer = Answer(
            head,
            self._send,
            date=self._door.date,
            cors=cors,
            must_close=lambda: self._door.draining or not head.keep_alive or not body.discardable,
        )
        self._current = answer
        self._body_since = 0.0
        complete = self._run_app(self._environ(head, body), answer)
        self._current = None
        self.peer.forget_callbacks()
        if complete and not answer.closing and self._discard(body):
            self._buffer = body.rest
            return not self._door.draining
        self._unread = not body.finished
        return False

    def _discard(self, body: Body) -> bool:
        try:
            body.discard()
        except LARouterError:
            return False
        return True

    def _receive_body(self, awaited: bool) -> bytes:
        now = time.monotonic()
        limits = self._limits
        current = self._current
        # Without a current answer we only clear the way for the next request: be brief.
        idle_s = limits.body_idle_s if current else limits.linger_s
        self._body_since = self._body_since or now
        if awaited and current and not current.begun:
            self._send(_CONTINUE)
        try:
            deadline = min(now + idle_s, self._body_since + limits.body_total_s)
            return self.peer.receive(_BODY_BYTES, deadline)
        except Expired as error:
            raise RequestTimeout("The request body took too long.") from error

    def _run_app(self, environ: dict[str, Any], answer: Answer) -> bool:
        """Run the app; return if its answer is complete."""
        pieces: Iterable[bytes] = ()
        try:
            pieces = self._door.app(environ, answer.start)
            _send_pieces(pieces, answer)
        except Gone:
            return False
        except LARouterError as error:
            return self._fail(answer, error)
        except Exception:
            # The boundary of the app: any surprise of it is a 500, or a broken stream (S12, A7).
            self._door.logger.exception("The app failed.")
            return self._fail(answer, LARouterError("The server had an internal error."))
        finally:
            self._close_pieces(pieces)
        return True

    def _fail(self, answer: Answer, error: LARouterError) -> bool:
        if answer.begun:
            # The client must see that the answer is broken: no last chunk, only the close.
            return False
        return self._refuse(error, answer.cors, answer.head)

    def _close_pieces(self, pieces: Iterable[bytes]) -> None:
        close = getattr(pieces, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception:
            self._door.logger.exception("Closing an answer failed.")

    def _environ(self, head: Head, body: Body) -> dict[str, Any]:
        environ = {**self._variables, **head.variables}
        environ["REQUEST_METHOD"] = head.method
        environ["PATH_INFO"] = head.path
        environ["QUERY_STRING"] = head.query
        environ["SERVER_PROTOCOL"] = head.protocol
        environ["wsgi.input"] = body
        return environ

    def _grant(self, head: Head, granted: Fields) -> bool:
        """Answer a preflight. One with a body is odd enough to lose its connection."""
        stays = head.keep_alive and not (head.length or head.chunked)
        fields = [*granted, ("Date", self._door.date.text())]
        self._send(write_head("204 No Content", fields if stays else [*fields, _CLOSE]))
        self._unread = not stays
        return stays

    def _send(self, data: bytes) -> None:
        self.peer.send(data, self._limits.write_idle_s)

    def _linger(self) -> None:
        """Read on for a moment after the last answer (RFC 9112 section 9.6).

        Closing on unread bytes resets the connection, and the client might lose the answer."""
        self.peer.half_close()
        self.idle = True
        deadline = time.monotonic() + self._limits.linger_s
        try:
            while self.peer.receive(_BODY_BYTES, deadline):
                pass
        except Expired:
            pass


def _send_pieces(pieces: Iterable[bytes], answer: Answer) -> None:
    if isinstance(pieces, list | tuple) and len(pieces) == 1:
        answer.write_whole(pieces[0])
        return
    for piece in pieces:
        answer.write(piece)
    answer.finish()

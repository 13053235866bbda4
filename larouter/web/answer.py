"""One WSGI answer on its way out: framing, and as few sends as its bytes allow.

The head waits for the first piece of the body and leaves with it in one send; every later piece
is one send of its own, at once, because a token that waits in a buffer is latency.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from types import TracebackType
from typing import TypeAlias

from larouter.core.errors import LARouterError
from larouter.web.http11 import LAST_CHUNK, Head, write_chunk, write_head
from larouter.web.request_id import new_request_id

Fields: TypeAlias = Sequence[tuple[str, str]]
ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)

# The connection's own business (RFC 9110 section 7.6.1), and what S12 keeps to ourselves.
_OURS = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "upgrade", "trailer", "te", "server"),
)


class DateLine:
    """The value of the Date field, rendered once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True)
        return self._text


class Answer:
    """Collects what the app says by `start` and sends it by `write` and `finish`."""

    __slots__ = (
        "_bodyless",
        "_chunked",
        "_date",
        "_fields",
        "_left",
        "_must_close",
        "_send_bytes",
        "_status",
        "begun",
        "closing",
        "cors",
        "head",
    )

    def __init__(
        self,
        head: Head,
        send: Callable[[bytes], None],
        *,
        date: DateLine,
        cors: Fields,
        must_close: Callable[[], bool],
    ) -> None:
        self.head = head
        self.cors = cors
        self._send_bytes = send
        self._date = date
        self._must_close = must_close
        self._status = ""
        self._fields: Fields = ()
        self._left: int | None = None
        self._chunked = False
        self._bodyless = False
        self.begun = False
        """Has the head left?"""
        self.closing = False
        """Does the connection end with this answer? Known once `begun`."""

    def start(
        self, status: str, fields: Fields, exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], None]:
        """The app's `start_response` (PEP 3333)."""
        if exc_info is not None and self.begun and exc_info[1] is not None:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status and exc_info is None:
            raise RuntimeError("start_response was called twice")
        self._status, self._fields = status, fields
        return self.write

    @property
    def bodyless(self) -> bool:
        """Does this answer have no body by its method or status (RFC 9112 section 6.3)?"""
        return self.head.method == "HEAD" or self._status[:3] in ("204", "304")

    def write(self, data: bytes) -> None:
        """Send one piece of the body, with the head before it if that has not left."""
        if not data:
            return
        opening = b"" if self.begun else self._begin(None)
        if self._bodyless:
            data = b""
        elif self._chunked:
            data = write_chunk(data)
        elif self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                # Bytes behind the announced length would be read as the next answer.
                raise ValueError("the answer is longer than its Content-Length")
        if opening or data:
            self._send(opening + data)

    def write_whole(self, data: bytes) -> None:
        """Send a body of which this is the only piece."""
        opening = self._begin(len(data))
        if self._left not in (None, len(data)):
            raise ValueError("the answer and its Content-Length disagree")
        self._left = 0
        self._send(opening if self._bodyless else opening + data)

    def finish(self) -> None:
        """End the answer. An answer that said less than announced is an error of the app."""
        if not self.begun:
            self._send(self._begin(0))
        elif self._chunked:
            self._send(LAST_CHUNK)
        if self._left and not self._bodyless:
            raise ValueError("the answer is shorter than its Content-Length")

    def _send(self, data: bytes) -> None:
        self.begun = True
        self._send_bytes(data)

    def _begin(self, whole: int | None) -> bytes:
        """Decide the framing and write the head; `whole` is the body's length if it is known."""
        if not self._status:
            raise RuntimeError("the app answered before start_response")
        self._bodyless = self.bodyless
        fields, announced, dated = self._own_fields()
        self._left = self._length(announced, whole)
        delimited = self._bodyless or self._left is not None
        self._chunked = not delimited and self.head.protocol == "HTTP/1.1"
        if self._left is not None:
            fields.append(("Content-Length", str(self._left)))
        elif self._chunked:
            fields.append(("Transfer-Encoding", "chunked"))
        fields.extend(self.cors)
        if not dated:
            fields.append(("Date", self._date.text()))
        # Without a length or chunks, the close is what ends the body (RFC 9112 section 6.3).
        self.closing = not (delimited or self._chunked) or self._must_close()
        if self.closing:
            fields.append(("Connection", "close"))
        return write_head(self._status, fields)

    def _length(self, announced: int | None, whole: int | None) -> int | None:
        """Choose the Content-Length (RFC 9110 section 8.6)."""
        if self._status.startswith("204"):
            return None
        if announced is None and not self._bodyless:
            return whole
        return announced

    def _own_fields(self) -> tuple[list[tuple[str, str]], int | None, bool]:
        """Return the app's fields without framing, the length it announces, and if it set Date."""
        kept: list[tuple[str, str]] = []
        length: int | None = None
        dated = False
        for field in self._fields:
            name = field[0].lower()
            if name == "content-length":
                length = int(field[1])
            elif name not in _OURS:
                kept.append(field)
                dated = dated or name == "date"
        return kept, length, dated


def write_error(
    error: LARouterError, body: bytes, *, date: DateLine, cors: Fields, with_body: bool
) -> bytes:
    """Write the door's own answer; `body` is the error's JSON. The connection closes after it."""
    fields = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("x-request-id", new_request_id()),
        *cors,
        ("Date", date.text()),
        ("Connection", "close"),
    ]
    if error.retry_after_s is not None:
        fields.append(("Retry-After", str(error.retry_after_s)))
    phrase = HTTPStatus(error.status).phrase
    opening = write_head(f"{error.status} {phrase}", fields)
    return opening + body if with_body else opening

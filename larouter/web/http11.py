"""HTTP/1.1 as bytes: read a request head, undo chunked framing, write an answer's head.

Pure: no sockets, no clock. Everything that TRUST S2 refuses is refused here, so the rule of the
module is: what is not plainly allowed by RFC 9112 raises one of our errors, and the caller answers
with it and closes. Refusing beats repairing, because two programs that repair a message differently
can be played against each other (request smuggling, RFC 9112 section 11.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from larouter.core.errors import (
    BadRequest,
    HeadersTooLarge,
    TooLarge,
    UriTooLong,
    VersionUnsupported,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may ask of us (TRUST S2, A1, A5); sizes in bytes."""

    line: int = 8 * 1024
    headers: int = 64 * 1024
    header_count: int = 200
    chunk_extension: int = 1024
    body: int = 32 * 1024 * 1024
    head_s: float = 10.0
    body_idle_s: float = 30.0
    body_total_s: float = 120.0
    keep_alive_s: float = 15.0
    write_idle_s: float = 120.0
    linger_s: float = 2.0
    in_flight: int = 256
    sweep_s: float = 1.0


DEFAULT_LIMITS = Limits()


class Head(NamedTuple):
    """One request head. A tuple, not a dataclass: one is built for every request."""

    method: str
    path: str
    query: str
    protocol: str
    variables: dict[str, str]
    """The header fields under their CGI names, ready for a WSGI environ."""
    length: int
    """The Content-Length; 0 without one."""
    chunked: bool
    keep_alive: bool
    expects_continue: bool


class _Line(NamedTuple):
    method: str
    path: str
    query: str
    authority: str | None
    protocol: str


_Kept = TypeVar("_Kept")

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]*+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]++) HTTP/(\d)\.(\d)")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):(" + _TEXT + rb")")
_ABSOLUTE = re.compile(r"http://([^/?]+)(/[^?]*)?(\?.*)?", re.IGNORECASE)
# What no later byte can put right: a control character, or half of a CRLF.
_HOPELESS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n|\Z)")
_PROTOCOLS = {(b"1", b"1"): "HTTP/1.1", (b"1", b"0"): "HTTP/1.0"}
# A second copy of these would let us and whatever stands before or behind us read two messages.
_ONCE = frozenset(
    (
        "HTTP_HOST",
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "HTTP_AUTHORIZATION",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_ORIGIN",
        "HTTP_X_API_KEY",
        "HTTP_X_GOOG_API_KEY",
    )
)
_SECRET = frozenset(
    ("HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY"),
)
_CACHED_LINES = 1024
_CACHED_LINE_BYTES = 256
_MAX_LENGTH_DIGITS = 15


class HeadReader:
    """Finds and reads request heads, and remembers the lines that it has already judged.

    A client repeats nearly the same lines with every request, so most of a head is looked up
    instead of parsed. Lines that carry a secret or a query are never remembered.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._fields: dict[bytes, tuple[str, str]] = {}
        self._lines: dict[bytes, _Line] = {}

    def find(self, buffer: bytes, seen: int = 0) -> int:
        """Return where the head's last line ends, or -1; `seen` bytes were looked at before.

        Raises as soon as no continuation could make a good head."""
        end = buffer.find(b"\r\n\r\n", seen - 3 if seen > 3 else 0)
        if end < 0:
            self._check_hope(buffer, seen)
        elif end == 0:
            raise BadRequest("The request line is missing.")
        elif end > self._limits.headers + self._limits.line:
            raise HeadersTooLarge("The request headers are too large.")
        return end

    def read(self, raw: bytes) -> Head:
        """Read one head, given without the empty line that ends it."""
        lines = raw.split(b"\r\n")
        self._check_sizes(raw, lines)
        first = lines[0]
        line = self._lines.get(first) or self._read_line(first)
        variables: dict[str, str] = {}
        known = self._fields.get
        for raw_field in lines[1:]:
            name, value = known(raw_field) or self._read_field(raw_field)
            if name in variables:
                value = _joined(name, variables[name], value)
            variables[name] = value
        variables.pop("", None)
        return _head(line, variables)

    def _check_hope(self, buffer: bytes, seen: int) -> None:
        first = buffer.find(b"\r\n", head_start(buffer))
        if (first if first >= 0 else len(buffer)) > self._limits.line + 2:
            raise UriTooLong("The request line is too long.")
        if len(buffer) > self._limits.headers + self._limits.line:
            raise HeadersTooLarge("The request headers are too large.")
        if _HOPELESS.search(buffer, max(seen - 2, 0)):
            raise BadRequest("The request head holds a control character or a bare line end.")

    def _check_sizes(self, raw: bytes, lines: Sequence[bytes]) -> None:
        limits = self._limits
        if len(lines) > limits.header_count + 1:
            raise HeadersTooLarge("The request has too many headers.")
        if len(raw) <= limits.line:
            return
        if len(lines[0]) > limits.line:
            raise UriTooLong("The request line is too long.")
        if len(raw) - len(lines[0]) > limits.headers or max(map(len, lines)) > limits.line:
            raise HeadersTooLarge("The request headers are too large.")

    def _read_line(self, raw: bytes) -> _Line:
        line = _request_line(raw)
        if not line.query and len(raw) <= _CACHED_LINE_BYTES:
            _remember(self._lines, raw, line)
        return line

    def _read_field(self, raw: bytes) -> tuple[str, str]:
        field = _field(raw)
        if field[0] not in _SECRET and len(raw) <= _CACHED_LINE_BYTES:
            _remember(self._fields, raw, field)
        return field


class Dechunker:
    """Undoes chunked framing (RFC 9112 section 7.1); trailers are checked and dropped."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._step: Callable[[bytes, int, list[bytes]], int] = self._size
        self._left = 0
        self._total = 0
        self._overhead = 0
        self._trailers = 0
        self.rest = b""
        """What is not decoded yet; once `done`, the bytes after the message."""
        self.done = False

    def feed(self, data: bytes) -> bytes:
        """Take more of the framed bytes; return what they decode to."""
        buffer = self.rest + data
        position = 0
        parts: list[bytes] = []
        while not self.done:
            after = self._step(buffer, position, parts)
            if after < 0:
                break
            position = after
        self.rest = buffer[position:]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    # Each step returns the position after what it consumed, or -1 when it needs more bytes.

    def _size(self, buffer: bytes, start: int, _parts: list[bytes]) -> int:
        end = self._line_end(buffer, start, self._limits.chunk_extension + 16)
        if end < 0:
            return -1
        match = _CHUNK.fullmatch(buffer, start, end)
        if match is None:
            raise BadRequest("A chunk size is malformed.")
        self._count_overhead(len(match[2] or b""))
        size = int(match[1], 16)
        self._total += size
        if self._total > self._limits.body:
            raise TooLarge("The request body is too large.")
        self._left = size
        self._step = self._data if size else self._trailer
        return end + 2

    def _data(self, buffer: bytes, start: int, parts: list[bytes]) -> int:
        piece = buffer[start : start + self._left]
        if not piece:
            return -1
        parts.append(piece)
        self._left -= len(piece)
        if not self._left:
            self._step = self._data_end
        return start + len(piece)

    def _data_end(self, buffer: bytes, start: int, _parts: list[bytes]) -> int:
        end = buffer[start : start + 2]
        if end == b"\r\n":
            self._step = self._size
            return start + 2
        if end in (b"", b"\r"):
            return -1
        raise BadRequest("A chunk is longer than its size says.")

    def _trailer(self, buffer: bytes, start: int, _parts: list[bytes]) -> int:
        end = self._line_end(buffer, start, self._limits.line)
        if end < 0:
            return -1
        self.done = end == start
        if not self.done:
            self._count_trailer(buffer[start:end])
        return end + 2

    def _line_end(self, buffer: bytes, start: int, limit: int) -> int:
        end = buffer.find(b"\r\n", start)
        if (end if end >= 0 else len(buffer)) - start > limit:
            raise BadRequest("A line of the chunked body is too long.")
        return end

    def _count_overhead(self, extension: int) -> None:
        # Extensions are noise to us; without a sum of them, a small body could cost gigabytes.
        self._overhead += extension
        if extension > self._limits.chunk_extension or self._overhead > self._limits.headers:
            raise BadRequest("The chunk extensions are too long.")

    def _count_trailer(self, line: bytes) -> None:
        if _FIELD.fullmatch(line) is None:
            raise BadRequest("A trailer is malformed.")
        self._overhead += len(line)
        self._trailers += 1
        if self._overhead > self._limits.headers or self._trailers > self._limits.header_count:
            raise HeadersTooLarge("The trailers are too large.")


_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(;" + _TEXT + rb")?")
_ANSWER = re.compile(
    r"HTTP/1\.1 [2-5][0-9][0-9] [\t\x20-\x7e]*+\r\n"
    r"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++: [\t\x20-\x7e\x80-\xff]*+\r\n)*+\r\n",
)


def head_start(buffer: bytes) -> int:
    """Return where the head begins: one empty line before it is forgiven (RFC 9112 2.2)."""
    return 2 if buffer.startswith(b"\r\n") else 0


def write_head(status: str, fields: Sequence[tuple[str, str]]) -> bytes:
    """Write an answer's head. Raises ValueError for what would break out of its line."""
    block = "".join([f"{name}: {value}\r\n" for name, value in fields])
    text = f"HTTP/1.1 {status}\r\n{block}\r\n"
    # The count: a value with a line end and a good field behind it would match as two fields.
    if text.count("\n") != len(fields) + 2 or _ANSWER.fullmatch(text) is None:
        raise ValueError("the status or a header of the answer is malformed")
    return text.encode("latin-1")


def write_chunk(data: bytes) -> bytes:
    """Frame one piece of a chunked answer; an empty piece would end it."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def _request_line(raw: bytes) -> _Line:
    match = _REQUEST_LINE.fullmatch(raw)
    if match is None:
        raise BadRequest("The request line is malformed.")
    protocol = _PROTOCOLS.get((match[3], match[4]))
    if protocol is None:
        raise VersionUnsupported("Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    method = match[1].decode()
    authority, path, query = _target(method, match[2].decode())
    if "%" in path:
        path = unquote_to_bytes(path).decode("latin-1")
    if "\0" in path:
        raise BadRequest("The request path holds a NUL.")
    return _Line(method, path, query, authority, protocol)


def _target(method: str, target: str) -> tuple[str | None, str, str]:
    if "#" in target or method == "CONNECT":
        raise BadRequest("The request target is malformed.")
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return None, path, query
    if target == "*" and method == "OPTIONS":
        return None, "*", ""
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise BadRequest("The request target is malformed.")
    return match[1], match[2] or "/", (match[3] or "?")[1:]


def _field(raw: bytes) -> tuple[str, str]:
    match = _FIELD.fullmatch(raw)
    if match is None:
        raise BadRequest("A header line is malformed.")
    name = match[1].decode()
    if "_" in name:
        # "X_Api_Key" would take the place of "X-Api-Key" in the environ; both nginx and we drop it.
        return "", ""
    name = name.upper().replace("-", "_")
    if name not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        name = "HTTP_" + name
    return name, match[2].strip(b" \t").decode("latin-1")


def _joined(name: str, first: str, second: str) -> str:
    if name in _ONCE:
        raise BadRequest("A header that may appear once appears twice.")
    return f"{first}{'; ' if name == 'HTTP_COOKIE' else ', '}{second}"


def _head(line: _Line, variables: dict[str, str]) -> Head:
    method, path, query, authority, protocol = line
    get = variables.get
    if authority and authority.lower() != get("HTTP_HOST", "").lower():
        raise BadRequest("The request target and the Host header disagree.")
    modern = protocol == "HTTP/1.1"
    chunked, length = _framing(get("HTTP_TRANSFER_ENCODING"), get("CONTENT_LENGTH"), modern)
    connection, expect = get("HTTP_CONNECTION"), get("HTTP_EXPECT")
    keep_alive = modern and (connection is None or "close" not in connection.lower())
    expects = modern and expect is not None and expect.lower() == "100-continue"
    return Head(method, path, query, protocol, variables, length, chunked, keep_alive, expects)


def _framing(coding: str | None, length: str | None, modern: bool) -> tuple[bool, int]:
    """Decide how the body is framed (RFC 9112 section 6.3, without its repairs)."""
    if coding is not None:
        if length is not None or not modern or coding.lower() != "chunked":
            raise BadRequest("The Transfer-Encoding is not allowed here.")
        return True, 0
    if length is None:
        return False, 0
    if not (length.isascii() and length.isdigit()):
        raise BadRequest("The Content-Length is not a number.")
    if len(length) > _MAX_LENGTH_DIGITS:
        raise TooLarge("The request body is too large.")
    return False, int(length)


def _remember(cache: dict[bytes, _Kept], key: bytes, value: _Kept) -> None:
    # Emptying a full cache costs one slow request now and then; keeping an order costs every one.
    if len(cache) >= _CACHED_LINES:
        cache.clear()
    cache[key] = value

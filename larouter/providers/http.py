"""The one HTTP provider: sends a chat request, relays the answer, maps every failure.

A provider's own 4xx reaches the client with its status and words; everything else that goes wrong
is ours to explain (TRUST A7). Provider keys go into the request's head and nowhere else.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest, Usage
from larouter.core.errors import ContextExceeded, UpstreamError, UpstreamRefused, UpstreamTimeout
from larouter.core.ports import Leaving
from larouter.providers.connection import MAX_BODY, Connection, Origin
from larouter.providers.pool import Pool
from larouter.wire.openai_chat import Quirks, write_request
from larouter.wire.openai_relay import StreamReader, error_text, estimate_output, read_completion

_ERROR_LIMIT = 1024 * 1024
_WORD_LIMIT = 200
_DIGITS = 6
_INFLATED_RATIO = 100
_BYTES_PER_TOKEN = 4
# What a provider may tell the client to do better; its 401, 402 and 403 concern our key.
_CLIENTS_FAULT = frozenset({400, 404, 409, 413, 415, 422, 429})
_KEY_REFUSED = frozenset({401, 403})

Later = Callable[[float, Callable[[], None]], None]
"""Calls something after some seconds."""


class HttpProvider:
    """A `Provider` over HTTP in OpenAI's dialect."""

    def __init__(
        self,
        *,
        name: str,
        url: str | None,
        key: str | None,
        needs_key: bool,
        quirks: Quirks,
        pool: Pool,
        later: Later,
    ) -> None:
        self._name = name
        self._key = key
        self._needs_key = needs_key
        self._url = url
        self._line = Line(url, key, pool, later) if url else None
        self._quirks = quirks

    def missing(self, model: Model) -> str | None:
        if self._line is None or (self._needs_key and not self._key):
            return "no-key"
        return None

    def call(self, model: Model, request: ChatRequest, leaving: Leaving) -> RelayedReply:
        assert self._line is not None, "a decision names only providers that are not missing"
        body = write_request(model.name, request, self._quirks)
        return self._line.send(body, request, leaving, grace_s=0 if request.stream else 30)


class Line:
    """An address and its bearer, and how one call goes over it."""

    def __init__(
        self,
        url: str,
        key: str | None,
        pool: Pool,
        later: Later,
        *,
        reuse_after_stream: bool = True,
    ) -> None:
        self._origin = Origin.of(url)
        self._key = key
        self._pool = pool
        self._later = later
        path = url.split("://", 1)[1].partition("/")[2].strip("/")
        head = (
            f"POST /{path + '/' if path else ''}chat/completions HTTP/1.1\r\n"
            f"Host: {self._origin.authority}\r\n"
            "Content-Type: application/json\r\nAccept-Encoding: identity\r\n"
        )
        if key:
            head += f"Authorization: Bearer {key}\r\n"
        # Our engine closes after a stream without saying so; better that we say it (and mean it).
        streamed = head if reuse_after_stream else head + "Connection: close\r\n"
        self._heads = {
            True: f"{streamed}Accept: text/event-stream\r\nContent-Length: ".encode("latin-1"),
            False: f"{head}Accept: application/json\r\nContent-Length: ".encode("latin-1"),
        }

    def send(
        self, body: bytes, request: ChatRequest, leaving: Leaving, *, grace_s: float
    ) -> RelayedReply:
        """Send and wait for the first event. `grace_s`: how long a client's leave is ignored
        while the usage of an answer cannot be known otherwise (TRUST B8)."""
        connection = self._pool.take(self._origin)

        def abort_later() -> None:
            # By then the answer may be complete, and the connection another's.
            self._later(grace_s, lambda: connection.abort() if leaving.is_awaited else None)

        try:
            if leaving.fired:
                raise UpstreamError("The client left before anything was sent.", sent=False)
            leaving.on_fire(abort_later if grace_s else connection.abort)
            try:
                connection.send(b"%b%d\r\n\r\n%b" % (self._heads[request.stream], len(body), body))
            except OSError as error:
                raise UpstreamError("The connection broke while the request was sent.") from error
            status = connection.read_head(self._pool.timeouts.first_byte)
            if status != 200:
                raise _refusal(status, connection)
            reply = RelayedReply(connection, self, request, leaving)
            reply.begin()
        except BaseException as error:
            leaving.on_fire(None)
            connection.close()
            self.hide_key(error)
            raise
        return reply

    def give_back(self, connection: Connection) -> None:
        self._pool.give_back(connection, self._origin)

    def hide_key(self, error: BaseException) -> None:
        """Take our key out of what a provider said about it (TRUST A7)."""
        if not self._key or not isinstance(error, UpstreamError):
            return
        for name in ("message", "code", "type", "param"):
            text = getattr(error, name)
            if text and self._key in text:
                setattr(error, name, text.replace(self._key, "…"))
        error.args = (error.message,)


class RelayedReply:
    """A `Reply` whose bytes are the provider's own."""

    def __init__(
        self,
        connection: Connection,
        line: Line,
        request: ChatRequest,
        leaving: Leaving,
    ) -> None:
        self._connection = connection
        self._line = line
        self._request = request
        self._leaving = leaving
        self._reader = StreamReader(wants_usage=request.wants_usage) if request.stream else None
        self._pieces: Iterator[bytes] = iter(())
        self._first = b""
        self._open = True
        self.end = b""
        self.usage: Usage | None = None
        self.provider_id: str | None = None

    def begin(self) -> None:
        """Read to the first event, or the whole body of an answer that is not streamed."""
        connection = self._connection
        encoding = connection.headers.get("content-encoding", "identity").lower()
        if self._reader is None:
            self.end = _inflated(connection.read_body(), encoding)
            self.usage, self.provider_id = read_completion(self.end)
            self._release()
            return
        kind = connection.headers.get("content-type", "")
        if "json" in kind:
            # An error object where a stream was promised; or no error, which is no better.
            read_completion(_inflated(connection.read_body(), encoding))
            raise UpstreamError("The provider did not stream its answer.")
        if encoding != "identity":
            raise UpstreamError("The provider compressed a stream although it was asked not to.")
        self._pieces = connection.pieces()
        for piece in self._pieces:
            self._first = self._reader.feed(piece)
            if self._reader.started:
                self.provider_id = self._reader.provider_id
                return
            if self._reader.done:
                break
        raise UpstreamError("The provider's stream has no events.")

    def __iter__(self) -> Iterator[bytes]:
        reader = self._reader
        if reader is None:
            return
        if self._first:
            yield self._first
        feed = reader.feed
        try:
            if not reader.done:
                for piece in self._pieces:
                    frames = feed(piece)
                    if frames:
                        yield frames
                    if reader.done:
                        break
            self.end = reader.finish(prompt_tokens=self._estimated_input())
        except UpstreamError as error:
            self._line.hide_key(error)
            raise
        self.usage = reader.usage
        self._drain()
        self._release()

    def delivered(self) -> Usage:
        reader = self._reader
        output = estimate_output(self.end) if reader is None else reader.delivered()
        return Usage(input=self._estimated_input(), output=output)

    def _estimated_input(self) -> int:
        return -(-self._request.size // _BYTES_PER_TOKEN)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._leaving.on_fire(None)
            self._connection.close()

    def _drain(self) -> None:
        # After [DONE] only the end of the chunked body is left; it is nearly always here already,
        # and a connection read to its end can be used again.
        if self._connection.is_complete_without_waiting():
            return
        self._connection.broken = True

    def _release(self) -> None:
        self._open = False
        self._leaving.on_fire(None)
        self._line.give_back(self._connection)


def _refusal(status: int, connection: Connection) -> UpstreamError:
    """A provider's HTTP error as ours (TRUST A7, CLIENTS: errors keep their status and words)."""
    fields = _error_fields(connection)
    seconds = _seconds(connection.headers.get("retry-after", ""))
    text = error_text(fields) if fields else f"HTTP {status} without an explanation"
    code, kind, param = (_word(fields, name) for name in ("code", "type", "param"))
    if status == 400 and (kind or code or "").startswith("exceed_context"):
        return UpstreamRefused(
            f"The prompt does not fit: {text}.",
            code=ContextExceeded.code,
            type=ContextExceeded.type,
            param="messages",
            status=400,
        )
    if status in _CLIENTS_FAULT:
        return UpstreamRefused(
            text,
            code=code,
            type=kind or "invalid_request_error",
            param=param,
            status=status,
            retry_after_s=seconds,
        )
    if status in _KEY_REFUSED:
        return UpstreamError(
            "The provider refused LARouter's key. Give LARouter a valid one and start it again.",
            code="provider_key_refused",
            sent=False,
        )
    if status in {504, 408}:
        return UpstreamTimeout(f"The provider gave up: {text}", sent=False)
    return UpstreamError(
        f"The provider failed with HTTP {status}: {text}",
        status=503 if status == 503 else 502,
        retry_after_s=seconds,
        sent=False,
    )


def _error_fields(connection: Connection) -> dict[str, Any]:
    """The error object, `{}` where there is none: a refusal stays one whatever its body is."""
    try:
        answer = msgspec.json.decode(connection.read_body(_ERROR_LIMIT))
    except (UpstreamError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    error = (answer.get("error") or answer) if isinstance(answer, dict) else answer
    return error if isinstance(error, dict) else {"message": str(error)}


def _word(fields: dict[str, Any], name: str) -> str | None:
    word = fields.get(name)
    return word if isinstance(word, str) and 0 < len(word) <= _WORD_LIMIT else None


def _seconds(retry_after: str) -> int | None:
    """The wait that a provider asks for, or None; the form with a date is not used by any."""
    digits = retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= _DIGITS
    return int(retry_after) if digits else None


def _inflated(body: bytes, encoding: str) -> bytes:
    """Undo a compression that was not asked for, up to a ratio of 100 and 64 MiB (TRUST A8)."""
    if encoding == "identity":
        return body
    if encoding not in {"gzip", "deflate"}:
        raise UpstreamError(f"The provider used an encoding that was not asked for: {encoding}.")
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = inflater.decompress(body, min(len(body) * _INFLATED_RATIO, MAX_BODY))
    except zlib.error as error:
        raise UpstreamError("The provider's compressed answer is damaged.") from error
    if inflater.unconsumed_tail:
        raise UpstreamError("The provider's compressed answer is absurdly large.")
    return plain

"""How one call goes over HTTP to an address: its line; and what comes back over it: its reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest, Usage
from larouter.core.errors import LARouterError, UpstreamError
from larouter.core.faults import Heard
from larouter.core.ports import Leaving
from larouter.core.turns import Turns
from larouter.providers.connection import Connection, Origin
from larouter.providers.pool import Pool
from larouter.providers.refusals import inflated, refusal, refuse_error
from larouter.wire.dialects import DIALECTS
from larouter.wire.hearing import Ear
from larouter.wire.road import Road, Sending

_BYTES_PER_TOKEN = 4
MOST_READ_ON = 4 * 1024 * 1024
"""Bytes of a stream that are read after its client left."""

Later = Callable[[float, Callable[[], None]], None]
"""Calls something after some seconds."""


def estimated_tokens(request: ChatRequest) -> int:
    """Of a prompt that nobody has counted."""
    return -(-request.size // _BYTES_PER_TOKEN)


class Exchange(NamedTuple):
    """One call, as its line and its reply need to know it."""

    model: Model
    request: ChatRequest
    road: Road
    turns: Turns
    wire: str
    """What the provider speaks."""


class Line:
    """An address and its key, and how one call goes over it."""

    def __init__(
        self,
        url: str,
        key: str | None,
        key_header: str | None,
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
        self._path = f"/{path}/" if path else "/"
        head = (
            f" HTTP/1.1\r\nHost: {self._origin.authority}\r\n"
            "Content-Type: application/json\r\nAccept-Encoding: identity\r\n"
        )
        if key:
            head += f"{key_header}: {key}\r\n" if key_header else f"Authorization: Bearer {key}\r\n"
        # Our engine closes after a stream without saying so; better that we say it (and mean it).
        streamed = head if reuse_after_stream else head + "Connection: close\r\n"
        self._heads = {
            True: f"{streamed}Accept: text/event-stream\r\n",
            False: f"{head}Accept: application/json\r\n",
        }

    def send(
        self, sending: Sending, exchange: Exchange, leaving: Leaving, *, grace_s: float
    ) -> HttpReply:
        """Send and wait for the first event. `grace_s`: how long a client's leave is ignored
        while the usage of an answer cannot be known otherwise, or is to be exact (TRUST B8)."""
        connection = self._pool.take(self._origin)

        def abort_later() -> None:
            if exchange.request.stream and not leaving.read_on():
                connection.abort()
                return
            # By then the answer may be complete, and the connection another's.
            self._later(grace_s, lambda: connection.abort() if leaving.is_awaited else None)

        try:
            if leaving.fired:
                raise UpstreamError("The client left before anything was sent.", sent=False)
            abort = abort_later if grace_s else connection.abort
            leaving.on_fire(abort)
            self._post(connection, sending, stream=exchange.request.stream)
            reply = HttpReply(connection, self, exchange, leaving, abort)
            reply.begin()
        except BaseException as error:
            leaving.on_fire(None)
            connection.close()
            self.hide_key(error)
            raise
        return reply

    def ask(self, sending: Sending, within_s: float | None = None) -> bytes:
        """Send and return the whole answer. Raises `UpstreamTimeout` when it is not there within
        so many seconds of the sending; the connection is cut, which stops the work as well."""
        connection = self._pool.take(self._origin)
        over = False

        def expire() -> None:
            # By then the connection may be another's.
            if not over:
                connection.expire()

        if within_s is not None:
            self._later(within_s, expire)
        try:
            self._post(connection, sending, stream=False)
            body = inflated(connection)
        except BaseException as error:
            connection.close()
            self.hide_key(error)
            raise
        finally:
            over = True
        self.give_back(connection)
        return body

    def _post(self, connection: Connection, sending: Sending, *, stream: bool) -> None:
        """Send, and wait for the head of an answer that is none of the errors."""
        more = "".join([f"{name}: {value}\r\n" for name, value in sending.headers])
        body = sending.body
        head = (
            f"POST {self._path}{sending.path}{self._heads[stream]}{more}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            connection.send(head.encode("latin-1") + body)
        except OSError as error:
            raise UpstreamError("The connection broke while the request was sent.") from error
        status = connection.read_head(self._pool.timeouts.first_byte)
        if status != 200:
            raise refusal(status, connection)

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


class HttpReply:
    """A `Reply` that comes over a connection and goes along its road."""

    def __init__(
        self,
        connection: Connection,
        line: Line,
        exchange: Exchange,
        leaving: Leaving,
        abort: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._line = line
        self._exchange = exchange
        self._road = exchange.road
        self._leaving = leaving
        self._abort = abort
        self._pieces: Iterator[bytes] = iter(())
        self._came: list[bytes] = []
        """What has come, as long as nothing is passed on: for whoever listens."""
        self._held: list[bytes] = []
        """The same, as the client gets it."""
        self._broke: UpstreamError | None = None
        self._open = True
        self.end = b""
        self.usage: Usage | None = None
        self.provider_id: str | None = None

    def begin(self) -> None:
        """Read to the first event, or the whole body of an answer that is not streamed."""
        if not self._exchange.request.stream:
            body = inflated(self._connection)
            self._came = [body]
            self.end = self._road.whole(body, prompt_tokens=self._estimated_input())
            self._take_over()
            self._release()
            return
        connection, road = self._connection, self._road
        kind = connection.headers.get("content-type", "")
        if "json" in kind:
            # An error object where a stream was promised; or no error, which is no better.
            refuse_error(inflated(connection))
            raise UpstreamError("The provider did not stream its answer.")
        if connection.headers.get("content-encoding", "identity").lower() != "identity":
            raise UpstreamError("The provider compressed a stream although it was asked not to.")
        self._pieces = connection.pieces()
        for piece in self._pieces:
            self._came.append(piece)
            self._held = [road.feed(piece)]
            if road.started:
                self.provider_id = road.provider_id
                return
            if road.done:
                break
        raise UpstreamError("The provider's stream has no events.")

    def __iter__(self) -> Iterator[bytes]:
        if not self._exchange.request.stream:
            return
        yield from self._taken_back()
        road = self._road
        feed = road.feed
        try:
            if self._broke is not None:
                raise self._broke
            if not road.done:
                for piece in self._pieces:
                    frames = feed(piece)
                    if frames:
                        yield frames
                    if road.done:
                        break
            self.end = road.finish(prompt_tokens=self._estimated_input())
        except UpstreamError as error:
            self._line.hide_key(error)
            raise
        self._take_over()
        self._drain()
        self._release()

    def read_on(self) -> bool:
        road, size = self._road, 0
        if not self._leaving.fired:
            self._abort()  # it was a send that failed: the time begins now
        try:
            if not (road.done or self._broke):
                for piece in self._pieces:
                    size += len(piece)
                    if size > MOST_READ_ON:
                        return False
                    road.feed(piece)
                    if road.done:
                        break
            self.end = road.finish(prompt_tokens=self._estimated_input())
        except LARouterError:
            return False
        self._take_over()
        self._drain()
        self._release()
        return True

    def _taken_back(self) -> list[bytes]:
        """What was held back."""
        if self._open and not self._leaving.is_awaited:
            # Another call has been in between, and has forgotten us with itself.
            self._leaving.on_fire(self._abort)
        held = [frames for frames in self._held if frames]
        self._came = self._held = []
        return held

    def heard(self, enough: Callable[[Heard], bool]) -> Heard | None:
        request, road = self._exchange.request, self._road
        if request.dialect not in DIALECTS:
            return None  # numbers, not words
        ear = Ear(request, self._exchange.wire)
        if not request.stream:
            ear.whole(self._came[0])
            return None if ear.is_deaf else ear.heard
        for piece in self._came:
            ear.feed(piece)
        is_over = road.done
        try:
            while not (is_over or ear.is_deaf or enough(ear.heard)):
                piece = next(self._pieces, b"")
                self._held.append(road.feed(piece))
                ear.feed(piece)
                is_over = road.done or not piece
        except UpstreamError as error:
            self._broke, ear.heard.broken = error, True
            return ear.heard
        if is_over:
            self.usage = ear.end()
        return None if ear.is_deaf else ear.heard

    def broken(self, error: LARouterError) -> bytes:
        return self._road.broken(error)

    def delivered(self) -> Usage:
        return Usage(input=self._estimated_input(), output=self._road.delivered())

    def _take_over(self) -> None:
        """What the road has learnt of an answer that is complete."""
        road, exchange = self._road, self._exchange
        self.usage, self.provider_id = road.usage, road.provider_id
        if road.call_ids:
            exchange.turns.remember(
                exchange.request.project, exchange.model.key, road.call_ids, road.parts()
            )

    def _estimated_input(self) -> int:
        return estimated_tokens(self._exchange.request)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._leaving.forget(self._abort)
            self._connection.close()

    def _drain(self) -> None:
        # After [DONE] only the end of the chunked body is left; it is nearly always here already,
        # and a connection read to its end can be used again.
        if self._connection.is_complete_without_waiting():
            return
        self._connection.broken = True

    def _release(self) -> None:
        self._open = False
        self._leaving.forget(self._abort)
        self._line.give_back(self._connection)

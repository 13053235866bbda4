"""The one HTTP provider: sends a request over its line, and the answer along its road.

A provider's own 4xx reaches the client with its status and words; everything else that goes wrong
is ours to explain (TRUST A7). Provider keys go into the request's head and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest, Usage
from larouter.core.errors import LARouterError, UpstreamError, UpstreamRefused
from larouter.core.ports import Leaving
from larouter.core.turns import Turns
from larouter.providers.connection import Connection, Origin
from larouter.providers.pool import Pool
from larouter.providers.refusals import KEY_REFUSED, inflated, refusal, refuse_error
from larouter.providers.roads import (
    KEY_HEADERS,
    call_of,
    count_at,
    read_counted,
    road_to,
    wire_for,
)
from larouter.wire.road import Quirks, Road, Sending

logger = logging.getLogger(__name__)

_BYTES_PER_TOKEN = 4
_NOT_EVERYWHERE = frozenset({"responses", "completions"})
"""Formats that a server may lack although it stands in for one that has them."""

Later = Callable[[float, Callable[[], None]], None]
"""Calls something after some seconds."""


def estimated_tokens(request: ChatRequest) -> int:
    """Of a prompt that nobody has counted."""
    return -(-request.size // _BYTES_PER_TOKEN)


class HttpProvider:
    """A `Provider` over HTTP, in whatever format its row says."""

    def __init__(
        self,
        *,
        name: str,
        url: str | None,
        key: str | None,
        needs_key: bool,
        wires: tuple[str, ...],
        quirks: Quirks,
        pool: Pool,
        later: Later,
        turns: Turns,
    ) -> None:
        self._name = name
        self._key = key
        self._needs_key = needs_key
        self._line = Line(url, key, KEY_HEADERS.get(wires[0]), pool, later) if url else None
        self._wires = wires
        self._lacks: set[tuple[str, str]] = set()
        """Formats that the provider turned out not to speak for a model."""
        self._quirks = quirks
        self._turns = turns
        self.key_refused = False
        """Has the provider refused the key, and not taken it since (TRUST A7)?"""

    def missing(self, model: Model) -> str | None:
        if self._line is None:
            return "no-address"
        return "no-key" if self._needs_key and not self._key else None

    def call(self, model: Model, request: ChatRequest, leaving: Leaving) -> HttpReply:
        assert self._line is not None, "a decision names only providers that are not missing"
        spoken = tuple(wire for wire in self._wires if (wire, model.name) not in self._lacks)
        wire = wire_for(request, model, spoken, self._quirks)
        with self._watched_key():
            try:
                return self._call(model, request, wire, leaving)
            except UpstreamRefused as error:
                if wire not in _NOT_EVERYWHERE or not _is_about_the_path(error):
                    raise
            reply = self._call(model, request, spoken[0], leaving)
            # Not every server that stands in for OpenAI has its Responses API, and most models have
            # no plain completions: it has said so, for the model is there.
            self._lacks.add((wire, model.name))
            return reply

    def _call(self, model: Model, request: ChatRequest, wire: str, leaving: Leaving) -> HttpReply:
        assert self._line is not None, "a decision names only providers that are not missing"
        call = call_of(model, request, self._quirks, self._turns)
        sending, road = road_to(call, request, self._wires, wire, self._turns)
        exchange = Exchange(model, request, road, self._turns)
        return self._line.send(sending, exchange, leaving, grace_s=0 if request.stream else 30)

    def count_tokens(self, model: Model, request: ChatRequest) -> int:
        """As the provider counts them, which costs nothing; where it does not, an estimate."""
        assert self._line is not None, "a decision names only providers that are not missing"
        sending = count_at(model, request, self._wires[0], self._turns)
        if sending is None:
            return estimated_tokens(request)
        with self._watched_key():
            return read_counted(self._wires[0], self._line.ask(sending))

    @contextmanager
    def _watched_key(self) -> Iterator[None]:
        """Learn from a call whether the key is any good."""
        try:
            yield
        except UpstreamError as error:
            if error.code == KEY_REFUSED and not self.key_refused:
                self.key_refused = True
                logger.warning("%s refused its key; check it: larouter keys check", self._name)
            raise
        self.key_refused = False


def _is_about_the_path(error: UpstreamRefused) -> bool:
    """Is it the path that is not there, and not a model or something that the request names? OpenAI
    blames the `model` when it is one of chats alone, but then without the code of a missing one."""
    blamed = error.param in (None, "model")
    return error.status == 404 and blamed and error.code != "model_not_found"


class Exchange(NamedTuple):
    """One call, as its line and its reply need to know it."""

    model: Model
    request: ChatRequest
    road: Road
    turns: Turns


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
        while the usage of an answer cannot be known otherwise (TRUST B8)."""
        connection = self._pool.take(self._origin)

        def abort_later() -> None:
            # By then the answer may be complete, and the connection another's.
            self._later(grace_s, lambda: connection.abort() if leaving.is_awaited else None)

        try:
            if leaving.fired:
                raise UpstreamError("The client left before anything was sent.", sent=False)
            leaving.on_fire(abort_later if grace_s else connection.abort)
            self._post(connection, sending, stream=exchange.request.stream)
            reply = HttpReply(connection, self, exchange, leaving)
            reply.begin()
        except BaseException as error:
            leaving.on_fire(None)
            connection.close()
            self.hide_key(error)
            raise
        return reply

    def ask(self, sending: Sending) -> bytes:
        """Send and return the whole answer."""
        connection = self._pool.take(self._origin)
        try:
            self._post(connection, sending, stream=False)
            body = inflated(connection)
        except BaseException as error:
            connection.close()
            self.hide_key(error)
            raise
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
        self, connection: Connection, line: Line, exchange: Exchange, leaving: Leaving
    ) -> None:
        self._connection = connection
        self._line = line
        self._exchange = exchange
        self._road = exchange.road
        self._leaving = leaving
        self._pieces: Iterator[bytes] = iter(())
        self._first = b""
        self._open = True
        self.end = b""
        self.usage: Usage | None = None
        self.provider_id: str | None = None

    def begin(self) -> None:
        """Read to the first event, or the whole body of an answer that is not streamed."""
        if not self._exchange.request.stream:
            self.end = self._road.whole(
                inflated(self._connection), prompt_tokens=self._estimated_input()
            )
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
            self._first = road.feed(piece)
            if road.started:
                self.provider_id = road.provider_id
                return
            if road.done:
                break
        raise UpstreamError("The provider's stream has no events.")

    def __iter__(self) -> Iterator[bytes]:
        if not self._exchange.request.stream:
            return
        if self._first:
            yield self._first
        road = self._road
        feed = road.feed
        try:
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

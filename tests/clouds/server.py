"""A real HTTP/1.1 server on loopback that stands in for a cloud.

    with OpenAICloud() as cloud:
        cloud.will(status(429, retry_after=2))      # the next POST; then all is well again
        …
        assert cloud.last.json["model"] == "gpt-6-luna"

A cloud is its routes and its shape of an error; this module moves the bytes.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Seen:
    """One request as it came; `json` is None when the body is none."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    json: Any


@dataclass(frozen=True)
class Whole:
    """An answer in one piece."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Stream:
    """An answer in pieces, each an HTTP chunk of its own."""

    pieces: tuple[bytes, ...]
    kind: str = "text/event-stream; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Reply = Whole | Stream


class Refusal(Exception):
    """What the service says instead of an answer."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.whole = Whole(body, status, headers or {})


class Exchange:
    """One request and the connection that it came on, in the hands of a step of the script."""

    def __init__(self, cloud: Cloud, handler: _Handler, seen: Seen) -> None:
        self.cloud = cloud
        self.seen = seen
        self._handler = handler

    def reply(self) -> Reply:
        """What the cloud answers when all is well (or the request is wrong)."""
        try:
            return self.cloud.answer(self.seen)
        except Refusal as refused:
            return self.cloud.refused(self.seen, refused.whole)

    def send(self, reply: Reply) -> None:
        if isinstance(reply, Whole):
            self.send_bytes(reply.data, reply.status, headers=reply.headers)
            return
        self.begin(reply)
        for piece in reply.pieces:
            self.chunk(piece)
        self.end()

    def send_bytes(
        self,
        data: bytes,
        status: int = 200,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
        announced: int | None = None,
    ) -> None:
        """An answer in one piece; more `announced` than sent is a cut."""
        length = str(len(data) if announced is None else announced)
        self._head(status, {"Content-Type": kind, "Content-Length": length, **(headers or {})})
        self._handler.wfile.write(data)

    def begin(self, stream: Stream) -> None:
        chunked = {"Content-Type": stream.kind, "Transfer-Encoding": "chunked"}
        self._head(200, {**chunked, **stream.headers})

    def chunk(self, piece: bytes) -> None:
        """Send a piece; one with longer characters is cut inside the first of them."""
        for part in _halves(piece):
            self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))

    def raw(self, data: bytes) -> None:
        self._handler.wfile.write(data)

    def end(self) -> None:
        self._handler.wfile.write(b"0\r\n\r\n")

    def cut(self) -> None:
        """Close the connection without an end."""
        self._handler.close_connection = True

    def wait_until_left(self, within_s: float = 60.0) -> None:
        self._handler.connection.settimeout(within_s)
        with suppress(OSError):
            if not self._handler.connection.recv(1):
                self.cloud.left.set()
        self.cut()

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in {**self.cloud.headers, **headers}.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()


Step = Callable[[Exchange], None]
"""Answers one request."""
Route = tuple[str, str, Callable[[Any, Seen, "re.Match[str]"], Reply]]
"""Method, pattern of the path, and who answers."""


class Cloud:
    """Listens from its start to `stop`; a thread for each connection."""

    key = "key"
    routes: tuple[Route, ...] = ()

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.left = threading.Event()
        """Has a client closed a connection in the middle of an answer?"""
        self.broken: list[BaseException] = []
        """What went wrong in the fake itself; `stop` fails with it."""
        self._steps: dict[str, deque[Step]] = {"POST": deque(), "GET": deque()}
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def headers(self) -> Mapping[str, str]:
        """What every answer carries."""
        return {}

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def will(self, *steps: Step, method: str = "POST") -> None:
        """Say what becomes of the next requests; see `faults`."""
        self._steps[method].extend(steps)

    def step(self, method: str) -> Step:
        steps = self._steps[method]
        return steps.popleft() if steps else fine

    def saw_leave(self, within_s: float = 5.0) -> bool:
        """Was a connection closed in the middle of an answer since this was last asked?"""
        seen = self.left.wait(within_s)
        self.left.clear()
        return seen

    def answer(self, seen: Seen) -> Reply:
        self.authorise(seen)
        found = [(route, re.fullmatch(route[1], seen.path)) for route in self.routes]
        for (method, _, answers), match in found:
            if match and method == seen.method:
                return answers(self, seen, match)
        raise self.refusal(405 if any(match for _, match in found) else 404)

    def authorise(self, seen: Seen) -> None:
        """Raise what the service says to a missing or a wrong key."""
        raise NotImplementedError

    def refusal(self, status: int, message: str = "") -> Refusal:
        """An error of that status in the service's own shape."""
        raise NotImplementedError

    def error_event(self, seen: Seen) -> bytes:
        """What the service sends in a stream that goes wrong."""
        raise NotImplementedError

    def refused(self, seen: Seen, whole: Whole) -> Whole:
        """Give an error the form that this request's answers have."""
        return whole

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join()
        if self.broken:
            raise AssertionError("the fake itself broke") from self.broken[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def fine(exchange: Exchange) -> None:
    """Answer as the service does."""
    exchange.send(exchange.reply())


def event(data: Any, name: str = "", end: bytes = b"\n\n") -> bytes:
    """A server-sent event in raw UTF-8, as the services write it."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {text}".encode() + end


def _halves(piece: bytes) -> tuple[bytes, ...]:
    at = next((index for index, byte in enumerate(piece) if byte >= 0xC0), None)
    return (piece,) if at is None else (piece[: at + 1], piece[at + 1 :])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.cloud = cloud
        self.connections: set[socket.socket] = set()

    def hang_up(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """Whoever leaves early is part of the plan; anything else is a fault of ours."""
        error = sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1]
        if isinstance(error, OSError):
            self.cloud.left.set()
        elif error is not None:
            self.cloud.broken.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self):
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self):
        self.server.connections.discard(self.connection)
        super().finish()

    def do_POST(self):
        self._serve()

    def do_GET(self):
        self._serve()

    def _serve(self):
        cloud = self.server.cloud
        seen = self._seen()
        cloud.seen.append(seen)
        cloud.step(seen.method)(Exchange(cloud, self, seen))

    def _seen(self):
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        raw = self._body(headers)
        try:
            parsed = json.loads(raw) if raw else None
        except ValueError:
            parsed = None
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        return Seen(self.command, target.path, query, headers, raw, parsed)

    def _body(self, headers):
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, *_):
        pass

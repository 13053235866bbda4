"""A real little HTTP server on loopback that does to each request what its script says.

    upstream.will(whole(b'{"choices": …}'), stream(b"data: …", cut=True), hang)

Without a script it answers like OpenAI. It records what it received, on which connection.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

ANSWER = (
    b'{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", '
    b'"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, '
    b'"finish_reason": "stop"}], '
    b'"usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}}'
)
_CHUNK = b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",'
FIRST = b'data: %b"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n' % _CHUNK
WORD = b'data: %b"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n' % _CHUNK
FINISH = b'data: %b"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' % _CHUNK
USAGE = (
    b'data: %b"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}\n\n'
    % _CHUNK
)
DONE = b"data: [DONE]\n\n"
STREAM = (FIRST, WORD, WORD, FINISH, USAGE, DONE)


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which connection it came on, counted from 1."""


class Talk:
    """One connection, in the hands of a step of the script."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.left = threading.Event()
        """The client closed it."""

    def send(self, *pieces: bytes, pause_s: float = 0.0) -> None:
        """Send each piece by itself."""
        for piece in pieces:
            self.socket.sendall(piece)
            if pause_s:
                time.sleep(pause_s)

    def wait_until_left(self) -> None:
        with suppress(OSError):
            while self.socket.recv(4096):
                pass
        self.left.set()

    def reset(self) -> None:
        """Cut it so that the client gets an error and not an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Step = Callable[[Talk], bool]
"""Answers one request; returns whether the connection stays open."""


def whole(
    body: bytes = ANSWER,
    status: int = 200,
    *,
    kind: str = "application/json",
    close: bool = False,
    after_s: float = 0.0,
    announced: int | None = None,
    **headers: str,
) -> Step:
    """An answer in one piece. More `announced` than sent is a cut; `after_s` a slow first byte."""
    length = len(body) if announced is None else announced
    head = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {length}"]
    head += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head += ["Connection: close"] if close else []

    def step(talk: Talk) -> bool:
        time.sleep(after_s)
        talk.send("\r\n".join([*head, "", ""]).encode() + body)
        return not close and length == len(body)

    return step


def stream(
    *pieces: bytes,
    kind: str = "text/event-stream",
    pause_s: float = 0.0,
    cut: bool = False,
    hanging: bool = False,
    **headers: str,
) -> Step:
    """Each piece as a chunk of its own; cut or hanging: without the last one."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n{more}\r\n"

    def step(talk: Talk) -> bool:
        talk.send(head.encode())
        chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
        if not cut and not hanging:
            chunks.append(b"0\r\n\r\n")
        if not pause_s:
            # The end comes along with the last piece.
            chunks[-2:] = [b"".join(chunks[-2:])]
        talk.send(*chunks, pause_s=pause_s)
        if hanging:
            talk.wait_until_left()
        return not cut and not hanging

    return step


def raw(*pieces: bytes, pause_s: float = 0.0, keep: bool = False) -> Step:
    """Bytes as they are, then the end of the connection (or not)."""

    def step(talk: Talk) -> bool:
        talk.send(*pieces, pause_s=pause_s)
        return keep

    return step


def hang(talk: Talk) -> bool:
    """Never answer."""
    talk.wait_until_left()
    return False


def reset(talk: Talk) -> bool:
    """Cut the connection without a word."""
    talk.reset()
    return False


class Upstream:
    """Listens from its start to `close`; a thread for each connection."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.talks: list[Talk] = []
        self._steps: deque[Step] = deque()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._tls = tls
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/v1"

    @property
    def last(self) -> Received:
        return self.requests[-1]

    def will(self, *steps: Step) -> None:
        """Say what becomes of the next requests."""
        self._steps.extend(steps)

    def saw_the_client_leave(self, within_s: float = 5.0) -> bool:
        return self.talks[-1].left.wait(within_s)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for talk in self.talks:
            with suppress(OSError):
                talk.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.talks.append(Talk(connected))
            number = len(self.talks)
            threading.Thread(target=self._serve, args=(number,), daemon=True).start()

    def _serve(self, number: int) -> None:
        talk = self.talks[number - 1]
        if self._tls:
            try:
                talk.socket = self._tls.wrap_socket(talk.socket, server_side=True)
            except OSError:
                talk.socket.close()
                return
        reader = talk.socket.makefile("rb")
        with suppress(OSError), talk.socket, reader:
            while received := _read(reader, number):
                self.requests.append(received)
                step = self._steps.popleft() if self._steps else _like_openai(received)
                if not step(talk):
                    return


def _like_openai(received: Received) -> Step:
    return stream(*STREAM) if b'"stream":true' in received.body else whole()


def _read(reader, number: int) -> Received | None:
    line = reader.readline().decode("latin-1").strip()
    if not line:
        return None
    headers = {}
    while header := reader.readline().decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Received(line, headers, body, number)

"""gevent's WSGI server as LARouter needs it: strict (TRUST S1, S2), bounded (A1, A5), cheap.

It replaces `gevent.pywsgi`, which accepts several messages that S2 refuses and spends most of a
small request's time in its own Python. The parts: `http11` reads bytes, `guard` decides who may
come in, `body` and `answer` are the two directions of WSGI, `peer` is the socket, `connection` is
the order of events. This module listens, ends what takes too long, and drains.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Sequence
from logging import Logger
from typing import TYPE_CHECKING, Any, Protocol

import gevent
from gevent.monkey import get_original

from larouter.web.connection import Connection, Door, WSGIApp
from larouter.web.guard import Guard
from larouter.web.http11 import DEFAULT_LIMITS, HeadReader, Limits
from larouter.web.peer import Peer

if TYPE_CHECKING:
    from gevent._types import _IoWatcher, _TimerWatcher

__all__ = ["Limits", "Server"]

_BACKLOG = 512
_ACCEPTS_AT_ONCE = 64
_POLL_S = 0.05
_OUT_OF_FILES = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_PAUSE_S = 0.5
_KILL_S = 1.0


class Stop(Protocol):
    """Something to wait for: an event of gevent."""

    def wait(self) -> object: ...


class Server:
    """Serves one WSGI app. Made, started and drained in the same thread: that thread's hub."""

    def __init__(
        self,
        app: WSGIApp,
        *,
        hosts: Sequence[str],
        origins: Sequence[str] = (),
        launch_paths: Sequence[str] = (),
        limits: Limits = DEFAULT_LIMITS,
        logger: Logger,
    ) -> None:
        self._hosts = hosts
        self._origins = origins
        self._launch_paths = launch_paths
        self._limits = limits
        self._logger = logger
        self._hub = gevent.get_hub()
        self._listeners: list[_Listener] = []
        self._connections: dict[Connection, gevent.Greenlet[..., Any]] = {}
        self._sweep: _TimerWatcher | None = None
        self._door = Door(
            app=app, guard=self._new_guard(), logger=logger, limits=limits, heads=HeadReader(limits)
        )

    @property
    def in_flight(self) -> int:
        """How many requests are being answered."""
        return self._door.in_flight

    def listen(self, host: str, port: int) -> int:
        """Bind one address and return its port; 0 picks one. Raises OSError if it is in use."""
        listener = _Listener(_bound(host, port), self)
        self._listeners.append(listener)
        self._door.guard = self._new_guard()
        return listener.port

    def adopt(self, fileno: int) -> int:
        """Accept on a socket that somebody else has bound; return its port."""
        sock = _Socket(fileno=fileno)
        sock.setblocking(False)
        # One at a time: the others are to get some as well.
        listener = _Listener(sock, self, at_once=1)
        self._listeners.append(listener)
        self._door.guard = self._new_guard()
        return listener.port

    def start(self) -> None:
        """Start to accept, on every address that was bound."""
        for listener in self._listeners:
            listener.start()

    def serve_until(self, stop: Stop) -> None:
        """Accept until `stop` is set. Draining is the caller's next step."""
        self.start()
        stop.wait()

    def drain(self, timeout_s: float = 20.0, grace_s: float = 3.0) -> None:
        """Stop accepting and let the requests in flight end; return when all have ended.

        After `timeout_s` the callbacks of `larouter.on_leave` are called, so that each app can say
        goodbye to its client; what is still there `grace_s` later is killed (TRUST A6)."""
        self._door.draining = True
        for listener in self._listeners:
            listener.close()
        if not self._wait_for_end(timeout_s):
            for connection in self._connections:
                connection.peer.leave()
            if not self._wait_for_end(grace_s):
                self._kill()

    def accept(self, sock: socket.socket, address: Any, variables: dict[str, Any]) -> None:
        """Serve a connected socket in a greenlet of its own."""
        sock.setblocking(False)
        # Without it, a streamed answer's small sends wait for the client's delayed ACKs.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        remote = {"REMOTE_ADDR": address[0], "REMOTE_PORT": str(address[1])}
        peer = Peer(sock, self._hub, self._logger)
        connection = Connection(self._door, peer, {**variables, **remote})
        self._connections[connection] = gevent.spawn(self._serve, connection)
        if self._sweep is None:
            self._sweep = self._hub.loop.timer(self._limits.sweep_s, self._limits.sweep_s)
            self._sweep.start(self._expire)

    def _serve(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            self._connections.pop(connection, None)

    def _expire(self) -> None:
        """End the waits that are past their deadline; without connections, stop waking up."""
        now = time.monotonic()
        for connection in self._connections:
            connection.peer.expire(now)
        if not self._connections and self._sweep is not None:
            self._sweep.close()
            self._sweep = None

    def _wait_for_end(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while True:
            for connection in self._connections:
                if connection.idle:
                    connection.peer.hang_up()
            # A wait is ended in the next turn of the loop, so look again after it.
            gevent.sleep(0)
            left_s = deadline - time.monotonic()
            if not self._connections or left_s <= 0:
                return not self._connections
            gevent.sleep(min(_POLL_S, left_s))

    def _kill(self) -> None:
        gevent.killall(list(self._connections.values()), timeout=_KILL_S)
        # A greenlet that was killed before its first step could not close its socket.
        for connection in self._connections:
            connection.peer.close()
        self._connections.clear()

    def _new_guard(self) -> Guard:
        return Guard(
            self._hosts,
            ports={listener.port for listener in self._listeners},
            origins=self._origins,
            launch_paths=self._launch_paths,
        )


class _Listener:
    """One bound address."""

    def __init__(
        self, sock: socket.socket, server: Server, at_once: int = _ACCEPTS_AT_ONCE
    ) -> None:
        self._at_once = at_once
        host, port = sock.getsockname()[:2]
        self.port: int = port
        self._sock = sock
        self._server = server
        self._loop = gevent.get_hub().loop
        self._watcher: _IoWatcher = self._loop.io(sock.fileno(), 1)
        self._pause: _TimerWatcher = self._loop.timer(_PAUSE_S)
        self._open = True
        self._accepting = False
        self._variables = {
            "SCRIPT_NAME": "",
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
            "SERVER_SOFTWARE": "LARouter",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": _LogStream(server._logger),
            "wsgi.input_terminated": True,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

    def start(self) -> None:
        if not self._accepting:
            self._accepting = True
            self._watcher.start(self._accept)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._watcher.close()
            self._pause.close()
            self._sock.close()

    def _accept(self) -> None:
        for _ in range(self._at_once):
            try:
                # `accept` would make a socket of whatever class `socket.socket` is by now.
                fd, address = self._sock._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _OUT_OF_FILES:
                    self._rest(error)
                    return
                continue
            self._serve(fd, address)

    def _serve(self, fd: int, address: Any) -> None:
        sock = _Socket(self._sock.family, self._sock.type, self._sock.proto, fileno=fd)
        try:
            self._server.accept(sock, address, self._variables)
        except OSError:
            # The client was gone before we looked.
            sock.close()

    def _rest(self, error: OSError) -> None:
        # The listener stays readable, so without a rest this would be a busy loop.
        self._server._logger.warning("Cannot accept a connection: %s", error)
        self._accepting = False
        self._watcher.stop()
        self._pause.start(self.start)


class _LogStream:
    """`wsgi.errors`: a frozen desktop build has no stderr."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger

    def write(self, text: str) -> int:
        if text.strip():
            self._logger.error("%s", text.rstrip())
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Nothing is kept back."""


# In a patched process `socket.socket` is gevent's; see `peer` for why this one is wanted.
_Socket: type[socket.socket] = get_original("socket", "socket")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = _Socket(family, socket.SOCK_STREAM)
    try:
        _claim(sock)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _claim(sock: socket.socket) -> None:
    # On Windows SO_REUSEADDR lets two programs share a port; elsewhere it only skips TIME_WAIT.
    if sys.platform == "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

"""One client's socket under gevent: bytes in and out with deadlines, and a watch for leaving.

Waiting costs no timer: a wait notes its deadline, and the server's sweep ends the waits whose
deadline has passed. The socket is the standard library's own, also in a patched process, because
gevent's would try each call first and wait afterwards, which is one failed system call a request.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from logging import Logger
from math import inf
from typing import TYPE_CHECKING

import gevent
from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from gevent._types import _IoWatcher
    from gevent.hub import Hub

Callback = Callable[[], object]


class Gone(Exception):
    """The client is not there any more. Nobody is left to tell, so nothing is logged."""


class Expired(Exception):
    """The deadline of a wait has passed."""


class Peer:
    """A connected, non-blocking socket and what we are waiting for on it."""

    def __init__(self, sock: socket.socket, hub: Hub, logger: Logger) -> None:
        self._sock = sock
        self._hub = hub
        self._logger = logger
        self._reader: _IoWatcher = hub.loop.io(sock.fileno(), 1)
        self._writer: _IoWatcher | None = None
        self._waiting: greenlet | None = None
        self._deadline = inf
        self._watching = False
        self._callbacks: list[Callback] | None = None
        self._over = False
        self.left = False
        """Was the client seen leaving? Half a close counts: HTTP clients close whole."""

    def receive(self, size: int, deadline: float) -> bytes:
        """Wait for bytes and return them; b"" if the client is gone. May raise Expired.

        It always waits, so one client with much to say cannot keep the others waiting."""
        if self._watching:
            self._unwatch()
        while True:
            self._wait(self._reader, deadline)
            try:
                data = self._sock.recv(size)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            break
        if self._callbacks:
            self._watch()
        return data

    def send(self, data: bytes, idle_s: float) -> None:
        """Send everything. Raises Gone, also for a client that takes nothing for `idle_s`."""
        if self.left:
            raise Gone
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.left = True
            raise Gone from error
        if sent < len(data):
            self._send_rest(memoryview(data)[sent:], idle_s)

    def on_leave(self, callback: Callback) -> Callback:
        """Have `callback` called when the client leaves, or when a drain runs out of time.

        The WSGI app finds this as `environ["larouter.on_leave"]`. The callback runs at most once,
        in a greenlet of its own, while the app's greenlet may be blocked elsewhere: it closes what
        that one waits for. Returned is a function that takes the callback back; the end of the
        answer does so too. Bytes of a next request end the watch: a client that pipelines is
        noticed by the next failing send. A send that fails does not call it: the iterable's
        `close()` does what there is to do.
        """
        if self._callbacks is None:
            self._callbacks = []
        callbacks = self._callbacks
        callbacks.append(callback)
        if self._over:
            self.leave()
        elif not self._watching:
            self._watch()

        def forget() -> None:
            with suppress(ValueError):
                callbacks.remove(callback)

        return forget

    def forget_callbacks(self) -> None:
        """End the watch: the answer is complete."""
        self._callbacks = None
        if self._watching:
            self._unwatch()

    def leave(self) -> None:
        """Run and forget the callbacks; those registered from now on run at once."""
        self._over = True
        callbacks = list(self._callbacks or ())
        if self._callbacks:
            self._callbacks.clear()
        for callback in callbacks:
            gevent.spawn(self._call, callback)

    def expire(self, now: float) -> None:
        """End the wait in progress if its deadline has passed."""
        if self._deadline <= now and self._waiting is not None:
            self._hub.loop.run_callback(self._end_wait)

    def hang_up(self) -> None:
        """End the wait in progress, whatever its deadline."""
        self._deadline = -inf
        self.expire(0.0)

    def half_close(self) -> None:
        """Tell the client that nothing follows, while we still read."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket and give the watchers back."""
        self.forget_callbacks()
        self._reader.close()
        if self._writer is not None:
            self._writer.close()
        with suppress(OSError):
            self._sock.close()

    def _wait(self, watcher: _IoWatcher, deadline: float) -> None:
        self._deadline = deadline
        self._waiting = getcurrent()
        try:
            self._hub.wait(watcher)
        finally:
            self._waiting = None

    def _end_wait(self) -> None:
        # In the hub, a turn after it was asked for: the wait that was meant may be over.
        if self._waiting is not None and self._deadline <= time.monotonic():
            self._waiting.throw(Expired)

    def _send_rest(self, data: memoryview, idle_s: float) -> None:
        if self._writer is None:
            self._writer = self._hub.loop.io(self._sock.fileno(), 2)
        while data:
            try:
                self._wait(self._writer, time.monotonic() + idle_s)
                data = data[self._sock.send(data) :]
            except BlockingIOError:
                continue
            except (OSError, Expired) as error:
                self.left = True
                raise Gone from error
            if self.left:
                raise Gone

    def _watch(self) -> None:
        self._watching = True
        self._reader.start(self._peek)

    def _unwatch(self) -> None:
        self._watching = False
        self._reader.stop()

    def _peek(self) -> None:
        """Called in the hub when the socket is readable while the app works."""
        try:
            data = self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._unwatch()
        if not data:
            self.left = True
            self.leave()

    def _call(self, callback: Callback) -> None:
        try:
            callback()
        except Exception:
            self._logger.exception("A callback for a leaving client failed.")

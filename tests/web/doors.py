"""A real server on loopback for the tests: in a thread of its own, with that thread's own hub."""

import json
import logging
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass

import gevent
from gevent.event import Event

from larouter.web.http11 import Limits
from larouter.web.server import Server

# Short enough for a test, long enough for a busy machine.
QUICK = Limits(
    head_s=0.4, body_idle_s=0.4, body_total_s=1.5, keep_alive_s=0.6, linger_s=0.3, sweep_s=0.05
)
PATIENT = Limits(sweep_s=0.05, linger_s=0.3)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes
    raw_head: bytes = b""

    @property
    def error(self):
        return json.loads(self.body)["error"]


class Client:
    """A raw socket that knows just enough HTTP to cut answers apart."""

    def __init__(self, port, family=socket.AF_INET):
        self.sock = socket.socket(family)
        self.sock.settimeout(10)
        try:
            self.sock.connect(("127.0.0.1" if family == socket.AF_INET else "::1", port))
        except OSError:
            self.sock.close()
            raise
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)
        return self

    def more(self):
        """Return what one recv gives, b"" at the end."""
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            return b""
        self.buffer += data
        return data

    def until(self, end):
        while end not in self.buffer:
            assert self.more(), f"closed after {self.buffer!r}"
        cut = self.buffer.index(end) + len(end)
        found, self.buffer = self.buffer[:cut], self.buffer[cut:]
        return found

    def reply(self, *, bodyless=False):
        head = self.until(b"\r\n\r\n")
        first, *lines = head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        status = int(first.split()[1])
        body = b"" if bodyless or status in (204, 304) else self._body(headers)
        return Reply(status, headers, body, head)

    def is_closed(self):
        """Wait for the end; true when nothing came before it."""
        return not self.buffer and not self.more()

    def rest(self):
        while self.more():
            pass
        rest, self.buffer = self.buffer, b""
        return rest

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _body(self, headers):
        if "content-length" in headers:
            length = int(headers["content-length"])
            while len(self.buffer) < length:
                assert self.more(), "closed inside a body"
            body, self.buffer = self.buffer[:length], self.buffer[length:]
            return body
        if headers.get("transfer-encoding") != "chunked":
            return self.rest()
        parts = []
        while size := int(self.until(b"\r\n"), 16):
            while len(self.buffer) < size + 2:
                assert self.more(), "closed inside a chunk"
            parts.append(self.buffer[:size])
            self.buffer = self.buffer[size + 2 :]
        self.until(b"\r\n")
        return b"".join(parts)


class Running:
    """A server in its thread; `ask` runs a function in the server's hub."""

    def __init__(self, app, *, limits=PATIENT, origins=(), launch_paths=()):
        self.records: list[logging.LogRecord] = []
        logger = logging.getLogger(f"door.{id(self)}")
        logger.propagate = False
        logger.addHandler(_Kept(self.records))
        self._options = {
            "hosts": ["127.0.0.1", "localhost", "::1", "router.home"],
            "origins": origins,
            "launch_paths": launch_paths,
            "limits": limits,
            "logger": logger,
        }
        self._app = app
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)

    def ask(self, function, *args):
        """Run a function in a greenlet of the server's thread and return what it returns."""
        done = threading.Event()
        result = []

        def run():
            result.append(function(*args))
            done.set()

        self._hub.loop.run_callback_threadsafe(gevent.spawn, run)
        assert done.wait(15)
        return result[0]

    def client(self):
        return Client(self.port)

    def exchange(self, raw):
        """Send bytes on a connection of their own and return the first reply."""
        with self.client() as client:
            return client.send(raw).reply()

    def stop(self):
        self._hub.loop.run_callback_threadsafe(self._stop.set)
        self._thread.join(15)
        assert not self._thread.is_alive()

    def _run(self):
        self._hub = gevent.get_hub()
        self._stop = Event()
        # A hub without a watcher gives up; a drained server has none.
        alive = self._hub.loop.async_()
        alive.start(int)
        self.server = Server(self._app, **self._options)
        self.port = self.server.listen("127.0.0.1", 0)
        gevent.spawn(self._ready.set)
        self.server.serve_until(self._stop)
        self.server.drain(0.2, 0.2)
        alive.close()
        self._hub.destroy(destroy_loop=True)


class _Kept(logging.Handler):
    def __init__(self, records):
        super().__init__()
        self._records = records

    def emit(self, record):
        self._records.append(record)


@contextmanager
def running(app, **options):
    server = Running(app, **options)
    try:
        yield server
    finally:
        server.stop()


def eventually(is_so, timeout_s=5.0):
    """Wait until something is so."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def echo(environ, start_response):
    """Answer with what was asked."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]

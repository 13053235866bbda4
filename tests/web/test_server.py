import logging
import socket
import subprocess
import sys
import threading
import time

import gevent
import pytest
from gevent.event import Event

from larouter.web.http11 import Limits
from larouter.web.server import Server
from tests.web.doors import PATIENT, QUICK, Client, echo, eventually, running


@pytest.fixture(scope="module")
def door():
    with running(echo, origins=["app://a"]) as server:
        yield server


def request(port, line="GET / HTTP/1.1", *fields, body=b""):
    lines = [line, f"Host: 127.0.0.1:{port}", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


REFUSALS = [
    ("another host", 421, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    ("no host", 400, b"GET / HTTP/1.1\r\n\r\n"),
    ("no host in 1.0", 400, b"GET / HTTP/1.0\r\n\r\n"),
    ("two hosts", 400, b"GET / HTTP/1.1\r\nHost: @\r\nHost: @\r\n\r\n"),
    ("a foreign origin", 403, b"GET / HTTP/1.1\r\nHost: @\r\nOrigin: http://evil.example\r\n\r\n"),
    ("a foreign fetch", 403, b"GET / HTTP/1.1\r\nHost: @\r\nSec-Fetch-Site: cross-site\r\n\r\n"),
    ("bare line feeds", 400, b"GET / HTTP/1.1\nHost: @\n\n"),
    ("HTTP/2", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("HTTP/3.0", 505, b"GET / HTTP/3.0\r\nHost: @\r\n\r\n"),
    ("TLS", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("CONNECT", 400, b"CONNECT @ HTTP/1.1\r\nHost: @\r\n\r\n"),
    ("a long line", 414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: @\r\n\r\n"),
    ("many fields", 431, b"GET / HTTP/1.1\r\nHost: @\r\n" + b"X: y\r\n" * 300 + b"\r\n"),
    (
        "a body announced too large",
        413,
        b"POST / HTTP/1.1\r\nHost: @\r\nContent-Length: 33554433\r\n\r\n",
    ),
    (
        "a body too large by chunks",
        413,
        b"POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\n\r\n2000001\r\n",
    ),
    (
        "a length and chunks",
        400,
        b"POST / HTTP/1.1\r\nHost: @\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    (
        "a bad chunk size",
        400,
        b"POST / HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    ),
]


@pytest.mark.parametrize(
    ("status", "raw"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_refuses_and_closes(door, status, raw):
    raw = raw.replace(b"@", b"127.0.0.1:%d" % door.port)
    with door.client() as client:
        reply = client.send(raw).reply()

        assert (reply.status, set(reply.error)) == (status, {"message", "type", "param", "code"})
        assert reply.headers["connection"] == "close"
        assert client.is_closed()


def test_a_refusal_of_head_has_no_body(door):
    with door.client() as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n")

        assert client.rest().endswith(b"\r\n\r\n")


def test_a_refused_upload_still_gets_its_answer(door):
    with door.client() as client:
        client.send(request(door.port, "POST / HTTP/1.1", "Content-Length: 40000000"))
        client.send(b"x" * 4_000_000)

        assert client.reply().status == 413


def test_a_listed_origin_gets_its_preflight_and_its_answer(door):
    asked = ("Origin: app://a", "Access-Control-Request-Method: POST")
    with door.client() as client:
        granted = client.send(request(door.port, "OPTIONS /v1/x HTTP/1.1", *asked)).reply()
        answer = client.send(request(door.port, "GET /v1/x HTTP/1.1", "Origin: app://a")).reply()

    assert (granted.status, answer.status) == (204, 200)
    assert answer.headers["access-control-allow-origin"] == "app://a"


def test_listens_on_both_loopbacks_with_one_port():
    with running(echo) as server:
        try:
            port = server.ask(server.server.listen, "::1", server.port)
        except IndexError:
            pytest.skip("no IPv6 here")
        server.ask(server.server.start)

        with Client(port, socket.AF_INET6) as client:
            assert client.send(f"GET / HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n".encode()).reply()


def test_never_shares_a_port(door):
    with pytest.raises(OSError, match="in use"):
        Server(echo, hosts=[], logger=logging.getLogger("door")).listen("127.0.0.1", door.port)


def test_an_idle_connection_is_closed_silently():
    with running(echo, limits=QUICK) as server, server.client() as client:
        started = time.monotonic()

        assert client.is_closed()
        assert 0.5 < time.monotonic() - started < 3


def test_a_connection_that_went_idle_is_closed_silently():
    with running(echo, limits=QUICK) as server, server.client() as client:
        client.send(request(server.port)).reply()

        assert client.is_closed()


def test_a_slow_head_is_ended_however_steadily_it_comes():
    with running(echo, limits=QUICK) as server, server.client() as client:
        client.send(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode())
        drip = threading.Thread(target=_drip, args=(client, 1.5))
        drip.start()
        reply = client.reply()
        drip.join()

        assert (reply.status, reply.error["code"]) == (408, "request_timeout")


def _drip(client, duration_s):
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        try:
            client.send(b"X: y\r\n")
        except OSError:
            return
        time.sleep(0.05)


@pytest.mark.parametrize("pause_s", [0.1, 2.0])
def test_a_slow_body_is_ended(pause_s):
    with running(echo, limits=QUICK) as server, server.client() as client:
        client.send(request(server.port, "POST / HTTP/1.1", "Content-Length: 1000000"))
        stop = threading.Event()
        drip = threading.Thread(target=_feed, args=(client, pause_s, stop))
        drip.start()
        reply = client.reply()
        stop.set()
        drip.join()

        assert reply.status == 408


def _feed(client, pause_s, stop):
    while not stop.wait(pause_s):
        try:
            client.send(b"x")
        except OSError:
            return


class Held:
    """An app whose answers wait until they are let go, or until the client leaves."""

    def __init__(self, *, watches=True):
        self.let_go = Event()
        self.left = 0
        self.closed = 0
        self._watches = watches

    def __call__(self, environ, start_response):
        if self._watches:
            environ["larouter.on_leave"](self._leave)
        start_response("200 OK", [])
        return self._Pieces(self)

    def _leave(self):
        self.left += 1
        self.let_go.set()

    class _Pieces:
        def __init__(self, app):
            self._app = app

        def __iter__(self):
            yield b"first"
            self._app.let_go.wait()
            yield b"last"

        def close(self):
            self._app.closed += 1


def test_more_than_the_limit_is_told_to_come_back():
    app = Held()
    with running(app, limits=Limits(in_flight=1, sweep_s=0.05)) as server, server.client() as first:
        first.send(request(server.port)).until(b"first")
        reply = server.exchange(request(server.port))
        server.ask(app.let_go.set)

        assert (reply.status, reply.headers["retry-after"]) == (429, "1")
        first.until(b"0\r\n\r\n")
        eventually(lambda: server.server.in_flight == 0)
        assert server.exchange(request(server.port)).status == 200


def test_a_client_that_leaves_is_noticed_once():
    app = Held()
    with running(app) as server:
        with server.client() as client:
            client.send(request(server.port)).until(b"first")

        eventually(lambda: app.closed)
        assert (app.left, app.closed) == (1, 1)
        assert server.records == []


def test_a_client_that_resets_is_noticed():
    app = Held()
    with running(app) as server:
        client = server.client()
        client.send(request(server.port)).until(b"first")
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()

        eventually(lambda: app.closed)
        assert app.left == 1


def test_a_complete_answer_calls_nobody():
    app = Held()
    with running(app) as server, server.client() as client:
        client.send(request(server.port)).until(b"first")
        server.ask(app.let_go.set)
        client.until(b"0\r\n\r\n")

    assert (app.left, app.closed) == (0, 1)


def test_a_drain_lets_answers_end():
    app = Held()
    with running(app) as server, server.client() as client, server.client() as idle:
        client.send(request(server.port)).until(b"first")
        drained = []
        waiter = threading.Thread(target=lambda: drained.append(server.ask(_drain, server, 5)))
        waiter.start()
        assert idle.is_closed()
        server.ask(app.let_go.set)
        waiter.join()

        assert client.rest().endswith(b"last\r\n0\r\n\r\n")
        assert (app.left, drained) == (0, [0])


def test_a_drain_that_runs_out_of_time_lets_the_app_say_goodbye():
    app = Held()
    with running(app) as server, server.client() as client:
        client.send(request(server.port)).until(b"first")
        server.ask(_drain, server, 0.1)

        assert client.rest().endswith(b"last\r\n0\r\n\r\n")
        assert app.left == 1


def test_a_drain_ends_even_an_app_that_does_not_listen():
    app = Held(watches=False)
    with running(app) as server, server.client() as client:
        client.send(request(server.port)).until(b"first")
        server.ask(_drain, server, 0.1)

        assert not client.rest().endswith(b"0\r\n\r\n")
        assert app.closed == 1


def _drain(server, timeout_s):
    server.server.drain(timeout_s, 0.3)
    return server.server.in_flight


def test_a_drained_server_accepts_nobody():
    with running(echo) as server:
        server.ask(_drain, server, 1)

        with pytest.raises(ConnectionRefusedError):
            server.client()


def test_a_request_on_an_open_connection_is_refused_while_draining():
    app = Held()
    with running(app) as server, server.client() as busy, server.client() as client:
        busy.send(request(server.port)).until(b"first")
        client.send(b"GET / HTTP/1.1\r\n")
        time.sleep(0.1)
        waiter = threading.Thread(target=server.ask, args=(_drain, server, 2))
        waiter.start()
        eventually(lambda: server.server._door.draining)
        reply = client.send(f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode()).reply()
        server.ask(app.let_go.set)
        waiter.join()

        assert (reply.status, reply.headers["retry-after"]) == (503, "1")


def test_does_not_wake_up_without_connections():
    with running(echo, limits=QUICK) as server:
        server.exchange(request(server.port))

        eventually(lambda: server.server._sweep is None)


def test_serves_in_a_patched_process():
    program = """
from gevent import monkey; monkey.patch_all()
import logging, socket, gevent
from larouter.web.server import Server
from tests.web.doors import echo
server = Server(echo, hosts=["127.0.0.1"], logger=logging.getLogger("door"))
port = server.listen("127.0.0.1", 0)
server.start()
with socket.create_connection(("127.0.0.1", port)) as client:
    client.sendall(b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1:%d\\r\\n\\r\\n" % port)
    assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
server.drain(1)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_gives_up_on_a_client_that_reads_nothing():
    limits = Limits(write_idle_s=0.3, sweep_s=0.05)
    app = Endless()
    with running(app, limits=limits) as server, server.client() as client:
        client.send(request(server.port))

        eventually(lambda: app.closed)
        assert server.records == []


class Endless:
    closed = 0

    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        return self

    def __iter__(self):
        while True:
            yield b"x" * 65536

    def close(self):
        self.closed += 1


def test_serves_many_at_once(door):
    clients = [door.client() for _ in range(50)]
    try:
        for client in clients:
            client.send(request(door.port, "POST / HTTP/1.1", "Content-Length: 2", body=b"ab"))

        assert [client.reply().body for client in clients] == [b"ab"] * 50
    finally:
        for client in clients:
            client.close()


def test_the_default_limits_are_the_promised_ones():
    assert (PATIENT.line, PATIENT.headers, PATIENT.header_count) == (8192, 65536, 200)
    assert (PATIENT.chunk_extension, PATIENT.body) == (1024, 32 * 1024 * 1024)
    assert (PATIENT.head_s, PATIENT.body_idle_s, PATIENT.body_total_s) == (10, 30, 120)
    assert (PATIENT.keep_alive_s, PATIENT.in_flight) == (15, 256)


def test_a_failing_callback_is_logged_and_harms_nobody():
    def app(environ, start_response):
        environ["larouter.on_leave"](lambda: 1 / 0)
        gevent.sleep(0.2)
        return echo(environ, start_response)

    with running(app) as server:
        with server.client() as client:
            client.send(request(server.port))
        eventually(lambda: server.records)

        assert server.records[0].getMessage() == "A callback for a leaving client failed."

import time

import gevent
import pytest
from gevent.event import Event

from tests.web.doors import Client, eventually, running


class Watching:
    """An app that registers callbacks for a client that leaves, then waits."""

    def __init__(self, watch):
        self.watch = watch
        self.calls = []
        self.let_go = Event()
        self.entered = 0
        self.has_read = False

    def __call__(self, environ, start_response):
        self.entered += 1
        self.watch(self, environ)
        self.let_go.wait(2)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


def ask(door):
    return f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{door.port}\r\n\r\n".encode()


def leave(app):
    """Have a client ask and leave; return what was called."""
    with running(app) as server:
        with server.client() as client:
            client.send(ask(server))
            eventually(lambda: app.entered)
        time.sleep(0.2)
        server.ask(app.let_go.set)
        eventually(lambda: server.server.in_flight == 0)
        assert server.records == []
    return app.calls


def test_every_callback_is_called_once():
    def watch(app, environ):
        for number in (1, 2):
            environ["larouter.on_leave"](lambda number=number: app.calls.append(number))

    assert leave(Watching(watch)) == [1, 2]


def test_a_callback_taken_back_is_not_called():
    def watch(app, environ):
        forget = environ["larouter.on_leave"](lambda: app.calls.append(1))
        environ["larouter.on_leave"](lambda: app.calls.append(2))
        forget()
        forget()

    assert leave(Watching(watch)) == [2]


def test_a_callback_for_a_client_that_has_left_is_called_at_once():
    def watch(app, environ):
        left = Event()
        environ["larouter.on_leave"](left.set)
        left.wait()
        environ["larouter.on_leave"](lambda: app.calls.append("late"))

    assert leave(Watching(watch)) == ["late"]


def test_a_callback_may_block():
    def watch(app, environ):
        def block():
            gevent.sleep(0.01)
            app.calls.append(1)

        environ["larouter.on_leave"](block)

    assert leave(Watching(watch)) == [1]


@pytest.mark.parametrize("unread", [b"x" * 5, b""])
def test_bytes_that_come_meanwhile_are_kept(unread):
    app = Watching(lambda app, environ: environ["larouter.on_leave"](app.let_go.set))
    with running(app) as server, server.client() as client:
        client.send(ask(server))
        eventually(lambda: app.entered)
        client.send(ask(server) + unread)
        server.ask(app.let_go.set)

        assert (client.reply().body, client.reply().body) == (b"ok", b"ok")


def test_a_watch_outlives_the_reading_of_the_body():
    def watch(app, environ):
        environ["larouter.on_leave"](lambda: app.calls.append(1))
        environ["wsgi.input"].read()
        app.has_read = True

    app = Watching(watch)
    with running(app) as server:
        with Client(server.port) as client:
            head = ask(server)[:-2] + b"Content-Length: 4\r\n\r\n"
            client.send(head + b"ab")
            eventually(lambda: app.entered)
            client.send(b"cd")
            eventually(lambda: app.has_read)
        eventually(lambda: app.calls)

    assert app.calls == [1]

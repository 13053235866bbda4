"""How commands reach the server: by its runtime file, or alone, or not at all."""

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from filelock import FileLock

from larouter.cli.calls import Runtime, running
from larouter.config import read_settings
from larouter.core.errors import LARouterError, Unavailable


@contextmanager
def pretending(home, port):
    """A server that holds the folder and said that it listens at `port`."""
    (home / "runtime.json").write_text(json.dumps({"host": "127.0.0.1", "port": port}))
    with FileLock(home / "serve.lock", is_singleton=False):
        yield


@contextmanager
def stranger():
    """Another program, which answers everything with a page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b"<h1>Not here</h1>")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def settings(home):
    return read_settings({"LAROUTER_HOME": str(home)})


def test_without_a_runtime_file_nothing_runs(tmp_path):
    assert running(settings(tmp_path)) is None


def test_a_runtime_file_that_nobody_stands_behind_is_old(tmp_path):
    (tmp_path / "runtime.json").write_text('{"host": "127.0.0.1", "port": 1}')

    assert running(settings(tmp_path)) is None


def test_the_runtime_file_of_a_living_server_says_where(tmp_path):
    with pretending(tmp_path, 4711):
        assert running(settings(tmp_path)) == Runtime(host="127.0.0.1", port=4711)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "7"])
def test_a_torn_runtime_file_is_no_address(tmp_path, text):
    with pretending(tmp_path, 4711):
        (tmp_path / "runtime.json").write_text(text)

        assert running(settings(tmp_path)) is None


def test_a_server_that_does_not_answer_is_said_so(alone):
    with socket.socket() as taken:
        # Bound but not listening: whoever connects is refused.
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with (
            pretending(alone.home, port),
            pytest.raises(Unavailable, match=f"http://127.0.0.1:{port} does not answer"),
        ):
            alone.run("projects", "list")


def test_a_stranger_on_our_port_is_said_so(alone):
    with (
        stranger() as port,
        pretending(alone.home, port),
        pytest.raises(LARouterError, match="Is another program on its port"),
    ):
        alone.run("projects", "list")


@pytest.mark.slow
def test_a_wrong_admin_key_is_said_so(at, router):
    with pytest.raises(LARouterError, match="needs the admin key"):
        at(router).run("projects", "list", LAROUTER_ADMIN_KEY="lra_wrong")


@pytest.mark.slow
def test_a_proxy_is_not_asked_for_this_machine(at, router):
    lines = at(router).lines("projects", "list", http_proxy="http://127.0.0.1:1")

    assert lines

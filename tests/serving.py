"""A real `python app.py serve` for the tests: a data folder of its own, a free port.

Only what the test names is in its environment, so that no key, address or keyring of the
developer's gets into a test.
"""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psutil
import requests

from tests.provider import TEXT

ROOT = Path(__file__).resolve().parent.parent
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "COVERAGE_")
_STARTS_WITHIN_S = 90
_PATIENCE_S = 90


def environment(home, **settings):
    """What the program under test may see."""
    inherited = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - coverage hands its settings on here
        if name.startswith(_PASSED_ON)
    }
    return {
        **inherited,
        "LAROUTER_HOME": str(home),
        "LAROUTER_PORT": "0",
        # Nothing of a test pops up on the developer's screen.
        "LAROUTER_NOTIFY": "off",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        **settings,
    }


def command(home, *arguments, stdin="", timeout_s=_PATIENCE_S, **settings):
    """Run one command to its end; return its exit status and what it wrote."""
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        env=environment(home, **settings),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class Serving:
    """A server from its start to its end. Asks in the name of the project `default`."""

    def __init__(self, home, *arguments, bearer=None, prefix=(), **settings):
        """`prefix` is a command that ends by running the rest of its line."""
        self.home = Path(home)
        self._out_path = self.home / "serve.out"
        self._out = self._out_path.open("w+b")
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "app.py", "serve", *arguments],
            cwd=ROOT,
            env=environment(home, **settings),
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if prefix:
            # It may see another disk there than we do.
            self.home = Path(f"/proc/{self.process.pid}/root{home}")
        self.session = requests.Session()
        self.session.trust_env = False
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise
        self.ready_s = time.monotonic() - self.started_at
        self.bearer = bearer or re.findall(r"lr_[\w-]+", self.output())[0]
        self.admin_key = settings.get("LAROUTER_ADMIN_KEY") or self._file("admin.key")

    @property
    def port(self):
        return self.runtime["port"]

    @property
    def url(self):
        return f"http://{self.runtime['host']}:{self.port}"

    def output(self):
        """What it has written to the terminal."""
        return self._out_path.read_text()

    def log(self):
        return (self.home / "logs" / "larouter.log").read_text()

    def ask(self, method, path, body=None, *, bearer=None, headers=None, **options):
        """Send a request; `bearer` False sends none."""
        bearer = self.bearer if bearer is None else bearer
        given = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.session.request(
            method,
            self.url + path,
            headers={**given, **(headers or {})},
            timeout=options.pop("timeout", _PATIENCE_S),
            **({"json": body} if body is not None else {}),
            **options,
        )

    def admin(self, method, path, body=None):
        return self.ask(method, path, body, bearer=self.admin_key)

    def chat(self, model="auto", text="Hi", *, headers=None, **fields):
        body = {"model": model, "messages": user(text), "max_tokens": 8, **fields}
        stream = bool(fields.get("stream"))
        return self.ask("POST", "/v1/chat/completions", body, headers=headers, stream=stream)

    def query(self, statement, *values):
        """Read the database as another process would: only what is committed is there."""
        path = f"{(self.home / 'larouter.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(path, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def row(self, request_id):
        """The row of one request."""
        rows = self.query("SELECT * FROM request WHERE id = ?", request_id)
        assert len(rows) == 1
        return rows[0]

    def attempts(self, request_id):
        return self.query("SELECT * FROM attempt WHERE request_id = ? ORDER BY id", request_id)

    def ended(self, request_id):
        """Wait for the end of a request that nobody listens to; return its row."""
        ended = "SELECT * FROM request WHERE id = ? AND ended_ms IS NOT NULL"
        return eventually(lambda: self.query(ended, request_id))[0]

    def pending(self):
        return self.query("SELECT * FROM attempt WHERE state = 'pending'")

    def listens(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def engines(self):
        """The processes that run models for this server."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "larouter.engines.worker" in child.cmdline()]

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=30):
        """Wait for its end; return the exit status."""
        try:
            return self.process.wait(timeout_s)
        finally:
            self._close()

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        return self.wait()

    def _wait_until_ready(self):
        runtime = self.home / "runtime.json"
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"it ended at once: {self.output()}"
            if runtime.exists():
                self.runtime = json.loads(runtime.read_text())
                if self.runtime["pid"] == self.process.pid:
                    assert self.session.get(f"{self.url}/health", timeout=20).ok
                    return
            time.sleep(0.02)
        raise AssertionError(f"it did not start: {self.output()}")

    def _file(self, name):
        return (self.home / name).read_text().strip()

    def _close(self):
        self.session.close()
        self._out.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        else:
            self._close()


def post(server, model, **fields):
    """Ask on a connection of its own: `Serving.ask` is for one thread."""
    return requests.post(
        f"{server.url}/v1/chat/completions",
        json={"model": model, "messages": user("Hi"), **fields},
        headers={"Authorization": f"Bearer {server.bearer}"},
        timeout=_PATIENCE_S,
    )


def user(text):
    return [{"role": "user", "content": text}]


def events(response):
    """The data of each event of a streamed answer: JSON, or the text `[DONE]`."""
    found = []
    for line in response.iter_lines():
        if line.startswith(b"data: "):
            data = line.removeprefix(b"data: ")
            found.append("[DONE]" if data == b"[DONE]" else json.loads(data))
    return found


def assert_serves(server):
    """Whatever happened, the next request is answered."""
    answer = server.chat("custom/plain")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == TEXT


def assert_error(answer, status, code=None):
    """An error in OpenAI's shape, with an id and words for a person; return it."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert code in {None, error["code"]}
    assert answer.headers["x-request-id"].startswith("req_")
    for inside in ("Traceback", "/larouter/", ".py"):
        assert inside not in answer.text
    return error


def eventually(is_so, timeout_s=10.0):
    """Wait until something is so; return what it says."""
    deadline = time.monotonic() + timeout_s
    while not (said := is_so()):
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)
    return said

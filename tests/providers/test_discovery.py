"""Checks of keys: each SDK against a server of the test's own, and how such a check can fail."""

import json
import logging
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from larouter.providers.discovery import Discovery, Found, check

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-canary-0123456789"
WIRES = ["openai", "anthropic", "gemini"]
GOOGLE_REFUSES = {
    "error": {
        "code": 400,
        "message": f"API key {KEY} not valid.",
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/x.ErrorInfo", "reason": "API_KEY_INVALID"}],
    }
}


class Cloud:
    """A provider that lists models; what it says can be changed."""

    def __init__(self):
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                cloud.seen.append((self.path, dict(self.headers)))
                status, body, headers = cloud.answer(self.path, str(self.headers))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        self.seen: list[tuple[str, dict[str, str]]] = []
        self.names = ["one-1", "two-2"]
        self.is_public = False
        self.fixed: tuple[int, bytes, dict[str, str]] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.root = f"http://127.0.0.1:{self._server.server_port}"

    def url(self, wire):
        return self.root + ("/v1" if wire == "openai" else "")

    def says(self, status, body, **headers):
        text = body if isinstance(body, str) else json.dumps(body)
        self.fixed = (status, text.encode(), headers)

    def answer(self, path, headers):
        if self.fixed:
            return self.fixed
        if KEY not in headers and not self.is_public:
            return 401, b'{"error": {"message": "no key"}}', {}
        if "x-goog-api-key" in headers:
            return 200, self._google(path), {}
        data = [{"id": name, "object": "model", "type": "model"} for name in self.names]
        return 200, json.dumps({"object": "list", "data": data, "has_more": False}).encode(), {}

    def _google(self, path):
        half = len(self.names) // 2
        first = "pageToken" not in path
        names = self.names[:half] if first else self.names[half:]
        models = [{"name": f"models/{name}"} for name in names]
        return json.dumps({"models": models, **({"nextPageToken": "p2"} if first else {})}).encode()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def cloud():
    cloud = Cloud()
    yield cloud
    cloud.close()


def reason_of(found):
    assert not found.ok
    assert found.models == ()
    assert KEY not in repr(found)
    return found.reason


@pytest.mark.parametrize("wire", WIRES)
def test_a_good_key_lists_its_models(cloud, wire):
    found = check(wire, cloud.url(wire), KEY)

    assert found == Found(ok=True, reason="", models=("one-1", "two-2"))


@pytest.mark.parametrize("wire", WIRES)
def test_a_list_that_is_public_says_nothing_about_the_key(cloud, wire):
    cloud.is_public = True
    cloud.names = ["one-1", "two-2"]

    found = check(wire, cloud.url(wire), KEY)

    assert found.ok
    assert "says nothing about the key" in found.reason


def test_a_server_without_keys_is_asked_without_one(cloud):
    cloud.is_public = True

    found = check("openai", cloud.url("openai"), None)

    assert (found.ok, found.reason) == (True, "")


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, {"error": {"message": f"Incorrect API key: {KEY}"}}, "key was refused"),
        (401, KEY, "key was refused"),
        (400, GOOGLE_REFUSES, "key was refused"),
        (402, {"error": {"message": "Insufficient Balance"}}, "no credit"),
        (403, {"error": {"message": "no"}}, "may not list models"),
        (429, {"error": {"code": "insufficient_quota"}}, "no credit"),
        (429, {"error": {"code": 429, "details": "x"}}, "too often"),
        (500, "", "fault of its own (HTTP 500)"),
        (503, "<html>", "fault of its own (HTTP 503)"),
        (404, "<html>no such page", "not with this format's list of models (HTTP 404)"),
        (405, {"detail": "no"}, "(HTTP 405)"),
        (200, "<html>Welcome", "not with this format"),
        (200, "{", "not with this format"),
        (200, {"hello": 1}, "not with this format"),
        (200, [1], "not with this format"),
        (200, '"x"', "not with this format"),
    ],
)
def test_a_refusal_is_one_sentence(cloud, wire, status, body, words):
    cloud.says(status, body)

    assert words in reason_of(check(wire, cloud.url(wire), KEY))


@pytest.mark.parametrize("wire", WIRES)
def test_it_asks_once_and_goes_where_it_was_sent(cloud, wire):
    cloud.says(302, "", Location=f"{cloud.root}/elsewhere")

    reason = reason_of(check(wire, cloud.url(wire), KEY))

    assert "(HTTP 302)" in reason
    assert len(cloud.seen) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_failure_is_not_tried_again(cloud, wire):
    cloud.says(503, "")

    check(wire, cloud.url(wire), KEY)

    assert len(cloud.seen) == 1


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_names_from_outside_are_cleaned(cloud, wire):
    cloud.names = ["one-1", "one-1", "a\x1b[31m", "x" * 301, "", 7, None, "two-2"]

    assert check(wire, cloud.url(wire), KEY).models == ("one-1", "two-2")


@pytest.mark.parametrize("wire", WIRES)
def test_nobody_at_the_address(wire):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

    reason = reason_of(check(wire, f"http://127.0.0.1:{port}", KEY))

    assert reason == "127.0.0.1 cannot be reached (nobody answers at that address)."


@pytest.mark.parametrize("wire", WIRES)
def test_metadata_is_out_of_reach(wire):
    reason = reason_of(check(wire, "http://169.254.169.254/v1", KEY))

    assert "link-local and metadata addresses are not allowed" in reason


@pytest.mark.parametrize("wire", WIRES)
def test_a_certificate_that_nobody_vouches_for_is_not_trusted(cloud, wire):
    reason = reason_of(check(wire, cloud.url(wire).replace("http:", "https:"), KEY))

    assert "127.0.0.1" in reason
    assert ssl.OPENSSL_VERSION not in reason


@pytest.mark.parametrize("wire", WIRES)
def test_a_proxy_is_used_where_there_is_one(cloud, wire):
    found = check(wire, "http://api.example/v1", KEY, proxy=cloud.root)

    # Our cloud in the proxy's place answers for a host that nobody could have looked up.
    assert found.ok
    assert {path.split("/v1")[0] for path, _ in cloud.seen} == {"http://api.example"}


def test_a_key_that_no_header_can_hold_stays_out_of_the_reason(cloud):
    key = f"{KEY}\r\nX-Evil: 1"

    reason = reason_of(check("openai", cloud.url("openai"), key))

    assert reason.startswith("The connection to 127.0.0.1 broke")


@pytest.fixture
def discovery():
    return Discovery(environment={}, proxies={})


@pytest.mark.slow
@pytest.mark.parametrize("wire", WIRES)
def test_a_check_runs_in_a_process_of_its_own(cloud, discovery, wire, monkeypatch):
    # What an SDK would read from the server's environment does not get to the provider.
    monkeypatch.setenv("OPENAI_ORG_ID", "org-canary")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Canary: canary")

    found = discovery.check(wire, cloud.url(wire), KEY)

    assert found == Found(ok=True, models=("one-1", "two-2"))
    headers = [value for _, headers in cloud.seen for value in headers.values()]
    assert [value for value in headers if "canary" in value and KEY not in value] == []


def child(tmp_path, script, **options):
    """A discovery whose child is a script instead."""
    file = tmp_path / "child.py"
    file.write_text(script)
    return Discovery(environment={}, proxies={}, python=[sys.executable, str(file)], **options)


def test_the_key_is_not_on_the_child_s_command_line_or_in_its_environment(tmp_path):
    script = (
        "import json, os, sys; asked = json.loads(sys.stdin.read());"
        "clean = asked['key'] not in str(sys.argv) + str(dict(os.environ));"
        "print(json.dumps({'ok': clean, 'models': [asked['key'][-4:], asked['proxy']]}))"
    )
    house = child(tmp_path, script)
    house._proxies = {"https": "http://proxy.example"}

    found = house.check("openai", "https://api.example/v1", KEY)

    assert found == Found(ok=True, models=("6789", "http://proxy.example"))


def test_a_child_that_hangs_is_given_up(tmp_path):
    house = child(tmp_path, "import time; time.sleep(60)", limit_s=0.3)

    reason = reason_of(house.check("openai", "http://127.0.0.1:9", KEY))

    assert reason.startswith("127.0.0.1 did not answer in time")


@pytest.mark.parametrize(
    "script", ["raise SystemExit(3)", "print('{')", f"raise ValueError({KEY!r})"]
)
def test_a_child_that_fails_is_said_so_without_its_words(tmp_path, script, caplog):
    with caplog.at_level(logging.DEBUG):
        reason = reason_of(child(tmp_path, script).check("openai", "http://127.0.0.1:9", KEY))

    assert reason == "LARouter could not check it; try again."
    assert "a check of a key ended with status" in caplog.text
    assert KEY not in caplog.text


def test_a_start_imports_no_sdk():
    script = (
        "import sys, larouter.bootstrap, larouter.cli;"
        "print([name for name in ('openai', 'anthropic', 'google.genai', 'httpx2')"
        " if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert result.stdout == "[]\n"

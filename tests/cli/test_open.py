"""`larouter open`."""

import json
import re
import signal
import sys

import psutil
import pytest
import requests

from tests.serving import command, eventually


@pytest.mark.slow
def test_open_starts_a_server_and_signs_the_browser_in(tmp_path):
    seen = tmp_path / "seen"
    browser = tmp_path / "browser.py"
    browser.write_text(f"import sys, pathlib; pathlib.Path({str(seen)!r}).write_text(sys.argv[1])")
    home = tmp_path / "home"
    settings = {"BROWSER": f"{sys.executable} {browser} %s"}

    opened = command(home, "open", **settings)
    again = command(home, **settings)
    runtime = json.loads((home / "runtime.json").read_text())
    server = psutil.Process(runtime["pid"])
    try:
        assert (opened.returncode, opened.stderr) == (0, "")
        assert (again.returncode, again.stderr) == (0, "")
        assert eventually(seen.exists)
        assert seen.read_text() == (home / "open.html").as_uri()
        _assert_signs_in(home, runtime["port"])
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
    assert not (home / "runtime.json").exists()


def _assert_signs_in(home, port):
    page = home / "open.html"
    assert page.stat().st_mode & 0o777 == 0o600
    [code] = re.findall(r'name="code" value="([\w-]+)"', page.read_text())
    # A page of the file system has the origin `null`.
    answer = requests.post(
        f"http://127.0.0.1:{port}/sign-in",
        data={"code": code},
        headers={"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        timeout=10,
    )
    assert answer.cookies.keys() == [f"larouter_session_{port}"]
    assert requests.get(f"http://127.0.0.1:{port}/events", timeout=10).status_code == 401


@pytest.mark.slow
def test_open_says_when_the_server_does_not_start(tmp_path):
    result = command(tmp_path, "open", LAROUTER_PORT="0", LAROUTER_HOST="192.0.2.1")

    assert result.returncode == 1
    assert "The server did not start" in result.stderr
    assert "cannot listen on 192.0.2.1" in (tmp_path / "logs" / "serve.out").read_text()

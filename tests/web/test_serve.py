"""`larouter serve` from its first start to its orderly stop."""

import errno
import io
import json
import re

import pytest
import requests
from filelock import FileLock

from larouter.config import SettingsError, read_settings
from larouter.web.serve import (
    AlreadyRunning,
    _greet,
    _host_names,
    _why_not,
    serve,
)
from tests.serving import Serving


def settings(home, **more):
    return read_settings({"LAROUTER_HOME": str(home), **more})


def test_a_first_start_says_what_a_client_needs():
    out = io.StringIO()

    _greet(out, "127.0.0.1:5", "lr_new", None)

    text = out.getvalue()
    assert "LARouter is running at http://127.0.0.1:5\n" in text
    assert "Base URL   http://127.0.0.1:5/v1\n" in text
    assert "Bearer     lr_new\n" in text
    assert "larouter open" in text
    assert "/sign-in/" not in text


def test_a_later_start_has_no_bearer_to_show():
    out = io.StringIO()

    _greet(out, "127.0.0.1:5", None, "code-1")

    assert "rotate default" in out.getvalue()
    assert "http://127.0.0.1:5/sign-in/code-1" in out.getvalue()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EADDRINUSE, "Port 18790 is used by another program.*LAROUTER_PORT=18791"),
        (errno.EACCES, "Port 18790 needs more rights"),
        (errno.EADDRNOTAVAIL, "cannot listen on 127.0.0.1:18790: it said no"),
    ],
)
def test_why_it_cannot_listen_is_one_sentence(tmp_path, number, words):
    assert re.search(words, _why_not(OSError(number, "it said no"), settings(tmp_path)))


def test_the_last_port_has_another_way_out(tmp_path):
    last = settings(tmp_path, LAROUTER_PORT="65535")

    assert "LAROUTER_PORT=18790" in _why_not(OSError(errno.EADDRINUSE, ""), last)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_only_loopback_names_are_served(host):
    assert set(_host_names(host)) == {"127.0.0.1", "localhost", "::1"}


def test_beyond_loopback_the_address_is_a_name_too():
    assert {"192.0.2.1", "127.0.0.1"} <= set(_host_names("192.0.2.1"))


@pytest.mark.parametrize(
    ("runtime", "words"),
    [
        ('{"host": "127.0.0.1", "port": 4711}', "already running at http://127.0.0.1:4711"),
        (None, "already starting"),
        ("{", "already starting"),
        ("{}", "already starting"),
        ("7", "already starting"),
    ],
)
def test_a_folder_that_is_served_is_not_served_twice(tmp_path, runtime, words):
    if runtime is not None:
        (tmp_path / "runtime.json").write_text(runtime)

    with (
        FileLock(tmp_path / "serve.lock", is_singleton=False),
        pytest.raises(AlreadyRunning, match=words),
    ):
        serve(settings(tmp_path))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_an_open_house_is_for_this_machine_only(tmp_path, host):
    open_house = settings(tmp_path / "new", LAROUTER_KEYLESS="1", LAROUTER_HOST=host)

    with pytest.raises(SettingsError, match=f"is to listen on {host}, where other machines"):
        serve(open_house)

    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_server_writes_down_where_it_is_for_its_owner_only(router):
    runtime = json.loads((router.home / "runtime.json").read_text())

    assert {"host", "port", "pid", "nonce"} == set(runtime)
    assert runtime["pid"] == router.process.pid
    for name in ("runtime.json", "admin.key", "larouter.db"):
        assert (router.home / name).stat().st_mode & 0o777 == 0o600
    for folder in (router.home, router.home / "logs"):
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.slow
def test_the_bearer_is_on_the_screen_and_in_no_log(router):
    router.chat("custom/plain")

    assert router.output().count(router.bearer) == 1
    assert router.bearer not in router.log()
    assert router.admin_key not in router.output() + router.log()


@pytest.mark.slow
def test_health_answers_on_both_loopback_addresses(router):
    for host in ("127.0.0.1", "[::1]", "localhost"):
        answer = requests.get(f"http://{host}:{router.port}/health", timeout=10)

        assert answer.json()["status"] == "ok"


@pytest.mark.slow
def test_it_serves_on_ipv6_alone_and_knows_its_name(tmp_path):
    with Serving(tmp_path, LAROUTER_HOST="::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        assert server.admin("GET", "/api/projects").status_code == 200
        assert server.runtime["host"] == "[::1]"
        assert f"http://[::1]:{server.port}/v1" in server.output()

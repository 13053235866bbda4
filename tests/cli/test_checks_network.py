"""Port, keys, servers, proxy and certificates, on this machine's own loopback."""

import socket
from contextlib import closing
from dataclasses import replace

import pytest

from larouter.cli import checks_network
from larouter.config import read_settings
from larouter.secrets import Vault
from tests.provider import Provider


@pytest.fixture
def settings(tmp_path):
    return read_settings({"LAROUTER_HOME": str(tmp_path)})


@pytest.fixture
def closed():
    """A port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def taken():
    """One that somebody else has."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening.getsockname()[1]


def only(question):
    (check,) = question
    return check.status, check.words


def test_a_free_port_is_fine(settings, closed):
    status, words = only(checks_network.server(replace(settings, port=closed)))

    assert (status, words) == ("ok", f"none runs; 127.0.0.1:{closed} is free")


def test_a_port_that_another_program_has_fails(settings, taken):
    status, words = only(checks_network.server(replace(settings, port=taken)))

    assert status == "fail"
    assert "set LAROUTER_PORT" in words


@pytest.mark.slow
def test_a_server_that_runs_answers(router):
    status, words = only(checks_network.server(read_settings({"LAROUTER_HOME": str(router.home)})))

    assert (status, words) == ("ok", f"answers at {router.url}")


def test_without_a_key_that_is_no_fault(settings):
    assert only(checks_network.keys(settings))[0] == "ok"


def test_a_key_in_a_file_is_warned_of(settings, no_keyring):
    Vault(settings.home).set("openai", "sk-canary")

    status, words = only(checks_network.keys(settings))

    assert status == "warn"
    assert words.startswith("openai (file); none for anthropic, google, deepseek; ")
    assert "canary" not in words


def test_own_servers_answer_or_do_not(settings, closed):
    with Provider() as upstream:
        there = replace(
            settings,
            addresses={"custom": upstream.url, "ollama": f"http://127.0.0.1:{closed}"},
        )
        first, second = checks_network.own_servers(there)

    assert (first.name, first.status) == ("ollama", "fail")
    assert "LAROUTER_OLLAMA_URL" in first.words
    assert (second.name, second.status) == ("custom", "ok")


def test_without_servers_of_ones_own_there_is_no_line(settings):
    assert list(checks_network.own_servers(settings)) == []
    assert list(checks_network.way_out(settings)) == []


def test_a_proxy_takes_connections_or_does_not(settings, taken, closed):
    good = replace(settings, proxies={"https": f"http://127.0.0.1:{taken}", "no": "localhost"})
    bad = replace(settings, proxies={"https": f"http://127.0.0.1:{closed}"})

    assert only(checks_network.way_out(good))[0] == "ok"
    assert only(checks_network.way_out(bad))[0] == "fail"


def test_certificates_that_are_not_there_are_told(settings):
    status, words = only(
        checks_network.way_out(
            replace(settings, child_environment={"SSL_CERT_FILE": "/nowhere/at-all"})
        )
    )

    assert status == "fail"
    assert "SSL_CERT_FILE names /nowhere/at-all" in words

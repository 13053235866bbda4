import json

import pytest

from larouter.config import read_settings
from larouter.runtime import authority, running_address, write_runtime


@pytest.fixture
def settings(tmp_path):
    return read_settings({"LAROUTER_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("127.0.0.1", 18790, "127.0.0.1:18790"),
        ("localhost", 1, "localhost:1"),
        ("::1", 18790, "[::1]:18790"),
        ("0.0.0.0", 80, "127.0.0.1:80"),
        ("::", 80, "[::1]:80"),
        ("192.0.2.1", 80, "192.0.2.1:80"),
    ],
)
def test_an_address_is_one_that_a_client_can_write(host, port, address):
    assert authority(host, port) == address


def test_what_is_written_is_what_is_told(settings):
    write_runtime(settings, "127.0.0.1:9")

    assert running_address(settings).endswith("http://127.0.0.1:9")
    assert json.loads(settings.runtime_file.read_text())["port"] == 9
    assert settings.runtime_file.stat().st_mode & 0o777 == 0o600


def test_one_that_has_not_said_yet_is_starting(settings):
    assert "already starting" in running_address(settings)

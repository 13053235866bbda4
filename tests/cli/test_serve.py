"""`larouter serve`: what it refuses before it starts."""

import click
import pytest

from larouter.config import SettingsError


def test_serve_refuses_what_cannot_be(alone):
    with pytest.raises(click.UsageError, match="one writer"):
        alone.run("serve", "--workers", "2")


def test_serve_refuses_to_be_keyless_for_other_machines(alone):
    with pytest.raises(SettingsError, match="LAROUTER_KEYLESS=1"):
        alone.run("serve", "--host", "192.0.2.1", LAROUTER_KEYLESS="1")


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_serve_refuses_a_port_that_is_none(alone, port):
    with pytest.raises(click.BadParameter):
        alone.run("serve", "--port", port)

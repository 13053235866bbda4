"""A command in this process: on a data folder where no server runs, and on one of a server."""

import click
import keyring
import pytest
from click.testing import CliRunner
from keyring.backends.null import Keyring

from larouter.cli import larouter
from tests.homes import furnished


class Cli:
    """Runs commands on one data folder."""

    def __init__(self, home, **settings):
        self.home = home
        self._settings = {"LAROUTER_HOME": str(home), **settings}

    def run(self, *arguments, stdin=None, **settings):
        """Return what the command wrote; raise the error that it would show."""
        result = CliRunner().invoke(
            larouter,
            arguments,
            input=stdin,
            env={**self._settings, **settings},
            standalone_mode=False,
        )
        if isinstance(result.exception, click.ClickException | click.Abort | Exception):
            raise result.exception
        return result

    def lines(self, *arguments, **options):
        return self.run(*arguments, **options).stdout.splitlines()


@pytest.fixture
def at():
    """Make the commands for the folder of a server."""
    return lambda server: Cli(server.home)


@pytest.fixture
def no_keyring():
    """A machine without a keyring, whatever this one has."""
    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def alone(tmp_path):
    """Commands that do the work themselves."""
    return Cli(furnished(tmp_path))


@pytest.fixture(
    params=[
        pytest.param(False, id="alone"),
        pytest.param(True, id="serving", marks=pytest.mark.slow),
    ]
)
def cli(request, tmp_path):
    if request.param:
        return Cli(request.getfixturevalue("router").home)
    return Cli(furnished(tmp_path))

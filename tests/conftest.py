"""What every test has: the network is off. What a session shares: one server, one provider."""

import pytest

from larouter.store.schema import migrate
from tests import postgres as postgresql
from tests.network import network_off
from tests.provider import Provider
from tests.serving import Serving

__all__ = ["network_off"]


@pytest.fixture(scope="session")
def postgres():
    """One server for all tests of a process, with an empty database."""
    if postgresql.program("postgres") is None:
        pytest.skip("no PostgreSQL here (Debian, Ubuntu: apt install postgresql)")
    with postgresql.server() as address:
        database = postgresql.create(address, "larouter")
        migrate(database)
        yield database


@pytest.fixture(scope="session")
def provider():
    """What answers for `custom/…`; see tests/provider.py."""
    with Provider() as running:
        yield running


@pytest.fixture(scope="session")
def router(tmp_path_factory, provider):
    """A real LARouter for tests that leave it as they found it."""
    home = tmp_path_factory.mktemp("router")
    with Serving(home, LAROUTER_CUSTOM_URL=provider.url) as server:
        yield server
        assert server.process.poll() is None, server.output()


@pytest.fixture
def serve(tmp_path, provider):
    """Start servers on the test's own data folder; they are gone at its end."""
    started = []

    def start(**settings):
        settings = {"LAROUTER_CUSTOM_URL": provider.url, **settings}
        started.append(Serving(tmp_path, **settings))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()

"""One engine for all tests that only ask it something."""

import pytest

from tests.engines.starter import STARTER, Client, pool_in


@pytest.fixture(scope="session")
def shared_pool(tmp_path_factory):
    pool = pool_in(tmp_path_factory.mktemp("engines"))
    yield pool
    pool.stop_all()


@pytest.fixture
def client(shared_pool):
    return Client(shared_pool.ensure_ready(STARTER))


@pytest.fixture
def make_pool(tmp_path):
    """Make a pool whose children are stopped at the end of the test."""
    pools = []

    def make(**options):
        pools.append(pool_in(tmp_path, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.stop_all()

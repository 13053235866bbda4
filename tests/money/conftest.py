"""One real server in front of four clouds on loopback, with an ample hard budget over it all.

`pytest tests/money/test_parallel.py --seeds 20` is what `make chaos` does beside its kills.
"""

from __future__ import annotations

from contextlib import closing

import pytest

from larouter.store.invariants import violations
from larouter.store.rollups import differences
from larouter.store.sqlite import connect
from tests.clouds.four import four, settings_of
from tests.money.paying import Till
from tests.serving import Serving


def pytest_addoption(parser):
    parser.addoption("--seeds", type=int, help="how many seeds on PostgreSQL; few")


@pytest.fixture(scope="module")
def clouds():
    with four() as clouds:
        yield clouds


@pytest.fixture(scope="module")
def till(clouds, tmp_path_factory):
    """Whatever a test does: at its module's end nothing is open, and the books add up."""
    with Serving(tmp_path_factory.mktemp("till"), **settings_of(clouds)) as server:
        budget = {"project": "machine", "name": "Ample", "cap": "10000", "period": "total"}
        assert server.admin("POST", "/api/budgets", budget).status_code == 201
        yield Till(server)
        assert server.pending() == []
        assert server.query("SELECT * FROM hold WHERE spent IS NULL") == []
        assert server.query("SELECT * FROM request WHERE status IS NULL") == []
        with closing(connect(server.home / "larouter.db", read_only=True)) as connection:
            assert violations(connection) == []
            assert differences(connection) == []

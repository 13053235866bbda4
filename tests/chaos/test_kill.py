"""kill -9 under load, again and again: nothing lost, nothing doubled, nothing left open.

A provider in a process of its own writes down what it served; at the end its journal, what the
clients got and what LARouter says are compared (TRUST B2, B3, B9, B10, B15, B17). On PostgreSQL
two processes serve: of these one is killed and the other goes on, and then both are.
"""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.audit import audit
from tests.chaos.houses import HOUSES
from tests.chaos.load import Load
from tests.serving import ROOT, environment

pytestmark = pytest.mark.slow

CLIENTS = 12
AMPLE, SCARCE = "50", "0.003"
"""Dollars: one project never runs dry, the other soon does."""


@pytest.fixture
def journal(tmp_path):
    """The provider: its address, and its file."""
    path = tmp_path / "journal.jsonl"
    program = Path(__file__).with_name("journal.py")
    with subprocess.Popen(
        [sys.executable, program, path], stdout=subprocess.PIPE, text=True
    ) as provider:
        assert provider.stdout is not None
        yield f"http://127.0.0.1:{int(provider.stdout.readline())}/v1", path
        provider.terminate()


@pytest.mark.parametrize("kind", HOUSES)
def test_nothing_is_lost_or_doubled_when_the_server_is_killed(kind, tmp_path, journal, request):
    url, path = journal
    house = HOUSES[kind](tmp_path, request)
    house.settings |= {"OPENAI_API_KEY": "sk-chaos", "OPENAI_BASE_URL": url}
    kills = request.config.getoption("--kills", None)
    server = house.serve()
    bearer = server.bearer
    house.settle_down()
    scarce = server.admin("POST", "/api/projects", {"name": "scarce"}).json()["bearer"]
    for project, cap in (("default", AMPLE), ("scarce", SCARCE), ("machine", AMPLE)):
        budget = {"project": project, "name": project, "cap": cap, "period": "total"}
        assert server.admin("POST", "/api/budgets", budget).status_code == 201
    house.settle_down()
    load = Load([bearer, bearer, scarce], CLIENTS)

    load.start(server.port)
    try:
        for kill in range(kills or house.kills):
            time.sleep(0.3 + random.random())
            house.kill_some(server)
            house.kill(server)
            if kill % 5 == 1:
                _kill_while_it_starts(house)
            server = house.serve(bearer)
            load.start(server.port)
        time.sleep(1)
    finally:
        load.stop()

    with server:
        house.wait_for_the_dead(patient=kills is not None)
        audit(house, server, load, path)


def _kill_while_it_starts(house):
    """Somewhere between its first line and its first answer."""
    with (
        (house.home / "start.out").open("wb") as out,
        subprocess.Popen(
            [sys.executable, "app.py", "serve"], cwd=ROOT,
            env=environment(house.home, **house.settings),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        time.sleep(0.2 + random.random())
        process.kill()

"""kill -9 under load, again and again: nothing lost, nothing doubled, nothing left open.

A provider in a process of its own writes down what it served; at the end its journal, what the
clients got and what LARouter says are compared (TRUST B2, B3, B9, B10, B15, B17).
"""

import json
import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from larouter.store.invariants import violations
from larouter.store.rollups import differences
from larouter.store.sqlite import connect
from tests.chaos.books import Compared, is_exact, read_journal
from tests.chaos.load import MODEL, Load
from tests.serving import ROOT, Serving, command, environment

pytestmark = pytest.mark.slow

CLIENTS = 12
AMPLE, SCARCE = "50", "0.01"
"""Dollars: one project never runs dry, the other soon does."""
BY_COMMAND = 2
"""How many attempts are resolved by the command; the others by what the command asks."""


class SQLiteHouse:
    """Where the books are, and how somebody else reads them."""

    def __init__(self, home):
        self.home = home
        self.settings = {}

    def look(self, question):
        with closing(connect(self.home / "larouter.db", read_only=True)) as connection:
            return question(connection)


HOUSES = {"sqlite": SQLiteHouse}


@pytest.fixture(params=HOUSES)
def house(request, tmp_path):
    return HOUSES[request.param](tmp_path)


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


def test_nothing_is_lost_or_doubled_when_the_server_is_killed(house, journal, request):
    url, path = journal
    settings = {"OPENAI_API_KEY": "sk-chaos", "OPENAI_BASE_URL": url, **house.settings}
    server = Serving(house.home, **settings)
    bearer = server.bearer
    scarce = server.admin("POST", "/api/projects", {"name": "scarce"}).json()["bearer"]
    for project, cap in (("default", AMPLE), ("scarce", SCARCE), ("machine", AMPLE)):
        budget = {"project": project, "name": project, "cap": cap, "period": "total"}
        assert server.admin("POST", "/api/budgets", budget).status_code == 201
    load = Load([bearer, bearer, scarce], CLIENTS)

    load.start(server.port)
    try:
        for kill in range(request.config.getoption("--kills", 4)):
            time.sleep(0.3 + random.random())
            server.kill()
            if kill % 5 == 1:
                _kill_while_it_starts(house.home, settings)
            server = Serving(house.home, bearer=bearer, **settings)
            load.start(server.port)
        time.sleep(1)
    finally:
        load.stop()

    with server:
        answers, refused = read_journal(path)
        attempts = _export(house.home, settings)
        price = _price(server)
        compared = Compared(attempts, answers, refused, price)
        assert compared.wrong == []
        assert compared.settled > 0
        assert [row for row in attempts if row["rid"] not in load.asked] == []
        _is_what_the_clients_got(load, attempts, price)
        _adds_up(house)

        _resolve(server, house.home, settings, compared.unknown)
        after = {row["attempt_id"]: row for row in _export(house.home, settings)}
        for id, answer in compared.unknown.items():
            if answer is None:
                assert (after[id]["state"], after[id]["cost_nusd"]) == ("released", 0)
            else:
                assert after[id]["state"] == "settled"
                assert is_exact(after[id], answer["usage"], price)
        _adds_up(house)
        assert load.dry > 0
        print(  # noqa: T201 - `make chaos` shows it
            f"{len(attempts)} attempts, {compared.settled} settled, {len(load.whole)} held whole "
            f"by clients, {len(compared.unknown)} unknown and resolved, {load.dry} times a budget "
            "was used up"
        )


def _kill_while_it_starts(home, settings):
    """Somewhere between its first line and its first answer."""
    with (
        (home / "start.out").open("wb") as out,
        subprocess.Popen(
            [sys.executable, "app.py", "serve"], cwd=ROOT, env=environment(home, **settings),
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        time.sleep(0.2 + random.random())
        process.kill()


def _export(home, settings):
    result = command(home, "usage", "export", "--attempts", **settings)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def _price(server):
    """As the catalogue has it, decimals as text."""
    models = server.admin("GET", "/api/models/catalog").json()["data"]
    return next(row["price"] for row in models if MODEL.endswith(f"/{row['id']}"))


def _is_what_the_clients_got(load, attempts, price):
    """Whoever holds a complete answer holds one that is in the books, exactly (TRUST B3)."""
    assert len(load.whole) > CLIENTS
    by_id = {row["provider_id"]: row for row in attempts if row["provider_id"]}
    for rid, (id, usage) in load.whole.items():
        row = by_id[id]
        assert (row["rid"], row["state"]) == (rid, "settled")
        assert is_exact(row, usage, price)
    estimated = {row["rid"] for row in attempts if row["state"] == "estimated"}
    assert estimated <= load.left


def _adds_up(house):
    def ask(sql):
        return house.look(lambda connection: connection.execute(sql).fetchall())

    assert house.look(violations) == []
    assert house.look(differences) == []
    assert ask("SELECT count(*) FROM attempt WHERE state = 'pending'") == [(0,)]
    assert ask("SELECT count(*) FROM request WHERE status IS NULL") == [(0,)]
    assert ask("SELECT count(*) FROM hold WHERE spent IS NULL") == [(0,)]
    spent = ask(
        "SELECT b.name, w.spent, w.reserved, w.blocked, w.spent <= b.cap "
        "FROM budget_window w JOIN budget b ON b.id = w.budget_id"
    )
    entries = dict(
        ask(
            "SELECT p.name, sum(e.cost_nusd) FROM ledger_entry e "
            "JOIN attempt a ON a.id = e.attempt_id JOIN project p ON p.id = a.project_id "
            "GROUP BY p.name"
        )
    )
    entries["machine"] = sum(entries.values())
    assert {row[0]: row[1:] for row in spent} == {
        name: (total, 0, 0, True) for name, total in entries.items()
    }


def _resolve(server, home, settings, unknown):
    """As the provider's books say; first by hand, then faster."""
    for number, (id, answer) in enumerate(unknown.items()):
        said = answer and (
            answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"],
            answer["usage"]["prompt_tokens_details"]["cached_tokens"],
        )  # fmt: skip
        if number < BY_COMMAND:
            how = ("--tokens", ",".join(map(str, said))) if said else ("--released",)
            result = command(home, "usage", "resolve", id, *how, **settings)
            assert result.returncode == 0, result.stderr
        else:
            names = ("input", "output", "cached")
            body = dict(zip(names, said, strict=True)) if said else {"released": True}
            assert server.admin("POST", f"/api/usage/attempts/{id}", body).status_code == 200

"""`larouter serve --workers`: real processes on a real PostgreSQL database."""

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from larouter.config import SettingsError
from larouter.workers import bound
from tests import postgres as postgresql
from tests.serving import Serving, command

pytestmark = [pytest.mark.slow, pytest.mark.engine]

_WAIT_S = 60


@pytest.fixture(scope="module")
def database(postgres):
    return postgresql.another(postgres, "workers")


@pytest.fixture(scope="module")
def server(tmp_path_factory, provider, database):
    home = tmp_path_factory.mktemp("workers")
    settings = {"LAROUTER_DATABASE_URL": database.url, "LAROUTER_CUSTOM_URL": provider.url}
    with Serving(home, "--workers", "2", **settings) as server:
        yield server


def rows(postgres, sql, *values):
    with contextlib.closing(postgres.connect(read_only=True)) as connection:
        return connection.execute(sql, values).fetchall()


def workers(server):
    children = psutil.Process(server.process.pid).children()
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]


def until(said):
    deadline = time.monotonic() + _WAIT_S
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ask_often(server, count, model="custom/plain"):
    """Each on a connection of its own, so that all workers get some."""

    def ask(_):
        answer = server.chat(model, "Hi", headers={"Connection": "close"})
        return answer.status_code

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(ask, range(count)))


def test_all_of_them_answer_and_every_call_is_on_the_books(server, database):
    before = len(rows(database, "SELECT id FROM attempt"))

    assert ask_often(server, 200) == [200] * 200
    found = rows(database, "SELECT run_id, state FROM attempt ORDER BY id")[before:]
    assert len(found) == 200
    assert {state for _, state in found} <= {"settled", "estimated"}
    assert len({run for run, _ in found}) == 2


def test_a_budget_is_everybody_s(server):
    made = server.admin("POST", "/api/projects", {"name": "tight"}).json()
    budget = {"project": "tight", "name": "ten", "metric": "requests", "cap": 10}
    assert server.admin("POST", "/api/budgets", budget).status_code == 201
    # The other worker follows within a second.
    time.sleep(2.5)

    def ask(_):
        return server.ask(
            "POST", "/v1/chat/completions",
            {"model": "custom/plain", "messages": [{"role": "user", "content": "Hi"}]},
            bearer=made["bearer"], headers={"Connection": "close"},
        ).status_code  # fmt: skip

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(ask, range(40)))

    assert statuses == [200] * 10 + [429] * 30


def test_they_have_one_local_engine(server):
    assert set(ask_often(server, 12, "smollm2-135m")) == {200}

    everyone = psutil.Process(server.process.pid).children(recursive=True)
    engines = [child for child in everyone if "larouter.engines.worker" in child.cmdline()]
    assert len(engines) == 1


def test_a_code_signs_in_at_any_of_them(server):
    statuses = []
    for _ in range(6):
        code = server.admin("POST", "/api/sign-in-codes").json()["code"]
        answer = server.session.post(
            f"{server.url}/sign-in", data={"code": code}, headers={"Connection": "close"},
            timeout=30,
        )  # fmt: skip
        statuses.append(answer.status_code)

    assert statuses == [200] * 6


def test_commands_find_it(server, tmp_path):
    done = command(server.home, "projects", "list")

    assert done.returncode == 0, done.stderr
    assert "default" in done.stdout


def test_one_that_is_killed_is_replaced_and_the_others_go_on(server):
    before = {worker.pid for worker in workers(server)}
    victim = min(before)
    psutil.Process(victim).kill()

    until(lambda: len({w.pid for w in workers(server)} - before) == 1 and len(workers(server)) == 2)

    assert set(ask_often(server, 20)) == {200}


def test_all_end_with_the_arbiter_s_orderly_stop(tmp_path, provider, postgres):
    database = postgresql.another(postgres, "stopped")
    settings = {"LAROUTER_DATABASE_URL": database.url, "LAROUTER_CUSTOM_URL": provider.url}
    with Serving(tmp_path, "--workers", "2", **settings) as server:
        assert server.chat("custom/plain").status_code == 200
        everyone = psutil.Process(server.process.pid).children(recursive=True)
        server.process.terminate()

        assert server.process.wait(40) == 0
        assert psutil.wait_procs(everyone, 3)[1] == []
    ended = rows(database, "SELECT count(*) FROM run WHERE ended_ms IS NULL")
    assert ended == [(0,)]
    assert not (tmp_path / "runtime.json").exists()


def test_none_outlives_an_arbiter_that_was_killed(tmp_path, provider, postgres):
    database = postgresql.another(postgres, "killed")
    settings = {"LAROUTER_DATABASE_URL": database.url, "LAROUTER_CUSTOM_URL": provider.url}
    with Serving(tmp_path, "--workers", "2", **settings) as server:
        everyone = psutil.Process(server.process.pid).children(recursive=True)
        server.process.kill()

        assert psutil.wait_procs(everyone, 30)[1] == []


def test_sqlite_has_one_process(tmp_path):
    done = command(tmp_path, "serve", "--workers", "2")

    assert done.returncode == 2
    assert "SQLite has one writer" in done.stderr
    assert "LAROUTER_DATABASE_URL" in done.stderr


def test_a_port_in_use_is_said():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1:{port}"):
            bound("127.0.0.1", port)


def test_both_loopbacks_have_one_port():
    sockets = bound("127.0.0.1", 0)
    ports = {sock.getsockname()[1] for sock in sockets}
    for sock in sockets:
        sock.close()

    assert len(ports) == 1

"""A server that is killed, and its books: on SQLite one process, on PostgreSQL several."""

import os
import random
import signal
import time
from contextlib import closing
from itertools import count

import psutil

from larouter.store.runs import HEARTBEAT_S, LEASE_MS
from larouter.store.sqlite import connect
from tests import postgres as postgresql
from tests.serving import Serving, eventually

_NUMBERS = count(1)
_SLACK_S = 20.0
_WORKERS = 2
_FOLLOWS_S = 1.5
"""What one worker changes counts in the others after a second."""
_BOOTS_MS = 500
"""A worker takes longer than this to begin."""


class SQLiteHouse:
    """A file in the data folder. Whoever holds the folder knows that every other run is dead."""

    kills = 4
    """How often a server is killed where nobody says how often."""

    def __init__(self, home, request):
        self.home = home
        self.settings = {}

    def serve(self, bearer=None):
        return Serving(self.home, bearer=bearer, **self.settings)

    def kill_some(self, server):
        """Nobody goes on without it."""

    def kill(self, server):
        server.kill()

    def settle_down(self):
        """What was changed last counts at once."""

    def wait_for_the_dead(self, *, patient):
        """What they left open was closed at the start."""

    def look(self, question):
        with closing(connect(self.home / "larouter.db", read_only=True)) as connection:
            return question(connection)

    def ask(self, sql, *values):
        return self.look(lambda connection: connection.execute(sql, values).fetchall())


class PostgresHouse(SQLiteHouse):
    """A database that several processes share: one of them is dead when its lease is over."""

    kills = 1

    def __init__(self, home, request):
        super().__init__(home, request)
        postgres = request.getfixturevalue("postgres")
        self._database = postgresql.another(postgres, f"chaos_{next(_NUMBERS)}")
        self.settings = {"LAROUTER_DATABASE_URL": self._database.url}
        self._runs = 0

    def serve(self, bearer=None):
        workers = ("--workers", str(_WORKERS))
        server = Serving(self.home, *workers, bearer=bearer, **self.settings)
        self._wait_for_runs(_WORKERS)
        return server

    def kill_some(self, server):
        """One of the workers. The others go on, and another one takes its place."""
        random.choice(psutil.Process(server.process.pid).children()).kill()
        self._wait_for_runs(1)
        ((new, began_ms),) = self.ask(
            "SELECT id, started_ms FROM run ORDER BY started_ms DESC LIMIT 1"
        )
        served = "SELECT id FROM attempt WHERE run_id <> ? AND started_ms BETWEEN ? AND ?"
        assert self.ask(served, new, began_ms - _BOOTS_MS, began_ms)
        time.sleep(0.3 + random.random())

    def kill(self, server):
        """All of its processes."""
        os.killpg(server.process.pid, signal.SIGKILL)
        server.kill()

    def settle_down(self):
        time.sleep(_FOLLOWS_S)

    def wait_for_the_dead(self, *, patient):
        """Until the living have closed what they left open. Who is not patient lets the dead age
        by a lease."""
        renewed = "SELECT id FROM run ORDER BY started_ms DESC LIMIT ?"
        living = [id for (id,) in self.ask(renewed, _WORKERS)]
        if not patient:
            marks = ",".join("?" * _WORKERS)
            with closing(self._database.connect()) as connection:
                connection.execute(
                    f"UPDATE run SET heartbeat_ms = heartbeat_ms - ? WHERE id NOT IN ({marks})",  # noqa: S608
                    (LEASE_MS, *living),
                )
        opened = "SELECT id FROM run WHERE ended_ms IS NULL"
        eventually(
            lambda: len(self.ask(opened)) == _WORKERS, LEASE_MS / 1000 + HEARTBEAT_S + _SLACK_S
        )

    def look(self, question):
        with closing(self._database.connect(read_only=True)) as connection:
            return question(connection)

    def _wait_for_runs(self, more):
        self._runs += more
        eventually(lambda: len(self.ask("SELECT id FROM run")) >= self._runs, _SLACK_S)
        self._runs = len(self.ask("SELECT id FROM run"))


HOUSES = {"sqlite": SQLiteHouse, "postgresql": PostgresHouse}

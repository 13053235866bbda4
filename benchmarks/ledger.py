"""What the ledger costs: `python benchmarks/ledger.py [--requests 1000000] [--seconds 3]`.

First calls are written down as a busy server does it, by many greenlets: calls and rows a second,
processor time and waiting for each, with and without budgets. Then a database is filled with so
many requests of a year, and each question of the pages and of `/api/usage` is asked of it, beside
the same question without the sums that are kept.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))

import gevent

from larouter.core.account import Outcome, Project, RequestRecord
from larouter.core.budget import Bound
from larouter.core.catalog import FREE, Model, Price
from larouter.core.chat import Usage
from larouter.core.route import Choice
from larouter.store.budgets import Budgets, checked
from larouter.store.feed import Feed
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.reports import Reports
from larouter.store.rollups import QUARTER_MS, Rollups, differences
from larouter.store.runs import Run
from larouter.store.schema import migrate
from larouter.store.sql import Connection
from larouter.store.sqlite import SqliteFile, connect
from larouter.store.usage import Days, Moments, Wanted
from larouter.store.writer import Writer, now_ms

CLOUD = Model(
    id="big", name="big", provider="cloud", price=Price(input=Decimal(1), output=Decimal(10))
)
LOCAL = Model(id="small", name="small", provider="local", price=FREE)
PROJECT = Project(id="prj_1", name="one")
USAGE = Usage(input=1_000, output=100)
CONNECTIONS = (1, 16, 128)
EACH = 10
PACED, PAUSE_S = 16, 0.02
"""As requests come: each has its provider to wait for, and the ledger rests meanwhile."""
ROWS_A_CALL = 5
"""A request, an attempt, an entry written; a request and an attempt closed."""
DAYS = 365
ROUNDS = 30

_FILL = """WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
INSERT INTO request (id, project_id, asked, tier, stage, score, reason, stream, started_ms,
 ended_ms, status, model, baseline_nusd)
SELECT printf('req_%016x', :begin + i * :step), 'prj_' || (i % 5 + 1), 'auto',
 CASE i % 4 WHEN 0 THEN 'SIMPLE' WHEN 1 THEN 'MODERATE' WHEN 2 THEN 'COMPLEX' ELSE 'FRONTIER' END,
 'learned', 0.5, 'said', 0, :begin + i * :step, :begin + i * :step + 700,
 CASE i % 50 WHEN 0 THEN 502 ELSE 200 END,
 CASE i % 4 WHEN 3 THEN 'cloud/big' WHEN 2 THEN 'cloud/mid' ELSE 'local/small' END, 2000000
 FROM n"""
_FILL_ATTEMPTS = """INSERT INTO attempt (request_id, project_id, run_id, provider, model, state,
 cost_nusd, input, cache_read, cache_write_5m, cache_write_1h, output, audio, image, started_ms,
 ended_ms)
SELECT id, project_id, 'run_1', 'x', model, CASE WHEN status < 400 THEN 'settled' ELSE 'failed' END,
 CASE WHEN model LIKE 'cloud/%' AND status < 400 THEN 2000000 ELSE 0 END, 1000, 0, 0, 0, 100, 0, 0,
 started_ms, ended_ms FROM request"""
_NAIVE = """SELECT date(a.started_ms / 1000, 'unixepoch'), r.tier, a.model, count(*),
 sum(a.cost_nusd), sum(a.input + a.cache_read), sum(a.output)
 FROM attempt a JOIN request r ON r.id = a.request_id GROUP BY 1, 2, 3"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _writing(Path(folder), given.seconds)
        _reading(Path(folder), given.requests)


class _Plain(argparse.RawDescriptionHelpFormatter):
    """The text above as it is."""


def _writing(folder: Path, seconds: float) -> None:
    print("reserve and settle, each committed before the next step of its greenlet")
    for limits in (0, 2):
        path = folder / f"write-{limits}.db"
        migrate(SqliteFile(path))
        writer = Writer(SqliteFile(path))
        writer.batch = rollups = Watched(lambda project_id: "UTC")
        writer.run(
            lambda connection: connection.execute(
                "INSERT INTO project (id, name, created_ms) VALUES ('prj_1','one',0)"
            )
        )
        budgets = Budgets(writer, "UTC")
        for number in range(limits):
            owner = PROJECT.id if number else None
            budgets.add(checked(project_id=owner, name="Cap", cap=10**15))
        ledger = Ledger(
            writer,
            run_id=Run(writer, rollups).id,
            price_versions=record_prices(writer, [CLOUD, LOCAL]),
            feed=Feed(),
            rollups=rollups,
            budgets=budgets.of,
        )
        for connections in CONNECTIONS:
            _write(ledger, rollups, connections, seconds, limits)
        _write(ledger, rollups, PACED, seconds, limits, pause_s=PAUSE_S)
        writer.close()
        with closing(connect(path)) as connection:
            assert differences(connection) == []


class Watched(Rollups):
    """Also keeps how much processor time the writer's thread has used up to its last batch."""

    cpu_s = 0.0

    def flush(self, connection: Connection) -> None:
        super().flush(connection)
        self.cpu_s = time.thread_time()


def _write(
    ledger: Ledger,
    rollups: Watched,
    connections: int,
    seconds: float,
    limits: int,
    pause_s: float = 0.0,
) -> None:
    waits: list[float] = []
    marks: list[tuple[float, int]] = []
    end = time.perf_counter() + seconds
    bound = Bound(CLOUD.price, 4_000, 1, 400)

    def work(name: int) -> None:
        number = 0
        while time.perf_counter() < end:
            number += 1
            began = time.perf_counter()
            record = RequestRecord(
                id=f"req_{time.time_ns():016x}{name}", project=PROJECT, asked="auto",
                tier="FRONTIER", stage="learned", score=0.5, reason="said", stream=False, rid=None,
                started_ms=now_ms(),
            )  # fmt: skip
            attempt = ledger.reserve(record, Choice(model=CLOUD), bound)
            ledger.settle(attempt, Outcome(state="settled", usage=USAGE))
            waits.append(time.perf_counter() - began)
            if name == 0 and number % EACH == 0:
                marks.append((time.process_time(), len(waits)))
            if pause_s:
                gevent.sleep(pause_s)

    began, cpu, writing = time.perf_counter(), time.process_time(), rollups.cpu_s
    gevent.joinall([gevent.spawn(work, name) for name in range(connections)], raise_error=True)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    writing = rollups.cpu_s - writing
    # A processor that others use too is slower for us: the least of many stretches is nearer to
    # what it costs alone.
    least = min((now - then) / (calls - before) for (then, before), (now, calls) in pairwise(marks))
    rate = len(waits) / took
    rows = ROWS_A_CALL + limits * 2
    paced = f", a call every {pause_s * 1e3:.0f} ms each" if pause_s else ""
    print(
        f"  {limits} budgets, {connections:3} at once{paced}: {rate:7,.0f} calls/s, "
        f"{rows * rate:8,.0f} rows/s, CPU {cpu / len(waits) * 1e6:4.0f} us a call "
        f"({least * 1e6:.0f} at the least), the writer's thread "
        f"{rows * len(waits) / writing:8,.0f} rows a CPU second, both waits p50 "
        f"{median(waits) * 1e3:5.2f} ms, p99 {quantiles(waits, n=100)[98] * 1e3:6.2f} ms"
    )


def _reading(folder: Path, requests: int) -> None:
    path = folder / "read.db"
    migrate(SqliteFile(path))
    writer = Writer(SqliteFile(path))
    writer.batch = rollups = Rollups(lambda project_id: "Europe/Berlin")
    began = time.perf_counter()
    step = DAYS * 86_400_000 // requests
    begin = now_ms() - requests * step

    def fill(connection: sqlite3.Connection) -> None:
        for number in range(1, 6):
            connection.execute(
                "INSERT INTO project (id, name, created_ms) VALUES (?,?,0)",
                (f"prj_{number}", f"project {number}"),
            )
        connection.execute("INSERT INTO run (id, started_ms, heartbeat_ms) VALUES ('run_1',0,0)")
        connection.execute(_FILL, {"count": requests, "begin": begin, "step": step})
        connection.execute(_FILL_ATTEMPTS)

    writer.run(fill)
    filled = time.perf_counter()
    writer.run(rollups.rebuild)
    rebuilt = time.perf_counter()
    writer.close()
    print(
        f"\n{requests:,} requests of {DAYS} days, {path.stat().st_size / 1e6:,.0f} MB: filled in "
        f"{filled - began:.0f} s, all sums made anew in {rebuilt - filled:.1f} s"
    )
    reports = Reports(SqliteFile(path), zone="Europe/Berlin")
    today = reports.date_in()
    days = Days((today - timedelta(days=29)).isoformat(), today.isoformat())
    # Neither begins nor ends with a day.
    quarter = now_ms() // QUARTER_MS
    moments = Moments((quarter - 100 * 96 - 30) * QUARTER_MS, (quarter - 10) * QUARTER_MS)
    with closing(connect(path, read_only=True)) as connection:
        naive = _times(lambda: connection.execute(_NAIVE).fetchall(), 1)[0]
    print(f"  without the sums, everything by day, tier and model: {naive:8.1f} ms")
    questions: dict[str, Callable[[], object]] = {
        "usage, all time, all projects": lambda: reports.usage(Wanted()),
        "usage, all time, one project": lambda: reports.usage(Wanted(project_id="prj_1")),
        "usage, 30 days, one project": lambda: reports.usage(Wanted(span=days, project_id="prj_1")),
        "usage, between two moments, all": lambda: reports.usage(Wanted(span=moments)),
        "usage of one model, all projects": lambda: reports.usage(Wanted(models=("cloud/big",))),
        "table for a spreadsheet, 30 days": lambda: reports.days(Wanted(span=days)),
        "today's figures": reports.today,
        "the newest 50": reports.recent,
    }
    for name, ask in questions.items():
        times = sorted(_times(ask, ROUNDS))
        p95 = times[int(len(times) * 0.95)]
        print(
            f"  {name:34} p50 {median(times):7.1f} ms, p95 {p95:7.1f} ms, "
            f"{median(times) / naive:.4f} of that"
        )


def _times(ask: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of each."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        found.append((time.perf_counter() - began) * 1e3)
    return found


if __name__ == "__main__":
    main()

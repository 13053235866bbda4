"""Services for the pages: everything they show, said by the test."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
from flask import Flask
from werkzeug.serving import make_server

from larouter.config import Settings, folder
from larouter.core.catalog import Catalog, Model
from larouter.core.catalog_toml import read_catalog
from larouter.core.errors import LARouterError, NotFound
from larouter.core.machine import Machine
from larouter.core.report import AlertLine, Lines, RequestLine, TierLine, Today
from larouter.core.standing import Standing, standing
from larouter.downloads.order import Order
from larouter.downloads.row import Row, row_of
from larouter.store.baselines import Chosen
from larouter.store.statements import Correction, Doubt, Line, Owner, PriceLine, Statement
from larouter.store.usage import Days, Used
from larouter.web import pages, session
from tests.machines import a_machine

ADMIN_KEY = "admin-key-of-the-tests"
ADDRESS = "127.0.0.1:18790"
STARTED_MS = 1_790_000_000_000


@dataclass
class FakeReports:
    lines: list[RequestLine] = field(default_factory=list)
    figures: Today = field(default_factory=Today)
    alerted: list[AlertLine] = field(default_factory=list)

    def today(self) -> Today:
        return self.figures

    def recent(self, limit: int = 50) -> Sequence[RequestLine]:
        return self.lines[:limit]

    def alerts(
        self, project_id: str | None = None, *, unseen: bool = False, limit: int = 100
    ) -> Sequence[AlertLine]:
        return [row for row in self.alerted if not (unseen and row.seen_ms)][:limit]


@dataclass
class FakeKept:
    kept: int = 0

    def count(self) -> int:
        return self.kept


@dataclass
class FakeAlerts:
    """Marks the alerts of the reports, as the store does."""

    reports: FakeReports
    asked: list[int] = field(default_factory=list)

    def see(self, ids: Sequence[int]) -> int:
        self.asked += ids
        self._keep(lambda row: row.id not in ids)
        return len(ids)

    def see_all(self, newest: int) -> int:
        self.asked.append(-newest)
        self._keep(lambda row: row.id > newest)
        return 1

    def _keep(self, is_kept: Callable[[AlertLine], bool]) -> None:
        self.reports.alerted = [row for row in self.reports.alerted if is_kept(row)]


@dataclass
class FakeFeed:
    """`say` tells everyone who listens. `script`, if given, is what a subscriber hears instead."""

    script: Sequence[RequestLine | None] | None = None
    queues: list[queue.SimpleQueue[RequestLine]] = field(default_factory=list)
    on_subscribe: Callable[[], None] = lambda: None
    heard: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def subscribe(self) -> Iterator[Lines]:
        mine: queue.SimpleQueue[RequestLine] = queue.SimpleQueue()
        self.queues.append(mine)
        self.on_subscribe()
        self.heard.set()

        def lines(timeout_s: float) -> Iterator[RequestLine | None]:
            if self.script is not None:
                yield from self.script
                return
            while True:
                try:
                    yield mine.get(timeout=timeout_s)
                except queue.Empty:
                    yield None

        try:
            yield lines
        finally:
            self.queues.remove(mine)

    def say(self, line: RequestLine) -> None:
        for listener in self.queues:
            listener.put(line)


@dataclass
class FakeBills:
    """Has one project, `notes`, and its statement."""

    bill: Statement = field(default_factory=lambda: a_statement())

    def owners(self) -> list[Owner]:
        return [self.bill.owner]

    def today(self, zone: str | None = None) -> date:
        return date(2026, 11, 23)

    def statement(self, project: str, month: Days) -> Statement:
        if project not in self.bill.owner[:2]:
            raise NotFound(f"There is no project {project!r}.")
        return replace(self.bill, month=month.first[:7])


@dataclass
class FakeAlarm:
    said: str | None = None

    def words(self) -> str | None:
        return self.said


@dataclass
class FakeDownloads:
    """Keeps orders, and what was asked of them; `refusal` is raised instead."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    orders: dict[str, Order] = field(default_factory=dict)
    arrived: dict[str, int] = field(default_factory=dict)
    refusal: LARouterError | None = None

    def rows(self) -> list[Row]:
        return [row_of(order, None, self.arrived.get(id, 0)) for id, order in self.orders.items()]

    def start(self, order: Order) -> Row:
        return self._put("download", order)

    def pause(self, order_id: str) -> Row:
        return self._put("pause", msgspec.structs.replace(self.orders[order_id], state="paused"))

    def resume(self, order_id: str) -> Row:
        return self._put("resume", msgspec.structs.replace(self.orders[order_id], state="queued"))

    def cancel(self, order_id: str) -> int:
        self.asked.append(("cancel", order_id))
        del self.orders[order_id]
        return 0

    def _put(self, what: str, order: Order) -> Row:
        self.asked.append((what, order.id))
        if self.refusal is not None:
            raise self.refusal
        self.orders[order.id] = order
        return row_of(order, None, 0)


@dataclass
class FakeServices:
    settings: Settings = field(default_factory=lambda: Settings(home=Path("nowhere")))
    admin_key: str = ADMIN_KEY
    codes = None
    address: str = ADDRESS
    started_ms: int = STARTED_MS
    catalog: Catalog = field(default_factory=lambda: shipped_catalog())
    reports: FakeReports = field(default_factory=FakeReports)
    feed: FakeFeed = field(default_factory=FakeFeed)
    responses: FakeKept = field(default_factory=FakeKept)
    results: FakeKept = field(default_factory=FakeKept)
    alarm: FakeAlarm = field(default_factory=lambda: FakeAlarm())
    bills: FakeBills = field(default_factory=FakeBills)
    downloads: FakeDownloads = field(default_factory=FakeDownloads)
    serving: list[TierLine] = field(default_factory=lambda: starter_only())
    machine: Machine = field(default_factory=lambda: a_machine(16))
    states: dict[str, str] = field(default_factory=lambda: {"smollm2-135m": "ready"})
    timed: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.alerts = FakeAlerts(self.reports)
        self.telling = SimpleNamespace(alerts=self.alerts)

    def tiers(self) -> Sequence[TierLine]:
        return self.serving

    def local_models(self) -> Standing:
        return standing(self.catalog, self.machine, self._state, self.timed.get)

    def _state(self, model: Model) -> str:
        return self.states.get(model.id, "absent")


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now_s: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now_s


def shipped_catalog() -> Catalog:
    return read_catalog((folder("data") / "catalog.toml").read_text(encoding="utf-8"))


def starter_only() -> list[TierLine]:
    titles = {"COMPLEX": "no-key", "FRONTIER": "no-key"}
    return [
        TierLine(
            name=tier.name,
            title=tier.title,
            model_title="SmolLM2 135M (starter)",
            model_key="local/smollm2-135m",
            degraded=titles.get(tier.name, "not-downloaded"),
        )
        for tier in shipped_catalog().tiers
    ]


def a_line(id: str = "r1", **changes: object) -> RequestLine:
    known: dict[str, object] = {
        "id": id,
        "started_ms": STARTED_MS,
        "project": "default",
        "asked": "auto",
        "tier": "SIMPLE",
        "stage": "rules",
        "reason": "a short question",
        "model": "local/smollm2-135m",
        "prompt_tokens": 12,
        "output_tokens": 34,
        "duration_ms": 412,
    }
    return RequestLine(**(known | changes))  # type: ignore[arg-type]


def a_statement(**changes: Any) -> Statement:
    """A month with a bit of everything."""
    cloud = Used(calls=3, succeeded=2, prompt=9_000, cached=1_000, output=800,
                 cost_nusd=30_123_456, baseline_nusd=40_000_000)  # fmt: skip
    local = Used(calls=9, succeeded=9, prompt=4_000, output=500, baseline_nusd=9_000_000)
    none = Used(calls=1)
    total = cloud + local + none
    days = {"2026-11-02": cloud + none, "2026-11-20": local}
    known: dict[str, Any] = {
        "owner": Owner("prj_1", "notes", "Europe/Berlin", False),
        "month": "2026-11",
        "since_ms": 1_793_487_600_000,
        "until_ms": 1_796_079_600_000,
        "made_ms": STARTED_MS + 5_000_000_000,
        "total": total,
        "here": local,
        "days": [
            Line(f"2026-11-{day:02}", days.get(f"2026-11-{day:02}", Used())) for day in range(1, 31)
        ],
        "tiers": [Line("FRONTIER", cloud), Line("-", none), Line("SIMPLE", local)],
        "models": [Line("openai/big", cloud), Line("", none), Line("local/small", local)],
        "providers": [Line("openai", cloud), Line("", none), Line("local", local)],
        "bearers": [Line("brr_1", cloud + local), Line("", none)],
        "doubts": [Doubt("estimated", "openai/big", 1, 10_000_000),
                   Doubt("unknown", "openai/big", 1, 20_000_000),
                   Doubt("open", "openai/big", 2, 0), Doubt("unpriced", "custom/odd", 1, 0)],
        "corrections": [Correction(1_794_000_000_000, 7, "openai/big", -5_000_000)],
        "corrected": (1, -5_000_000),
        "prices": [PriceLine("openai/big", 1_790_000_000_000, 3,
                             {"input": "1.25", "output": "10", "source": "a page"})],
        "is_whole": True,
        "baselines": (Chosen(1_793_487_600_000, "prj_1", "anthropic/claude-opus-5-5"),),
    }  # fmt: skip
    return Statement(**(known | changes))


def an_alert(id: int = 3, **changes: object) -> AlertLine:
    known: dict[str, object] = {
        "id": id,
        "project": "bakery",
        "budget_id": 7,
        "budget": "daily budget",
        "mark": 80,
        "spent": 4_020_000_000,
        "cap": 5_000_000_000,
        "start_ms": 0,
        "created_ms": STARTED_MS,
        "renews_ms": 4_000_000_000_000,
        "spent_now": 4_100_000_000,
        "cap_now": 5_000_000_000,
    }
    return AlertLine(**(known | changes))  # type: ignore[arg-type]


def an_app(services: FakeServices, clock: Clock | None = None) -> Flask:
    app = Flask("larouter", template_folder=str(folder("templates")), static_folder=None)
    pages.install(app, services)
    if clock is not None:
        session.install(
            app, services.admin_key, services.address, session.Sessions(ADMIN_KEY, clock)
        )
    return app


@contextmanager
def a_server(services: FakeServices) -> Iterator[Flask]:
    """Serve the pages on a free port of 127.0.0.1; `services.address` says where."""
    app = Flask("not yet")
    server = make_server("127.0.0.1", 0, lambda *call: app(*call), threaded=True)
    services.address = f"127.0.0.1:{server.server_port}"
    app = an_app(services)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

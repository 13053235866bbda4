"""Services for the pages: everything they show, said by the test."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from larouter.config import Settings, folder
from larouter.core.catalog import Catalog
from larouter.core.catalog_toml import read_catalog
from larouter.core.report import Lines, RequestLine, TierLine, Today
from larouter.web import pages, session

ADMIN_KEY = "admin-key-of-the-tests"
ADDRESS = "127.0.0.1:18790"
STARTED_MS = 1_790_000_000_000


@dataclass
class FakeReports:
    lines: list[RequestLine] = field(default_factory=list)
    figures: Today = field(default_factory=Today)

    def today(self) -> Today:
        return self.figures

    def recent(self, limit: int = 50) -> Sequence[RequestLine]:
        return self.lines[:limit]


@dataclass
class FakeKept:
    kept: int = 0

    def count(self) -> int:
        return self.kept


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
class FakeServices:
    settings: Settings = field(default_factory=lambda: Settings(home=Path("nowhere")))
    admin_key: str = ADMIN_KEY
    address: str = ADDRESS
    started_ms: int = STARTED_MS
    catalog: Catalog = field(default_factory=lambda: shipped_catalog())
    reports: FakeReports = field(default_factory=FakeReports)
    feed: FakeFeed = field(default_factory=FakeFeed)
    responses: FakeKept = field(default_factory=FakeKept)
    results: FakeKept = field(default_factory=FakeKept)
    serving: list[TierLine] = field(default_factory=lambda: starter_only())

    def tiers(self) -> Sequence[TierLine]:
        return self.serving


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

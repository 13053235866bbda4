"""The first page: is it running, how to connect, the last requests live and what they cost."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request, stream_with_context

from larouter.core.catalog import Model
from larouter.core.report import RequestLine, TierLine
from larouter.web import assets, htmx, session
from larouter.web.pages import sign_in
from larouter.web.pages.alerts import alert_parts
from larouter.web.shown import Shown

ENTRY = ("overview.page", "Overview", "layout-dashboard")
"""Endpoint, words, icon."""

ROWS = 50

_TICK_S = 1.0
_LOOK_S = 15.0
"""Without a request, this often the rest of the page is compared again, or a heartbeat is sent."""
_LIFE_S = 3600
_NOTHING_SET_UP = frozenset({"no-key", "no-address", "not-downloaded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Which model answers now, in a sentence. `mood`: ok, calm (not as meant), bad."""

    mood: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A tier as the page shows it: who serves it, and who should."""

    rank: int
    line: TierLine
    meant: Model | None
    """The tier's own model, where another stands in."""


def blueprint(services: Shown) -> Blueprint:
    page = Blueprint("overview", __name__)
    view = Overview(services)
    page.before_request(_require_session)
    page.after_request(assets.secure)
    page.add_url_rule("/", endpoint="page", view_func=view.page)
    page.add_url_rule("/events", endpoint="events", view_func=view.events)
    return page


def _require_session() -> Response | None:
    if session.sessions().is_live():
        return None
    if request.endpoint == "overview.events":
        return Response("Sign in first.\n", 401, mimetype="text/plain")
    return sign_in.first()


class Overview:
    """The page and its live parts."""

    def __init__(self, services: Shown, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._clock_s = clock_s
        catalog = services.catalog
        self._words = {
            "ranks": {tier.name: tier.rank for tier in catalog.tiers},
            "titles": {model.key: model.title or model.id for model in catalog.models.values()},
        }
        self._parts: dict[str, Callable[[], str]] = {
            "status": self._status,
            "figures": self._figures,
            "tiers": self._tiers,
            "uptime": self._uptime,
        }
        self._live = {**self._parts, **alert_parts(services)}

    def page(self) -> Response:
        session.sessions().touch()
        rows = self._requests()
        return htmx.render(
            "overview",
            parts={name: render() for name, render in self._parts.items()},
            rows=rows,
            seen=_digest(rows),
            base_url=f"http://{self._services.address}/v1",
            address=self._services.address,
            is_keyless=self._services.settings.keyless,
            kept=self._services.responses.count(),
            held=self._services.results.count(),
        )

    def events(self) -> Response:
        """The live parts as they change: one connection for each open page."""
        stream = stream_with_context(self._stream(request.args.get("seen", "")))
        return Response(stream, mimetype="text/event-stream")

    def _stream(self, seen: str) -> Iterator[str]:
        end_s = self._clock_s() + _LIFE_S
        # Subscribed before the first look: a request between the two would be in neither.
        with self._services.feed.subscribe() as lines:
            rows = self._requests()
            # A browser that comes back after a break asks with what it showed at first.
            yield "retry: 1000\n\n" + (_event("requests", rows) if _digest(rows) != seen else "")
            sent: dict[str, str] = {}
            yield self._changes(sent)
            looked_s, has_news = self._clock_s(), False
            for line in lines(_TICK_S):
                now_s = self._clock_s()
                if now_s > end_s or not session.sessions().is_live():
                    return
                if line is not None:
                    has_news = True
                    yield _event("request", self._row(line))
                # Figures follow once a second, however many requests a second there are.
                if now_s - looked_s >= (_TICK_S if has_news else _LOOK_S):
                    looked_s, has_news = now_s, False
                    yield self._changes(sent)

    def _changes(self, sent: dict[str, str]) -> str:
        """Return the parts that differ from `sent`, which is brought up to date; else a comment."""
        now = {name: render() for name, render in self._live.items()}
        changed = [_event(name, html) for name, html in now.items() if sent.get(name) != html]
        sent.update(now)
        return "".join(changed) or ": still here\n\n"

    def _status(self) -> str:
        alarm = self._services.alarm.words()
        status = Status(mood="bad", words=alarm) if alarm else status_of(self._steps())
        return render_template("overview/_status.html", status=status)

    def _figures(self) -> str:
        return render_template("overview/_figures.html", today=self._services.reports.today())

    def _tiers(self) -> str:
        return render_template("overview/_tiers.html", steps=self._steps())

    def _uptime(self) -> str:
        seconds = time.time() - self._services.started_ms / 1000
        return render_template("overview/_uptime.html", seconds=max(0, seconds))

    def _requests(self) -> str:
        lines = self._services.reports.recent(limit=ROWS)
        return render_template("overview/_requests.html", lines=lines, **self._words)

    def _row(self, line: RequestLine) -> str:
        return render_template("overview/_row.html", line=line, is_new=True, **self._words)

    def _steps(self) -> list[Step]:
        catalog = self._services.catalog
        steps = []
        for rank, line in enumerate(self._services.tiers()):
            tier = catalog.tier(line.name)
            own = catalog.models.get(tier.models[0]) if tier and tier.models else None
            meant = own if line.degraded and own and own.key != line.model_key else None
            steps.append(Step(rank=rank, line=line, meant=meant))
        return steps


def status_of(steps: Sequence[Step]) -> Status:
    """Say in one sentence which models answer now."""
    lines = [step.line for step in steps]
    if not lines or not all(line.model_key for line in lines):
        return Status(mood="bad", words="No model can answer yet")
    degraded = [line for line in lines if line.degraded]
    if not degraded:
        return Status(mood="ok", words="Every tier has its own model")
    if len(degraded) < len(lines):
        words = f"{len(degraded)} of {len(lines)} tiers are answered by a stand-in"
        return Status(mood="calm", words=words)
    why = {line.degraded for line in lines}
    if len({line.model_key for line in lines}) > 1:
        return Status(mood="calm", words="Every tier is answered by a stand-in")
    if why <= _NOTHING_SET_UP:
        return Status(mood="calm", words="Starter model only: no cloud key, nothing downloaded")
    return Status(mood="calm", words=f"{lines[0].model_title} answers everything for now")


def _event(name: str, html: str) -> str:
    # A line break ends an event's field, so each line of the HTML is a field of its own. An event
    # without any is not told to the page: what is empty now has one too.
    lines = html.splitlines() or [""]
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"


def _digest(html: str) -> str:
    return hashlib.sha256(html.encode()).hexdigest()[:12]

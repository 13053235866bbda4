"""The local models: what this machine has, which set to keep on it, and how each one fits."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response

from larouter.core.fit import Line, Speed, size
from larouter.core.machine import GIB
from larouter.core.standing import LocalModel
from larouter.web import assets, htmx, session
from larouter.web.shown import Shown

ENTRY = ("models_page.page", "Models", "cpu")

_STATES = {
    "absent": ("none", "not downloaded"),
    "stopped": ("calm", "here, not loaded"),
    "loading": ("calm", "loading"),
    "ready": ("ok", "loaded"),
    "crashed": ("bad", "its engine has stopped"),
    "quarantined": ("bad", "keeps stopping, left alone"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of the bar of memory, in hundredths of its length."""

    what: str
    at: float
    wide: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a model needs, beside what models may use."""

    parts: tuple[Part, ...]
    limit: float
    """Where the memory that models may use ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A model as the page shows it."""

    row: LocalModel
    mood: str
    state: str
    bar: Bar | None


def blueprint(services: Shown) -> Blueprint:
    page = Blueprint("models_page", __name__)
    view = Models(services)
    page.before_request(_require_session)
    page.after_request(assets.secure)
    page.add_url_rule("/models", endpoint="page", view_func=view.page)
    return page


def _require_session() -> Response | None:
    if session.sessions().is_live():
        session.sessions().touch()
        return None
    return htmx.go_to("/sign-in") if htmx.is_fragment_wanted() else htmx.render("sign_in")


class Models:
    """The page."""

    def __init__(self, services: Shown) -> None:
        self._services = services

    def page(self) -> Response:
        now = self._services.local_models()
        catalog = self._services.catalog
        return htmx.render(
            "models",
            machine=now.machine,
            advice=now.advice,
            tiles=[_tile(row) for row in now.models],
            ranks={tier.name: tier.rank for tier in catalog.tiers},
            titles={tier.name: tier.title for tier in catalog.tiers},
            size=size,
            pace=_pace,
            gib=lambda count: f"{count / GIB:.0f} GiB",
        )


def _tile(row: LocalModel) -> Tile:
    mood, state = _STATES.get(row.state, ("calm", row.state))
    lines, may_use = row.fit.lines, row.fit.may_use
    return Tile(row=row, mood=mood, state=state, bar=bar_of(lines, may_use) if lines else None)


def _pace(speed: Speed) -> str:
    return f"{speed.tokens_per_s:.{0 if speed.tokens_per_s >= 10 else 1}f}"


def bar_of(lines: tuple[Line, ...], may_use: int) -> Bar:
    """As long as the larger of the two: what is needed, and what models may use."""
    whole = max(sum(line.bytes for line in lines), may_use)
    parts, at = [], 0.0
    for line in lines:
        wide = 100 * line.bytes / whole
        parts.append(Part(what=line.what, at=round(at, 2), wide=round(wide, 2)))
        at += wide
    return Bar(parts=tuple(parts), limit=round(100 * may_use / whole, 2))

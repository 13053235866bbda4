"""An alert in words: for the banner of the pages and for the desktop."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from larouter.core.report import AlertLine
from larouter.web.words import money, plain

_MACHINE = "This machine"
_LONGEST = 60
"""Letters of a name that somebody chose."""


def headline(alert: AlertLine) -> str:
    """What happened: `bakery: daily budget has passed 80 %`."""
    who = _short(alert.project) if alert.project else _MACHINE
    if alert.budget_id is None:
        return f"{who}: {money(alert.spent)} within an hour, more than usual"
    what = "is blocked" if alert.mark == 0 else f"has passed {alert.mark} %"
    return f"{who}: {_short(alert.budget)} {what}"


def standing(alert: AlertLine, now_ms: int | None = None) -> str:
    """How that stands now, and when there is something again."""
    if alert.budget_id is None:
        return f"Above {money(alert.cap)} an hour is unusual for it at this time."
    now = int(time.time() * 1000) if now_ms is None else now_ms
    if alert.renews_ms is not None and alert.renews_ms <= now:
        return "That period is over."
    said = f"{alert.spent_now:,} of {alert.cap_now:,} {alert.metric} used"
    if alert.metric == "cost":
        said = f"{money(alert.spent_now)} of {money(alert.cap_now)} spent"
    if alert.mark == 0:
        if not alert.is_blocked:
            return f"{said}; calls pass again."
        return f"A call cost more than it could, so nothing more is sent; {said}."
    if alert.renews_ms is None:
        return f"{said}; it does not renew by itself."
    return f"{said}; renews {_when(alert.renews_ms, now)}."


def command(alert: AlertLine) -> str:
    """What a person would type next."""
    if alert.budget_id is None:
        return "larouter usage --period daily"
    if alert.mark == 0:
        return f"larouter budgets resume {alert.budget_id}" if alert.is_blocked else ""
    return f"larouter budgets change {alert.budget_id} --amount …"


def _short(name: str) -> str:
    name = plain(name)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _when(ms: int, now_ms: int) -> str:
    """In this machine's zone; with the day unless that is today."""
    moment = datetime.fromtimestamp(ms / 1000, UTC).astimezone()
    today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone().date()
    day = "today" if moment.date() == today else f"{moment.day} {moment:%b}"
    return f"{day} {moment:%H:%M}"

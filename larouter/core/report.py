"""What the pages show: figures and lines, read from the store and from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from msgspec import Struct

from larouter.core.catalog import Nanodollars

State = Literal["done", "failed", "open", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLine:
    """Which model serves a tier now."""

    name: str
    title: str
    model_title: str
    model_key: str
    """`provider/model`."""
    degraded: str | None = None
    """Why it is not the tier's own model, as `Choice.degraded` says it; None: it is."""
    is_local: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The figures of the day so far."""

    requests: int = 0
    succeeded: int = 0
    local: int = 0
    """Of those that succeeded, answered on this machine."""
    cost_nusd: Nanodollars = 0
    """Of what has a known price."""
    unpriced: int = 0
    """Calls whose price is unknown: not in `cost_nusd`."""
    prompt_tokens: int = 0
    output_tokens: int = 0
    median_ms: int | None = None
    """Of those that succeeded; None while there are none."""


class RequestLine(Struct, frozen=True, kw_only=True):
    """One request as a line of a table. It never carries what was asked or answered (TRUST S11)."""

    id: str
    started_ms: int
    """Unix time, UTC."""
    project: str
    asked: str
    """The model that the client named: `auto`, a tier, an id."""
    tier: str
    stage: str
    reason: str
    model: str | None
    """`provider/model`; None: none was called."""
    degraded: str | None = None
    status: int = 200
    state: State = "done"
    prompt_tokens: int = 0
    output_tokens: int = 0
    cost_nusd: Nanodollars | None = 0
    """None: the price is unknown."""
    duration_ms: int | None = None
    is_local: bool = True
    error: str | None = None


class AlertLine(Struct, frozen=True, kw_only=True):
    """An alert, and how what it is about stands now. It tells of no request (TRUST S11)."""

    id: int
    project: str | None
    """Its name; None: this machine as a whole."""
    budget_id: int | None
    """None: more was spent than is usual."""
    budget: str = ""
    metric: str = "cost"
    period: str = "daily"
    mark: int = 0
    """Per cent; 0: the budget is blocked, or there is none."""
    spent: int
    """When the alert was raised; in an hour, where it is about unusual spend."""
    cap: int
    """What the budget allowed then; above it spend is unusual."""
    start_ms: int
    created_ms: int
    seen_ms: int | None = None
    renews_ms: int | None = None
    """When the budget's period ends; None: never, or there is no budget."""
    spent_now: int = 0
    """In the budget's same period."""
    cap_now: int = 0
    is_blocked: bool = False
    """Is the budget still?"""


class Reports(Protocol):
    """Reads the store for the pages; never writes."""

    def today(self) -> Today: ...

    def recent(self, limit: int = 50) -> Sequence[RequestLine]:
        """Newest first."""
        ...

    def alerts(
        self, project_id: str | None = None, *, unseen: bool = False, limit: int = 100
    ) -> Sequence[AlertLine]:
        """Newest first; None: of everybody, and of this machine."""
        ...


class Lines(Protocol):
    """What one subscriber gets: requests as they happen, None after `timeout_s` without one."""

    def __call__(self, timeout_s: float, /) -> Iterator[RequestLine | None]: ...


class Feed(Protocol):
    """Tells the pages about requests as they happen."""

    def subscribe(self) -> AbstractContextManager[Lines]:
        """From entering to leaving, every request is passed on. Never blocks who publishes."""
        ...

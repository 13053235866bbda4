"""What the pages need to know: the part of the services that they may look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Protocol

from larouter.config import Settings
from larouter.core.catalog import Catalog
from larouter.core.report import Feed, Reports, TierLine
from larouter.core.standing import Standing
from larouter.downloads.order import Order
from larouter.downloads.row import Row
from larouter.store.statements import Owner, Statement
from larouter.store.usage import Days
from larouter.web.session import OneTimeCodes


class Kept(Protocol):
    """The answers that programs wanted kept."""

    def count(self) -> int: ...


class Alarm(Protocol):
    """What somebody has to do something about."""

    def words(self) -> str | None:
        """None: all is well."""
        ...


class Bills(Protocol):
    """What each project has to pay (`store.bills`)."""

    def owners(self) -> Sequence[Owner]: ...

    def today(self, zone: str | None = None) -> date: ...

    def statement(self, project: str, month: Days) -> Statement:
        """Raises `NotFound`."""
        ...


class Seen(Protocol):
    """Alerts are marked as seen by whoever looks at the pages."""

    def see(self, ids: Sequence[int], /) -> int: ...

    def see_all(self, newest: int, /) -> int: ...


class Telling(Protocol):
    """Who is told of what happens with money."""

    @property
    def alerts(self) -> Seen: ...


class Fetching(Protocol):
    """Downloads of models (`downloads.queue`); each call raises `LARouterError`."""

    def rows(self) -> Sequence[Row]: ...

    def start(self, order: Order, /) -> Row: ...

    def pause(self, order_id: str, /) -> Row: ...

    def resume(self, order_id: str, /) -> Row: ...

    def cancel(self, order_id: str, /) -> int: ...


class Shown(Protocol):
    """Built by `bootstrap`; the pages read it, mark alerts as seen and download models."""

    @property
    def settings(self) -> Settings: ...

    @property
    def admin_key(self) -> str: ...

    @property
    def codes(self) -> OneTimeCodes | None: ...

    @property
    def catalog(self) -> Catalog: ...

    @property
    def started_ms(self) -> int: ...

    @property
    def address(self) -> str:
        """Host and port as a browser writes them: `127.0.0.1:18790`."""
        ...

    @property
    def reports(self) -> Reports: ...

    @property
    def feed(self) -> Feed: ...

    @property
    def responses(self) -> Kept: ...

    @property
    def results(self) -> Kept: ...

    @property
    def alarm(self) -> Alarm: ...

    @property
    def bills(self) -> Bills: ...

    @property
    def telling(self) -> Telling: ...

    @property
    def downloads(self) -> Fetching: ...

    @property
    def local_models(self) -> Callable[[], Standing]:
        """How the local models stand on this machine. Waits the first time."""
        ...

    def tiers(self) -> Sequence[TierLine]:
        """Which model serves each tier now, cheapest tier first."""
        ...

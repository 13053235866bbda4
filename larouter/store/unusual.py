"""Looks from time to time whether somebody spends more than usual, and raises an alert: once for
each project and day (`core.unusual` has the rule)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence

import gevent

from larouter.core.errors import LARouterError
from larouter.core.unusual import DAYS, HOUR_MS, LEAST, Quarters, Unusual, last_hour, unusual
from larouter.store.alerts import raise_unusual
from larouter.store.spending import Spending
from larouter.store.writer import Writer, now_ms

EVERY_S = 300.0
_DAY_MS = 24 * HOUR_MS

logger = logging.getLogger(__name__)


class UnusualSpend:
    """`projects` gives the ids of all, `zone_of` a project's zone, or ("") this machine's;
    `read` reads what some of them spent since some moment, off the hub."""

    def __init__(
        self,
        writer: Writer,
        *,
        projects: Callable[[], Sequence[str]],
        zone_of: Callable[[str], str],
        read: Callable[[Sequence[str], int], Spending],
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._writer = writer
        self._projects = projects
        self._zone_of = zone_of
        self._read = read
        self._clock = clock

    def work(self) -> None:
        """For as long as the process serves."""
        while True:
            gevent.sleep(EVERY_S)
            try:
                self.look()
            except LARouterError:
                logger.exception("nobody could look whether spend is unusual")

    def look(self) -> int:
        """Look at the last hour of every project and of them all; return how many alerts that
        raised. The weeks before are read only where an hour was dear at all."""
        now = self._clock()
        recent = self._read(self._projects(), now - HOUR_MS)
        hours = {project: last_hour(quarters, now) for project, quarters in recent.items()}
        if sum(hours.values()) <= LEAST:
            return 0
        history = self._read(list(recent), now - (DAYS + 2) * _DAY_MS)
        found: dict[str | None, Unusual | None] = {
            project: self._judge(project, history[project], now)
            for project, spent in hours.items()
            if spent > LEAST
        }
        if not any(found.values()):
            # Each is as usual; their sum may not be.
            found[None] = self._judge(None, _sum(history), now)
        return sum(self._raise(project, hour, now) for project, hour in found.items() if hour)

    def _judge(self, project_id: str | None, quarters: Quarters, now: int) -> Unusual | None:
        # Thousands of quarters and their time zones: off the hub.
        threads = gevent.get_hub().threadpool
        found: Unusual | None = threads.apply(
            unusual, (quarters, self._zone_of(project_id or ""), now)
        )
        return found

    def _raise(self, project_id: str | None, found: Unusual, now: int) -> bool:
        return self._writer.run(
            lambda connection: raise_unusual(connection, project_id, found, now)
        )


def _sum(history: Spending) -> Quarters:
    total: Counter[int] = Counter()
    for quarters in history.values():
        total.update(quarters)
    return total

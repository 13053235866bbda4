"""Tells the desktop of new alerts: each once, whichever process comes to it first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import gevent

from larouter.core.errors import LARouterError
from larouter.core.report import AlertLine
from larouter.web.alert_words import headline, standing

POLL_S = 5.0
_SHOWN = 3

logger = logging.getLogger(__name__)


class Crier:
    """`tell` shows a title and a text; `claim` gives the ids of alerts that nobody was told of, to
    one process alone; `read` the newest alerts."""

    def __init__(
        self,
        tell: Callable[[str, str], object],
        claim: Callable[[], Sequence[int]],
        read: Callable[[], Sequence[AlertLine]],
    ) -> None:
        self._tell = tell
        self._claim = claim
        self._read = read

    def work(self) -> None:
        """For as long as the process serves."""
        fails = False
        while True:
            try:
                self.tell_new()
                fails = False
            except LARouterError as error:
                # Once: a disk that is full stays so for long.
                if not fails:
                    logger.error("nobody could look for new alerts: %s", error)
                fails = True
            gevent.sleep(POLL_S)

    def tell_new(self) -> int:
        """Tell of what is new, the highest mark of a budget for all of its marks; return how
        many notifications that were."""
        claimed = set(self._claim())
        if not claimed:
            return 0
        newest: dict[object, AlertLine] = {}
        for line in self._read():
            if line.id in claimed:
                newest.setdefault((line.budget_id, line.project, line.start_ms), line)
        lines = list(newest.values())
        for line in lines[:_SHOWN]:
            self._tell(headline(line), standing(line))
        if len(lines) > _SHOWN:
            self._tell(f"{len(lines) - _SHOWN} more alerts", "See: larouter alerts list")
        return min(len(lines), _SHOWN + 1)

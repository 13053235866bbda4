"""Do the books add up? Asked every hour of what is new, and once a night of everything (TRUST B15).

Nothing is changed here. Each line that comes back is something that must never be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

import gevent

from larouter.store.rollups import differences
from larouter.store.sql import Connection, Database

EVERY_S = 3_600
FIRST_S = 60
"""After a start, which is not to be slowed down."""
_NIGHT = 3
"""The hour of this machine's day in which everything is looked at."""
_SHOWN = 10

# A cost is the sum of its entries, and what is open has neither.
_ATTEMPTS = """SELECT a.id, a.state, coalesce(a.cost_nusd, 0), coalesce(sum(e.cost_nusd), 0)
 FROM attempt a LEFT JOIN ledger_entry e ON e.attempt_id = a.id WHERE a.id >= ?
 GROUP BY a.id HAVING coalesce(a.cost_nusd, 0) <> coalesce(sum(e.cost_nusd), 0)
  OR a.state NOT IN ('pending','settled','estimated','unknown','failed','released') LIMIT ?"""
# A hold is open exactly as long as its attempt, and takes what the attempt cost.
_HOLDS = """SELECT h.attempt_id, h.budget_id FROM hold h
 JOIN attempt a ON a.id = h.attempt_id JOIN budget b ON b.id = h.budget_id
 WHERE h.attempt_id >= ? AND ((h.spent IS NULL) <> (a.state = 'pending')
  OR (b.metric = 'cost' AND h.spent <> coalesce(a.cost_nusd, 0))) LIMIT ?"""
_WINDOWS = """SELECT w.budget_id, w.start_ms, w.spent, w.reserved,
 w.opening + coalesce(sum(h.spent), 0),
 coalesce(sum(CASE WHEN h.spent IS NULL THEN h.amount ELSE 0 END), 0)
 FROM budget_window w LEFT JOIN hold h ON h.budget_id = w.budget_id AND h.start_ms = w.start_ms
 WHERE w.end_ms > ? GROUP BY w.budget_id, w.start_ms
 HAVING w.spent <> w.opening + coalesce(sum(h.spent), 0)
  OR w.reserved <> coalesce(sum(CASE WHEN h.spent IS NULL THEN h.amount ELSE 0 END), 0) LIMIT ?"""
_NEXT = """SELECT coalesce(min(id), (SELECT max(id) + 1 FROM attempt)) FROM attempt
 WHERE state='pending'"""

logger = logging.getLogger(__name__)


def violations(connection: Connection, *, since_attempt: int = 0, since_ms: int = 0) -> list[str]:
    """What does not add up, of attempts from this id on and of windows that end after this time."""
    found = [
        f"attempt {id} is {state} at {cost}, and its entries are {entries}"
        for id, state, cost, entries in connection.execute(_ATTEMPTS, (since_attempt, _SHOWN))
    ]
    found += [
        f"attempt {attempt} and what it takes of budget {budget} differ"
        for attempt, budget in connection.execute(_HOLDS, (since_attempt, _SHOWN))
    ]
    found += [
        f"budget {budget} from {start}: spent {spent}, reserved {reserved}, but its calls come to "
        f"{really} and hold {held}"
        for budget, start, spent, reserved, really, held in connection.execute(
            _WINDOWS, (since_ms, _SHOWN)
        )
    ]
    return found


class Books:
    """Looks through the books from time to time; what it finds stops whoever has a budget."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        """`clock` gives Unix seconds."""
        self._database = database
        self._clock = clock
        self.checked = 0
        """The attempts before this one were looked at, and none of them is open."""
        self._since_ms = 0
        self._night = ""
        self.wrong: list[str] = []
        """What the last look found; empty: all is well."""

    def check(self) -> list[str]:
        """Look at what is new; at night, and while something is wrong, at everything."""
        here = datetime.fromtimestamp(self._clock()).astimezone()
        night = here.date().isoformat() if here.hour >= _NIGHT else self._night
        everything = night != self._night or bool(self.wrong)
        since = (0, 0) if everything else (self.checked, self._since_ms)
        began_ms = int(self._clock() * 1000)

        def look() -> tuple[list[str], int]:
            # One transaction: all of it at one moment, while the writer goes on.
            with closing(self._database.connect(read_only=True)) as connection:
                connection.execute(self._database.begin_reading)
                found = violations(connection, since_attempt=since[0], since_ms=since[1])
                for line in differences(connection)[:_SHOWN] if everything else ():
                    # Nobody is charged by these sums; they are mended without a loss.
                    logger.error("usage does not add up (larouter usage rebuild): %s", line)
                return found, connection.execute(_NEXT).fetchone()[0] or 0

        self.wrong, self.checked = gevent.get_hub().threadpool.apply(look)
        self._since_ms = began_ms
        self._night = night
        for line in self.wrong:
            logger.error("the books do not add up: %s", line)
        return self.wrong

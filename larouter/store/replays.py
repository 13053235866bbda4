"""Reads requests that ended, with the numbers that they can be decided again from (TRUST S11).

Off the hub, on a read-only connection of its own and a page at a time: no read transaction stays
open while the rows are worked on, and the writer never waits (TRUST B16).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

import gevent
import msgspec

from larouter.core.chat import Usage
from larouter.core.replay import Recorded
from larouter.core.route import Numbers
from larouter.store.sql import Connection, Database

T = TypeVar("T")

PAGE = 1_000
"""Requests read at once."""
MOST = 20_000
"""The newest requests that are read: deciding one again takes up to a tenth of a millisecond."""

# An id begins with its time, so the order of ids is the order of time.
_PAGE = """SELECT r.id, r.project_id, r.asked, r.tier, r.stage, r.started_ms, r.numbers,
 a.model, a.state, a.cost_nusd, a.input, a.cache_read, a.cache_write_5m, a.cache_write_1h, a.output,
 a.audio, a.image
 FROM (SELECT * FROM request
  WHERE id > ? AND started_ms >= ? AND (CAST(? AS TEXT) IS NULL OR project_id = ?)
   AND numbers IS NOT NULL AND ended_ms IS NOT NULL
  ORDER BY id LIMIT ?) r
 LEFT JOIN attempt a ON a.request_id = r.id
 ORDER BY r.id, a.id"""
_BEFORE = """SELECT id FROM request
 WHERE started_ms >= ? AND (CAST(? AS TEXT) IS NULL OR project_id = ?)
  AND numbers IS NOT NULL AND ended_ms IS NOT NULL
 ORDER BY id DESC LIMIT 1 OFFSET ?"""
_WITHOUT = """SELECT count(*) FROM request
 WHERE started_ms >= ? AND (CAST(? AS TEXT) IS NULL OR project_id = ?)
  AND numbers IS NULL AND ended_ms IS NOT NULL"""
_MOST_USED = """SELECT project_id, model, count(*) AS calls FROM request
 WHERE started_ms >= ? AND (CAST(? AS TEXT) IS NULL OR project_id = ?)
  AND numbers IS NOT NULL AND model IS NOT NULL AND status < 400
 GROUP BY project_id, model ORDER BY calls, model"""
_ANSWERED = frozenset({"settled", "estimated"})

_decode = msgspec.json.Decoder(Numbers).decode


class History:
    """The requests of one project, or of all, since a time; each question asks the database."""

    def __init__(
        self,
        connection: Connection,
        since_ms: int,
        project_id: str | None,
        *,
        most: int = MOST,
        page: int = PAGE,
    ) -> None:
        self._connection = connection
        self._chosen = (since_ms, project_id, project_id)
        self._page = page
        before = connection.execute(_BEFORE, (*self._chosen, most)).fetchone()
        self._first = before[0] if before else ""
        """The rows are those after this id."""

    @property
    def is_cut(self) -> bool:
        """Are there older requests that are left out?"""
        return bool(self._first)

    def rows(self) -> Iterator[Recorded]:
        """The requests that can be decided again, oldest first."""
        last = self._first
        while True:
            found = self._connection.execute(_PAGE, (last, *self._chosen, self._page)).fetchall()
            if not found:
                return
            last = found[-1][0]
            for _, rows in groupby(found, key=itemgetter(0)):
                yield _recorded(list(rows))

    def without_numbers(self) -> int:
        """How many cannot be: they are older than the numbers, or nothing was decided."""
        (count,) = self._connection.execute(_WITHOUT, self._chosen).fetchone()
        return int(count)

    def most_used(self) -> dict[str, str]:
        """By project id, the model (its key) that answers it most."""
        rows = self._connection.execute(_MOST_USED, self._chosen)
        return {project: model for project, model, _ in rows}


class Replays:
    """Opens the history."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self, question: Callable[[History], T], *, since_ms: int = 0, project_id: str | None = None
    ) -> T:
        """Answer `question` in gevent's thread pool. It must not touch what gevent patches."""

        def work() -> T:
            with closing(self._database.connect(read_only=True)) as connection:
                return question(History(connection, since_ms, project_id))

        return gevent.get_hub().threadpool.apply(work)


def _recorded(rows: list[tuple[Any, ...]]) -> Recorded:
    """One request out of a row for each of its attempts."""
    id, project, asked, tier, stage, started_ms, numbers = rows[0][:7]
    attempts = [row[7:] for row in rows if row[7] is not None]
    model, usage = _answer(attempts)
    costs = [attempt[2] for attempt in attempts]
    return Recorded(
        id=id,
        project=project,
        asked=asked,
        tier=tier,
        stage=stage,
        started_ms=started_ms,
        numbers=_decode(numbers),
        model=model,
        usage=usage,
        cost=None if None in costs else sum(costs),
    )


def _answer(attempts: Iterable[tuple[Any, ...]]) -> tuple[str | None, Usage]:
    """Who answered in the end, and what that took."""
    model, usage = None, Usage()
    for key, state, _, fresh, read, write, write_1h, output, audio, image in attempts:
        if state in _ANSWERED:
            model = key
            usage = Usage(
                input=fresh,
                cache_read=read,
                cache_write_5m=write,
                cache_write_1h=write_1h,
                output=output,
                audio=audio,
                image=image,
            )
    return model, usage

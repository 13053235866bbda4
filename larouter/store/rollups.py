"""Sums of what was used, kept with the ledger in the same transaction.

Two tables with the same columns: quarters of an hour in UTC, of which every time zone's day is
made, and days in the zone of each project. A request counts at the time at which it came; each
attempt's tokens and cost count for the model that it called, the request for the one that ended it.

Everything here runs in the writer's thread. What a batch of jobs adds is summed up first and
written once, before the batch is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from larouter.store.sql import Connection
from larouter.store.writer import Writer

QUARTER_MS = 900_000
_DAYS_KEPT = 4_096
"""Quarters whose days are remembered: a look-up in a time zone costs microseconds."""

_ZONE = "usage_zone"
KEPT_SINCE = "requests_kept_since"
"""The setting that says from when on requests are whole: older ones are let go of, their sums stay
(`store/retention.py`)."""

SUMS = ("calls", "succeeded", "prompt", "cached", "output", "cost_nusd", "unpriced",
        "baseline_nusd")  # fmt: skip
_KEY = ("project_id", "tier", "model", "bearer_id")
_COLUMNS = ", ".join((*_KEY, *SUMS))
_MARKS = ",".join("?" * (len(_KEY) + len(SUMS) + 1))


def _upsert(table: str, at: str) -> str:
    add = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)
    key = ", ".join(("project_id", at, "tier", "model", "bearer_id"))
    return (
        f"INSERT INTO {table} ({at}, {_COLUMNS}) VALUES ({_MARKS})"  # noqa: S608 - names of ours
        f" ON CONFLICT ({key}) DO UPDATE SET {add}"
    )


_ADD_QUARTER = _upsert("usage_quarter", "start_ms")
_ADD_DAY = _upsert("usage_day", "day")
# Both halves of the truth: requests that ended, and attempts that ended.
_TRUTH = f"""SELECT start_ms, {", ".join(_KEY)}, {", ".join(f"sum({name})" for name in SUMS)} FROM (
 SELECT started_ms - started_ms % {QUARTER_MS} AS start_ms, project_id, tier,
  coalesce(model, '') AS model, coalesce(bearer_id, '') AS bearer_id, 1 AS calls,
  CASE WHEN status < 400 THEN 1 ELSE 0 END AS succeeded, 0 AS prompt, 0 AS cached, 0 AS output,
  0 AS cost_nusd, 0 AS unpriced, coalesce(baseline_nusd, 0) AS baseline_nusd
 FROM request WHERE ended_ms IS NOT NULL AND started_ms >= ?
 UNION ALL
 SELECT r.started_ms - r.started_ms % {QUARTER_MS}, a.project_id, r.tier, a.model,
  coalesce(r.bearer_id, ''), 0, 0,
  a.input + a.cache_read + a.cache_write_5m + a.cache_write_1h + a.audio + a.image, a.cache_read,
  a.output, coalesce(a.cost_nusd, 0), CASE WHEN a.cost_nusd IS NULL THEN 1 ELSE 0 END, 0
 FROM attempt a JOIN request r ON r.id = a.request_id
 WHERE a.state <> 'pending' AND r.started_ms >= ?
) AS parts GROUP BY start_ms, {", ".join(_KEY)}"""  # noqa: S608 - names of ours


class Share(NamedTuple):
    """Whose a sum is: a row's key, but for its time."""

    project_id: str
    tier: str
    model: str
    """`provider/model`; `""`: none was called."""
    bearer_id: str


class Rollups:
    """Collects what a batch adds; the writer flushes it before the commit."""

    def __init__(self, zone_of: Callable[[str], str]) -> None:
        """`zone_of` gives the IANA zone of a project, by its id."""
        self._zone_of = zone_of
        self._new: dict[tuple[int, Share], list[int]] = {}
        self._days: dict[tuple[int, str], str] = {}

    def add(self, started_ms: int, share: Share, sums: Sequence[int]) -> None:
        """`sums` are in the order of `SUMS`."""
        key = (started_ms - started_ms % QUARTER_MS, share)
        known = self._new.get(key)
        self._new[key] = list(sums) if known is None else [*map(int.__add__, known, sums)]

    def flush(self, connection: Connection) -> None:
        """Write what was added since the last time."""
        if not self._new:
            return
        new, self._new = self._new, {}
        connection.executemany(
            _ADD_QUARTER, [(start_ms, *share, *sums) for (start_ms, share), sums in new.items()]
        )
        connection.executemany(
            _ADD_DAY,
            [
                (self.day(start_ms, share.project_id), *share, *sums)
                for (start_ms, share), sums in new.items()
            ],
        )

    def forget(self) -> None:
        """The batch was not committed."""
        self._new = {}

    def day(self, start_ms: int, project_id: str) -> str:
        """The date of a quarter of an hour, where its project is."""
        zone = self._zone_of(project_id)
        key = (start_ms, zone)
        day = self._days.get(key)
        if day is None:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            at = datetime.fromtimestamp(start_ms / 1000, UTC).astimezone(ZoneInfo(zone))
            day = self._days[key] = at.date().isoformat()
        return day

    def rebuild(self, connection: Connection) -> None:
        """Both tables anew from requests and attempts, as far back as these are kept. What is
        older stays as it is."""
        since = _whole_since(connection)
        if not since:
            return
        connection.execute("DELETE FROM usage_quarter WHERE start_ms >= ?", (since,))
        rows = connection.execute(_TRUTH, (since, since)).fetchall()
        connection.executemany(_ADD_QUARTER, rows)
        self.rebuild_days(connection)
        # What this batch has added so far is in the rows already.
        self.forget()

    def rebuild_days(self, connection: Connection, project_id: str | None = None) -> None:
        """Days from quarters: of one project, as after a change of its zone, or of all."""
        where, given = ("", ()) if project_id is None else (" WHERE project_id = ?", (project_id,))
        connection.execute(f"DELETE FROM usage_day{where}", given)  # noqa: S608 - the words above
        rows = connection.execute(
            f"SELECT start_ms, {_COLUMNS} FROM usage_quarter{where}",  # noqa: S608 - the words above
            given,
        )
        days: dict[tuple[str, Share], list[int]] = {}
        for start_ms, *rest in rows:
            share = Share(*rest[: len(_KEY)])
            key = (self.day(start_ms, share.project_id), share)
            sums = rest[len(_KEY) :]
            known = days.get(key)
            days[key] = sums if known is None else [*map(int.__add__, known, sums)]
        connection.executemany(
            _ADD_DAY, [(day, *share, *sums) for (day, share), sums in days.items()]
        )


def keep_days(writer: Writer, rollups: Rollups, zone: str) -> None:
    """Make the days anew when this machine has moved to another time zone, and all sums when an
    older version has kept none."""

    def job(connection: Connection) -> None:
        found = connection.execute("SELECT value FROM setting WHERE name=?", (_ZONE,)).fetchone()
        if found is None:
            rollups.rebuild(connection)
        elif found[0] != zone:
            rollups.rebuild_days(connection)
        connection.execute(
            "INSERT INTO setting (name, value) VALUES (?,?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (_ZONE, zone),
        )

    writer.run(job)


def kept_since(connection: Connection) -> int:
    """From when on no request has been let go of, in Unix milliseconds: a whole quarter."""
    row = connection.execute("SELECT value FROM setting WHERE name=?", (KEPT_SINCE,)).fetchone()
    return int(row[0]) if row else 0


def _whole_since(connection: Connection) -> int:
    """The quarter from which on the sums are those of the requests that there are; 0: there are
    none, and never were."""
    since = kept_since(connection)
    oldest = connection.execute(
        "SELECT min(started_ms) FROM request WHERE started_ms >= ?", (since,)
    ).fetchone()[0]
    return since if oldest is None else max(since, oldest - oldest % QUARTER_MS)


def differences(connection: Connection) -> list[str]:
    """Where the sums are not what requests and attempts come to; none: they are right."""
    since = _whole_since(connection)
    truth = set(connection.execute(_TRUTH, (since, since)).fetchall())
    kept = set(
        connection.execute(
            f"SELECT start_ms, {_COLUMNS} FROM usage_quarter WHERE start_ms >= ?",  # noqa: S608 - names
            (since,),
        ).fetchall()
    )
    found = [f"{row[:5]} is not in the sums of quarters" for row in sorted(truth - kept)]
    found += [f"{row[:5]} is in the sums of quarters alone" for row in sorted(kept - truth)]
    total = ", ".join(f"sum({name})" for name in SUMS)
    query = f"SELECT project_id, {total} FROM {{}} GROUP BY project_id ORDER BY project_id"  # noqa: S608
    quarters, days = (
        connection.execute(query.format(table)).fetchall()
        for table in ("usage_quarter", "usage_day")
    )
    if quarters != days:
        found.append("the sums of days are not those of quarters")
    return found

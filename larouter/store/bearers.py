"""A project's bearers: several, each with a name, perhaps an end, and when it was used last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from shlex import quote
from typing import Any, TypeVar

from larouter.core.account import Project
from larouter.core.errors import BadRequest, Conflict, NotFound
from larouter.store.bearer_row import (
    COLUMNS,
    FIRST,
    Bearer,
    bearer_name,
    end_bearers,
    expiry_ms,
    forget_kept,
    insert_bearer,
    new_bearer,
)
from larouter.store.projects import Projects
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

T = TypeVar("T")

MOST_BEARERS = 100
"""Of one project."""
MOST_OVERLAP_MS = 30 * 86_400_000
WRITTEN_EVERY_MS = 60_000
"""A bearer's last use is written at most this often."""

_SHOWN_AFTER_MS = 30 * 86_400_000
"""So long an expired bearer is still listed: somebody will ask why a program is shut out."""
_OF_PROJECT = "project_id=? AND granted=0 AND revoked_ms IS NULL"
_LIVE = "revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)"
_USED = """UPDATE bearer SET last_used_ms=?
 WHERE id=? AND (last_used_ms IS NULL OR last_used_ms < ?)"""


class Bearers:
    """The rows are truth; `Projects` holds those that are good now."""

    def __init__(self, writer: Writer, projects: Projects, zone: str) -> None:
        """`zone` is this machine's: a day ends there where the project has no zone of its own."""
        self._writer = writer
        self._projects = projects
        self._zone = zone
        self._used: dict[str, int] = {}
        """By id, uses that are not written yet."""
        self._written: dict[str, int] = {}

    def of(self, project: Project) -> list[Bearer]:
        """The oldest first, without those of command-line calls."""
        self._collect()
        since = now_ms() - _SHOWN_AFTER_MS
        rows = self._writer.run(
            lambda connection: connection.execute(
                f"SELECT {COLUMNS} FROM bearer WHERE {_OF_PROJECT} "  # noqa: S608 - constants
                "AND (expires_ms IS NULL OR expires_ms > ?) ORDER BY created_ms, id",
                (project.id, since),
            ).fetchall()
        )
        return [self._bearer(row) for row in rows]

    def names(self, project_id: str | None) -> dict[str, str]:
        """What those of a project, or of all, are or were called, by id. What was used by one that
        is revoked stays on the books."""
        rows = self._writer.run(
            lambda connection: connection.execute(
                "SELECT id, name FROM bearer "
                "WHERE granted=0 AND (CAST(? AS TEXT) IS NULL OR project_id=?)",
                (project_id, project_id),
            ).fetchall()
        )
        return dict(rows)

    def create(self, project: Project, name: str, expires: str = "never") -> tuple[Bearer, str]:
        """A further bearer, which is shown this once. Raises `BadRequest`, `Conflict`."""
        name = bearer_name(name)
        expires_ms = expiry_ms(expires, project.zone or self._zone)
        bearer = new_bearer()

        _refuse_archived(project)

        def job(connection: Connection) -> Bearer:
            names = _names(connection, project.id)
            if name in names:
                raise _taken(name)
            if len(names) >= MOST_BEARERS:
                raise BadRequest(f"A project has at most {MOST_BEARERS} bearers: revoke some.")
            return insert_bearer(connection, project.id, bearer, name=name, expires_ms=expires_ms)

        return self._change(job), bearer

    def change(
        self, project: Project, id_or_name: str, *, name: str | None, expires: str | None
    ) -> Bearer:
        """Another name, another end, or both. Raises `NotFound`, `BadRequest`, `Conflict`."""
        values: dict[str, object] = {}
        if name is not None:
            values["name"] = bearer_name(name)
        if expires is not None:
            values["expires_ms"] = expiry_ms(expires, project.zone or self._zone)

        def job(connection: Connection) -> Bearer:
            found = _find(connection, project, id_or_name)
            if values.get("name", found.name) != found.name and values["name"] in _names(
                connection, project.id
            ):
                raise _taken(str(values["name"]))
            for column, value in values.items():
                connection.execute(
                    f"UPDATE bearer SET {column}=? WHERE id=? AND project_id=?",  # noqa: S608 - named above
                    (value, found.id, project.id),
                )
            return _find(connection, project, found.id)

        return self._change(job)

    def revoke(self, project: Project, id_or_name: str) -> tuple[Bearer, int]:
        """End a bearer at once; return it, and how many are good still."""
        now = now_ms()

        def job(connection: Connection) -> tuple[Bearer, int]:
            found = _find(connection, project, id_or_name)
            connection.execute(
                "UPDATE bearer SET revoked_ms=? WHERE id=? AND project_id=?",
                (now, found.id, project.id),
            )
            (left,) = connection.execute(
                f"SELECT count(*) FROM bearer WHERE {_OF_PROJECT} AND {_LIVE}",  # noqa: S608 - constants
                (project.id, now),
            ).fetchone()
            return found, left

        return self._change(job)

    def rotate(self, project: Project, *, overlap_ms: int = 0) -> tuple[Bearer, str]:
        """One new bearer for all that there are.

        At once: they stop, and the responses that were kept with them are forgotten, as whoever
        had a bearer that got lost may have said something there that a program would go on from.
        With an overlap they work so much longer, and conversations go on.
        """
        if not 0 <= overlap_ms <= MOST_OVERLAP_MS:
            raise BadRequest("Old bearers overlap with a new one for up to 30 days.")
        _refuse_archived(project)
        bearer = new_bearer()

        def job(connection: Connection) -> Bearer:
            now = now_ms()
            if overlap_ms:
                until = now + overlap_ms
                connection.execute(
                    f"UPDATE bearer SET expires_ms=? WHERE {_OF_PROJECT} "  # noqa: S608 - constants
                    "AND (expires_ms IS NULL OR expires_ms > ?)",
                    (until, project.id, until),
                )
            else:
                end_bearers(connection, project.id, now)
                forget_kept(connection, project.id)
            name = _free(_names(connection, project.id))
            return insert_bearer(connection, project.id, bearer, name=name)

        return self._change(job), bearer

    def grant(self, project: Project, *, seconds: int) -> str:
        """A further bearer that expires by itself, for command-line calls."""
        _refuse_archived(project)
        bearer = new_bearer()
        ends = now_ms() + seconds * 1000
        self._change(
            lambda connection: insert_bearer(
                connection, project.id, bearer, name="", expires_ms=ends, granted=True
            )
        )
        return bearer

    def keep_up(self, *, at_once: bool = False) -> None:
        """Write down which bearers were used, each at most once a minute unless `at_once`, and
        take those that expired out of memory; what was granted goes for good."""
        self._collect()
        now = now_ms()
        self._written = {id: ms for id, ms in self._written.items() if now - ms < WRITTEN_EVERY_MS}
        due = {id: ms for id, ms in self._used.items() if at_once or id not in self._written}

        def job(connection: Connection) -> None:
            connection.execute("DELETE FROM bearer WHERE granted=1 AND expires_ms <= ?", (now,))
            connection.executemany(_USED, [(ms, id, ms) for id, ms in due.items()])

        self._change(job)
        for id, ms in due.items():
            self._written[id] = now
            if self._used.get(id) == ms:
                del self._used[id]

    def _collect(self) -> None:
        now = now_ms()
        self._used.update(dict.fromkeys(self._projects.take_used(), now))

    def _bearer(self, row: tuple[Any, ...]) -> Bearer:
        bearer = Bearer(*row)
        used_ms = self._used.get(bearer.id, bearer.last_used_ms)
        return replace(bearer, last_used_ms=used_ms)

    def _change(self, job: Callable[[Connection], T]) -> T:
        result = self._writer.run(job)
        self._projects.refresh()
        return result


def _find(connection: Connection, project: Project, id_or_name: str) -> Bearer:
    """Raises `NotFound`. An id comes before a name: somebody may name a bearer like an id."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM bearer WHERE {_OF_PROJECT} AND (id=? OR name=?) "  # noqa: S608 - constants
        "ORDER BY CASE WHEN id=? THEN 0 ELSE 1 END LIMIT 1",
        (project.id, id_or_name, id_or_name, id_or_name),
    ).fetchone()
    if row is None:
        raise NotFound(
            f"The project {project.name!r} has no bearer {id_or_name[:100]!r}.",
            code="bearer_not_found",
        )
    return Bearer(*row)


def _names(connection: Connection, project_id: str) -> set[str]:
    rows = connection.execute(
        f"SELECT name FROM bearer WHERE {_OF_PROJECT}",  # noqa: S608 - a constant
        (project_id,),
    )
    return {name for (name,) in rows}


def _free(names: set[str]) -> str:
    """What a bearer is called that nobody has named."""
    number = 1
    while (name := FIRST if number == 1 else f"{FIRST} {number}") in names:
        number += 1
    return name


def _taken(name: str) -> Conflict:
    return Conflict(
        f"The project has a bearer {name!r} already, perhaps one that has expired: choose another "
        "name, or revoke that one.",
        code="bearer_exists",
        param="name",
    )


def _refuse_archived(project: Project) -> None:
    if project.archived_ms is not None:
        raise Conflict(
            f"The project {project.name!r} is archived, so a new bearer would open nothing. Bring "
            f"it back first: larouter projects restore {quote(project.name)}",
            code="project_archived",
        )

"""Projects and their bearers (TRUST S4)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from shlex import quote

from larouter.core.account import Project
from larouter.core.errors import Conflict, NotFound
from larouter.core.policy import Policy
from larouter.store.bearer_row import end_bearers, forget_kept, insert_bearer, new_bearer
from larouter.store.project_row import COLUMNS, ProjectTuple, columns, name_column, read_project
from larouter.store.sql import Connection, IntegrityError
from larouter.store.writer import Writer, now_ms

DEFAULT = "default"


class Projects:
    """All bearers in memory, by hash, so that a request costs one look-up; the rows are truth."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._by_hash: dict[bytes, tuple[Project, int | None, str]] = {}
        """Whose bearer it is, until when (None: until it is revoked), and its id."""
        self._used: set[str] = set()
        self._by_id: dict[str, Project] = {}
        self._zones: dict[str, str] = {}
        """Of deleted projects too: their days stay where they were."""
        self._reload()

    def of_bearer(self, bearer: str) -> Project | None:
        """The project that this bearer names. Looked up by hash: nothing to time (TRUST S4)."""
        digest = hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
        found = self._by_hash.get(digest)
        if found is None:
            return None
        project, expires_ms, bearer_id = found
        if expires_ms is not None and expires_ms <= now_ms():
            return None
        self._used.add(bearer_id)
        return project

    def take_used(self) -> set[str]:
        """The ids of the bearers that came in since this was asked last."""
        used, self._used = self._used, set()
        return used

    def zone_of(self, project_id: str) -> str | None:
        """The project's own time zone, once it is deleted too; None: it has none."""
        return self._zones.get(project_id)

    def list(self) -> list[Project]:
        return sorted(self._by_id.values(), key=lambda project: project.created_ms)

    def get(self, id_or_name: str) -> Project:
        """Raises `NotFound`. An id comes before a name: somebody may name a project like an id."""
        if id_or_name in self._by_id:
            return self._by_id[id_or_name]
        for project in self._by_id.values():
            if project.name == id_or_name:
                return project
        raise not_found(id_or_name)

    def create(self, name: str) -> tuple[Project, str]:
        """Return the project and its bearer, which is shown this once."""
        name = name_column(name)
        project = Project(id=f"prj_{secrets.token_hex(8)}", name=name, created_ms=now_ms())
        bearer = new_bearer()

        def job(connection: Connection) -> None:
            try:
                connection.execute(
                    "INSERT INTO project (id, name, created_ms) VALUES (?,?,?)",
                    (project.id, name, project.created_ms),
                )
            except IntegrityError:
                raise self._taken(name) from None
            insert_bearer(connection, project.id, bearer)

        self._change(job)
        return project, bearer

    def rename(self, id_or_name: str, name: str) -> Project:
        return self.update(id_or_name, name=name)

    def update(
        self,
        id_or_name: str,
        *,
        name: str | None = None,
        aliases: Mapping[str, str] | None = None,
        unknown_model: str | None = None,
        policy: Policy | None = None,
        zone: str | None = None,
    ) -> Project:
        """Change what is given, all of it or nothing; `aliases` and `policy` replace all of it.

        Raises `NotFound`, `BadRequest` for a value that makes no sense, `Conflict`.
        """
        project = self.get(id_or_name)
        values = columns(name, aliases, unknown_model, policy, zone)

        def job(connection: Connection) -> None:
            try:
                for column, value in values.items():
                    connection.execute(
                        f"UPDATE project SET {column}=? WHERE id=?",  # noqa: S608 - named above
                        (value, project.id),
                    )
            except IntegrityError:
                raise self._taken(str(values["name"])) from None

        self._change(job)
        return self.get(project.id)

    def archive(self, id_or_name: str) -> Project:
        """Put a project away: its bearers are refused until `restore`, and nothing is lost."""
        return self._put_away(id_or_name, now_ms())

    def restore(self, id_or_name: str) -> Project:
        """Take a project into use again, with the bearers that it had."""
        return self._put_away(id_or_name, None)

    def delete(self, id_or_name: str) -> Project:
        """Stop the project's bearers, and forget what its programs had kept, what was thought of
        its answers, and what it had wanted of the router. Its requests stay, for the bills."""
        project = self.get(id_or_name)

        def job(connection: Connection) -> None:
            now = now_ms()
            end_bearers(connection, project.id, now)
            forget_kept(connection, project.id)
            connection.execute("DELETE FROM feedback WHERE project_id=?", (project.id,))
            connection.execute(
                "UPDATE budget SET removed_ms=? WHERE project_id=? AND removed_ms IS NULL",
                (now, project.id),
            )
            connection.execute(
                "UPDATE webhook SET removed_ms=? WHERE project_id=? AND removed_ms IS NULL",
                (now, project.id),
            )
            # The name becomes free for a new project, and fits its column with what is added to it.
            # A policy may hold words that are private.
            connection.execute(
                "UPDATE project SET deleted_ms=?, "
                "name=substr(name, 1, 64) || ' (deleted ' || id || ')', "
                "aliases='{}', policy='{}', bias=0 WHERE id=?",
                (now, project.id),
            )

        self._change(job)
        return project

    def ensure_default(self) -> str | None:
        """Make the project `default` at first start and return its bearer; None if it is there."""
        if any(project.name == DEFAULT for project in self._by_id.values()):
            return None
        _, bearer = self.create(DEFAULT)
        return bearer

    def refresh(self) -> None:
        """Read the rows again: somebody else has changed one of them."""
        self._reload()

    def _taken(self, name: str) -> Conflict:
        owner = next((row for row in self._by_id.values() if row.name == name), None)
        hint = ""
        if owner is not None and owner.archived_ms is not None:
            hint = f" It is archived; bring it back with: larouter projects restore {quote(name)}"
        return Conflict(f"There is a project {name!r} already.{hint}", code="project_exists")

    def _put_away(self, id_or_name: str, at_ms: int | None) -> Project:
        project = self.get(id_or_name)
        if (project.archived_ms is None) != (at_ms is None):
            self._change(
                lambda connection: connection.execute(
                    "UPDATE project SET archived_ms=? WHERE id=?", (at_ms, project.id)
                )
            )
        return self.get(project.id)

    def _change(self, job: Callable[[Connection], object]) -> None:
        self._writer.run(job)
        self._reload()

    def _reload(self) -> None:
        def read(
            connection: Connection,
        ) -> tuple[
            list[ProjectTuple], list[tuple[str, str, int | None, str]], list[tuple[str, str]]
        ]:
            projects = connection.execute(
                f"SELECT {COLUMNS} FROM project WHERE deleted_ms IS NULL"  # noqa: S608 - a constant
            ).fetchall()
            bearers = connection.execute(
                "SELECT sha256, project_id, expires_ms, id FROM bearer "
                "WHERE revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)",
                (now_ms(),),
            ).fetchall()
            zones = connection.execute(
                "SELECT id, zone FROM project WHERE zone IS NOT NULL"
            ).fetchall()
            return projects, bearers, zones

        projects, bearers, zones = self._writer.run(read)
        # Parsed here, once for each change: a request finds its project ready made.
        self._by_id = {row[0]: read_project(row) for row in projects}
        self._zones = dict(zones)
        self._by_hash = {
            bytes.fromhex(digest): (
                replace(self._by_id[id], bearer_id=bearer_id), expires_ms, bearer_id,
            )
            for digest, id, expires_ms, bearer_id in bearers
            if id in self._by_id
        }  # fmt: skip


def not_found(id_or_name: str) -> NotFound:
    """Also what one project is told of another: neither an id nor a name says that it is there."""
    return NotFound(f"There is no project {id_or_name!r}.", code="project_not_found")

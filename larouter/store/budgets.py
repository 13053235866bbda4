"""Budgets as rows: make, change, remove, see how they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from larouter.budget import window_at
from larouter.core.budget import ALERTS, METRICS, PERIODS, SCOPES, Budget
from larouter.core.errors import BadRequest, NotFound
from larouter.store.admission import Place, place_of
from larouter.store.rollups import kept_since
from larouter.store.sql import Connection
from larouter.store.writer import Writer, now_ms

MOST_BUDGETS = 50
"""Of one project: each is a statement in every request."""
_MAX_NAME = 100
_MAX_OF = 300
_MOST_MARKS = 10
_MOST = 10**15
"""A million dollars; as many tokens or requests are more than anybody needs."""

_ROWS = """SELECT b.id, b.project_id, b.name, b.metric, b.cap, b.period, b.scope, b.of, b.hard,
 b.alerts, p.zone FROM budget b LEFT JOIN project p ON p.id = b.project_id
 WHERE b.removed_ms IS NULL AND p.deleted_ms IS NULL ORDER BY b.id"""
_INSERT = """INSERT INTO budget
 (project_id, name, metric, cap, period, scope, of, hard, alerts, created_ms)
 VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING id"""
# What was spent in the period before the budget was made belongs to it too.
_BEFORE = """SELECT a.id, r.id, a.state, a.hold_nusd, a.cost_nusd,
 a.input + a.cache_read + a.cache_write_5m + a.cache_write_1h + a.audio + a.image + a.output,
 a.provider, a.model, r.tier
 FROM attempt a JOIN request r ON r.id = a.request_id
 WHERE a.started_ms >= ? AND r.started_ms >= ? AND (CAST(? AS TEXT) IS NULL OR a.project_id = ?)"""
# Of requests that are not kept any more the sums are.
_LONG_BEFORE = """SELECT tier, model, sum(cost_nusd), sum(prompt + output), sum(succeeded)
 FROM usage_quarter WHERE start_ms >= ? AND start_ms < ?
 AND (CAST(? AS TEXT) IS NULL OR project_id = ?) GROUP BY tier, model"""
_TOOK = frozenset({"settled", "estimated", "unknown"})
_HOLD = """INSERT INTO hold (attempt_id, budget_id, start_ms, amount, spent, firm)
 VALUES (?,?,?,?,?,0)"""

# Counts the changes of budgets, so that every process that shares the database follows at once.
_CHANGES = "SELECT value FROM setting WHERE name = 'budget_changes'"
_COUNT_CHANGE = """INSERT INTO setting (name, value) VALUES ('budget_changes', '1')
 ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(setting.value AS BIGINT) + 1 AS TEXT)"""


class Budgets:
    """All budgets in memory, by project: a request costs one look-up. The rows are truth."""

    def __init__(self, writer: Writer, zone: str, *, clock: Callable[[], int] = now_ms) -> None:
        """`zone` is this machine's; a project may have another."""
        self._writer = writer
        self._zone = zone
        self._clock = clock
        self._all: dict[int, Budget] = {}
        self._by_project: dict[str, tuple[Budget, ...]] = {}
        self._machine: tuple[Budget, ...] = ()
        self._changes = ""
        self.reload()

    def reload(self) -> None:
        """Read the rows anew: after a change, and when a project has moved to another zone."""
        self._writer.run(self._read)

    def follow(self, connection: Connection) -> None:
        """In the writer's thread, before a call is let pass: another process may have changed one
        since."""
        if _changes(connection) != self._changes:
            self._read(connection)

    def of(self, project_id: str) -> tuple[Budget, ...]:
        """Those that a request of this project counts for, in the order of their ids."""
        return self._by_project.get(project_id, self._machine)

    def every(self, project_id: str | None = None) -> list[Budget]:
        """All of them; of a project, its own alone."""
        every = self._all.values()
        return [row for row in every if project_id is None or row.project_id == project_id]

    def get(self, id: int) -> Budget:
        """Raises `NotFound`."""
        found = self._all.get(id)
        if found is None:
            raise NotFound(f"There is no budget {id}.", code="budget_not_found")
        return found

    def add(self, budget: Budget) -> Budget:
        """Write a checked budget down (its id is given here) and return it."""
        alike = [row for row in self._all.values() if row.project_id == budget.project_id]
        if len(alike) >= MOST_BUDGETS:
            raise BadRequest(f"A project has at most {MOST_BUDGETS} budgets.")
        now = self._clock()
        row = (
            budget.project_id, budget.name, budget.metric, budget.cap, budget.period,
            budget.scope, budget.of, int(budget.hard), ",".join(map(str, budget.alerts)), now,
        )  # fmt: skip

        def job(connection: Connection) -> int:
            id: int = connection.execute(_INSERT, row).fetchone()[0]
            found = connection.execute(
                "SELECT zone FROM project WHERE id=?", (budget.project_id,)
            ).fetchone()
            zone = (found and found[0]) or self._zone
            _open(connection, replace(budget, id=id, zone=zone), now)
            return id

        return self.get(self._change(job))

    def change(self, id: int, *, cap: int | None, hard: bool | None, name: str | None,
               alerts: tuple[int, ...] | None) -> Budget:  # fmt: skip
        """What is spent stays spent. What a budget counts is never changed: make another one."""
        known = self.get(id)
        values: dict[str, object] = {
            "cap": cap,
            "hard": None if hard is None else int(hard),
            "name": name,
            "alerts": None if alerts is None else ",".join(map(str, alerts)),
        }
        given = {column: value for column, value in values.items() if value is not None}

        def job(connection: Connection) -> None:
            for column, value in given.items():
                connection.execute(f"UPDATE budget SET {column}=? WHERE id=?", (value, id))  # noqa: S608 - the names above
            if hard and not known.hard:
                # What is under way was let pass with a note of what it takes, and no promise.
                connection.execute(
                    "UPDATE hold SET firm=0 WHERE budget_id=? AND spent IS NULL", (id,)
                )

        self._change(job)
        return self.get(id)

    def remove(self, id: int) -> Budget:
        """It limits nothing any more; what it recorded stays."""
        budget = self.get(id)
        now = self._clock()
        self._change(
            lambda connection: connection.execute(
                "UPDATE budget SET removed_ms=? WHERE id=?", (now, id)
            )
        )
        return budget

    def resume(self, id: int) -> Budget:
        """Let calls pass again after an overrun that somebody has looked at."""
        budget = self.get(id)
        self._writer.run(
            lambda connection: connection.execute(
                "UPDATE budget_window SET blocked=0 WHERE budget_id=?", (id,)
            )
        )
        return budget

    def standing(self, budgets: list[Budget]) -> list[Place]:
        """How each stands in its period of now."""
        now = self._clock()
        return self._writer.run(
            lambda connection: [place_of(connection, budget, now) for budget in budgets]
        )

    def _change(self, job: Callable[[Connection], int | object]) -> int:
        before = self._all, self._changes

        def then_read(connection: Connection) -> object:
            result = job(connection)
            connection.execute(_COUNT_CHANGE)
            # In the writer's thread: the next call that it writes down counts for these budgets.
            self._read(connection)
            return result

        try:
            result = self._writer.run(then_read)
        except BaseException:
            self._set(*before)
            raise
        return result if isinstance(result, int) else 0

    def _read(self, connection: Connection) -> None:
        self._set(_read(connection, self._zone), _changes(connection))

    def _set(self, every: dict[int, Budget], changes: str) -> None:
        self._all, self._changes = every, changes
        self._machine = tuple(row for row in every.values() if row.project_id is None)
        owners = {row.project_id for row in every.values() if row.project_id is not None}
        self._by_project = {
            owner: tuple(row for row in every.values() if row.project_id in (None, owner))
            for owner in owners
        }


def checked(
    *,
    project_id: str | None,
    name: str,
    cap: int,
    metric: str = "cost",
    period: str = "monthly",
    scope: str = "all",
    of: str = "",
    hard: bool = True,
    alerts: tuple[int, ...] = ALERTS,
) -> Budget:
    """A budget to add. Raises `BadRequest` that names the field which makes no sense."""
    for field, value, known in (
        ("metric", metric, METRICS), ("period", period, PERIODS), ("scope", scope, SCOPES),
    ):  # fmt: skip
        if value not in known:
            raise BadRequest(f"{field} is one of {', '.join(known)}.", param=field)
    if (scope == "all") != (of == "") or len(of) > _MAX_OF or not (of.isprintable()):
        raise BadRequest(
            "A budget for all has no 'of'; one for a tier, a provider or a model names it there.",
            param="of",
        )
    return Budget(
        id=0,
        project_id=project_id,
        name=checked_name(name),
        metric=metric,
        cap=checked_cap(cap),
        period=period,
        scope=scope,
        of=of,
        hard=hard,
        alerts=checked_alerts(alerts),
    )


def checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _MAX_NAME or not name.isprintable():
        raise BadRequest(
            f"A budget's name has 1 to {_MAX_NAME} printable characters.", param="name"
        )
    return name


def checked_cap(cap: int) -> int:
    if not 0 <= cap <= _MOST:
        raise BadRequest("A budget is from 0 to a million dollars.", param="cap")
    return cap


def checked_alerts(alerts: tuple[int, ...]) -> tuple[int, ...]:
    if len(alerts) > _MOST_MARKS or not all(1 <= mark <= 1000 for mark in alerts):
        raise BadRequest(
            f"alerts are at most {_MOST_MARKS} whole per cents from 1 to 1000.", param="alerts"
        )
    return tuple(sorted(set(alerts)))


def _open(connection: Connection, budget: Budget, at_ms: int) -> None:
    """Count what has been spent since the period began. The marks it has passed already give no
    alert: whoever makes a budget sees how it stands."""
    window = window_at(budget.period, budget.zone, at_ms)
    project = budget.project_id
    opening = spent = reserved = 0
    answered: set[str] = set()
    kept_ms = kept_since(connection)
    before = connection.execute(_BEFORE, (window.start_ms, kept_ms, project, project)).fetchall()
    # What is unknown comes last: a request that has been answered counts for its answer.
    for attempt, request, state, hold, cost, tokens, provider, model, tier in sorted(
        before, key=lambda row: row[2] == "unknown"
    ):
        if _named(budget.scope, tier, provider, model) != budget.of:
            continue
        if state == "pending":
            # It is settled like any other. How many tokens it may take was not written down.
            amount = {"cost": hold or 0, "tokens": 0, "requests": 1}[budget.metric]
            connection.execute(_HOLD, (attempt, budget.id, window.start_ms, amount, None))
            reserved += amount
            continue
        took = {"cost": cost or 0, "tokens": tokens, "requests": 0}[budget.metric]
        if budget.metric == "requests" and state in _TOOK and request not in answered:
            answered.add(request)
            took = 1
        if state == "unknown":
            # Somebody may say yet what became of it.
            connection.execute(_HOLD, (attempt, budget.id, window.start_ms, took, took))
            spent += took
        else:
            opening += took
    for tier, model, cost, tokens, succeeded in connection.execute(
        _LONG_BEFORE, (window.start_ms, kept_ms, project, project)
    ):
        provider = model.partition("/")[0]
        if _named(budget.scope, tier, provider, model) == budget.of:
            opening += {"cost": cost, "tokens": tokens, "requests": succeeded}[budget.metric]
    connection.execute(
        "INSERT INTO budget_window "
        "(budget_id, start_ms, end_ms, opening, spent, reserved, blocked) VALUES (?,?,?,?,?,?,0)",
        (budget.id, *window, opening, opening + spent, reserved),
    )


def _named(scope: str, tier: str, provider: str, model: str) -> str:
    return {"all": "", "tier": tier, "provider": provider, "model": model}[scope]


def _changes(connection: Connection) -> str:
    row = connection.execute(_CHANGES).fetchone()
    return row[0] if row else ""


def _read(connection: Connection, zone: str) -> dict[int, Budget]:
    """All that are in force; `zone` is this machine's."""
    return {row[0]: _budget(row, zone) for row in connection.execute(_ROWS)}


def _budget(row: tuple[Any, ...], zone: str) -> Budget:
    """A row of `_ROWS`; `zone` is this machine's."""
    id, project_id, name, metric, cap, period, scope, of, hard, alerts, project_zone = row
    return Budget(
        id=id,
        project_id=project_id,
        name=name,
        metric=metric,
        cap=cap,
        period=period,
        zone=project_zone or zone,
        scope=scope,
        of=of,
        hard=bool(hard),
        alerts=tuple(map(int, alerts.split(","))) if alerts else (),
    )

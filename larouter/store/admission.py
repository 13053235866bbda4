"""May this call be paid for? What it holds of its budgets, and what it takes of them in the end.

These run inside the transactions of `reserve` and `settle`, in the writer's thread (TRUST B4, B16).
A budget's window is spent + reserved <= cap at all times: one conditional statement says so, and
nothing else adds to `reserved`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from larouter.budget import amount_words, budget_words, renewal_words, window_at
from larouter.core.budget import LEAST_OUTPUT, Bound, Budget, Held
from larouter.core.catalog import Nanodollars
from larouter.core.errors import BudgetExceeded, Unbounded
from larouter.store.alerts import BLOCKED, raise_budget
from larouter.store.setback import put_back, renewal_after
from larouter.store.sql import Connection

if TYPE_CHECKING:
    from larouter.store.settlement import Settlement

_LATEST = """SELECT start_ms, end_ms, spent, reserved, blocked FROM budget_window
 WHERE budget_id=? ORDER BY start_ms DESC LIMIT 1"""
_OPEN = """INSERT INTO budget_window
 (budget_id, start_ms, end_ms, opening, spent, reserved, blocked) VALUES (?,?,?,?,?,0,0)
 ON CONFLICT (budget_id, start_ms) DO NOTHING"""
_TAKE = """UPDATE budget_window SET reserved = reserved + :amount
 WHERE budget_id = :budget AND start_ms = :start AND blocked = 0
  AND spent + reserved + :amount <= :cap"""
_TAKE_SOFT = """UPDATE budget_window SET reserved = reserved + :amount
 WHERE budget_id = :budget AND start_ms = :start"""
_HOLD = "INSERT INTO hold (attempt_id, budget_id, start_ms, amount) VALUES (?,?,?,?)"
_GIVE_BACK = """UPDATE budget_window
 SET reserved = reserved - ?, spent = spent + ?, blocked = CASE WHEN ? = 1 THEN 1 ELSE blocked END
 WHERE budget_id = ? AND start_ms = ? RETURNING spent"""
_HELD = """SELECT h.start_ms, h.amount, h.firm, b.id, b.project_id, b.name, b.metric, b.cap, b.hard,
 b.alerts FROM hold h JOIN budget b ON b.id = h.budget_id WHERE h.attempt_id = ? ORDER BY b.id"""
_CLOSE_HOLD = "UPDATE hold SET spent = ? WHERE attempt_id = ? AND budget_id = ?"

_RECOUNT = """UPDATE budget_window SET
 reserved = coalesce((SELECT sum(h.amount) FROM hold h WHERE h.budget_id = budget_window.budget_id
  AND h.start_ms = budget_window.start_ms AND h.spent IS NULL), 0),
 spent = opening + coalesce((SELECT sum(h.spent) FROM hold h
  WHERE h.budget_id = budget_window.budget_id AND h.start_ms = budget_window.start_ms), 0)
 WHERE reserved > 0"""
_HOLDING = """SELECT w.budget_id, w.start_ms, w.spent, b.cap, b.alerts FROM budget_window w
 JOIN budget b ON b.id = w.budget_id WHERE w.reserved > 0 AND b.removed_ms IS NULL"""
_SPENT = "SELECT spent FROM budget_window WHERE budget_id = ? AND start_ms = ?"


class Place(NamedTuple):
    """A budget, and how its window stands now."""

    budget: Budget
    start_ms: int
    end_ms: int
    spent: int
    reserved: int
    is_blocked: bool

    @property
    def rest(self) -> int:
        return 0 if self.is_blocked else max(0, self.budget.cap - self.spent - self.reserved)


class Granted(NamedTuple):
    """What a call may take."""

    hold: Nanodollars | None
    output: int | None
    """Tokens that its answer may have at most; None: as the client and the model say."""
    held: tuple[Held, ...]


def place_of(connection: Connection, budget: Budget, at_ms: int) -> Place:
    """The budget's window of this moment, opened if it is new.

    A clock that was set back never reopens an older window (TRUST B12); what becomes of the
    budget then, `store/setback.py` says.
    """
    row = connection.execute(_LATEST, (budget.id,)).fetchone()
    if row is None or row[1] <= at_ms:
        window = window_at(budget.period, budget.zone, at_ms)
        # A project that moved to another time zone has no second budget for the same hours.
        spent = row[2] if row is not None and window.start_ms < row[1] else 0
        connection.execute(_OPEN, (budget.id, *window, spent, spent))
        return Place(budget, *window, spent, 0, is_blocked=False)
    start_ms, end_ms, spent, reserved, blocked = row
    if at_ms < start_ms:
        end_ms = min(end_ms, renewal_after(connection, budget, start_ms, at_ms))
        if end_ms <= at_ms:
            put_back(connection, budget, at_ms, end_ms)
            return place_of(connection, budget, at_ms)
    return Place(budget, start_ms, end_ms, spent, reserved, is_blocked=bool(blocked))


def grant(connection: Connection, budgets: Sequence[Budget], bound: Bound, at_ms: int) -> Granted:
    """Hold the most that the call can take of each budget, or of none of them.

    Where less is left than its longest answer may cost, a shorter one is granted, of
    `LEAST_OUTPUT` tokens at least (TRUST B5). Raises `BudgetExceeded`.
    """
    counted = [budget for budget in budgets if budget.metric != "cost" or not bound.price.is_free]
    places = [place_of(connection, budget, at_ms) for budget in counted]
    hard = [place for place in places if place.budget.hard]
    for place in hard:
        if place.rest < 1:
            raise exceeded(place, None)
    hard = [place for place in hard if place.budget.metric != "requests"]
    if hard and bound.tool is not None:
        raise _unbounded(hard[0].budget, bound.tool)
    output = _longest(hard, bound) if hard else bound.output
    # Without a limit and without a hard budget the hold is a note, of the prompt alone.
    hold, tokens = bound.cost(output or 0), bound.tokens(output or 0)
    held = []
    for place in places:
        amount = _amount(place.budget.metric, hold, tokens)
        _take(connection, place, amount)
        held.append(Held(place.budget, place.start_ms, amount))
    return Granted(hold, None if output == bound.output else output, tuple(held))


def keep(connection: Connection, attempt_id: int, held: Sequence[Held]) -> None:
    """Write down which attempt holds what."""
    for budget, start_ms, amount, _ in held:
        connection.execute(_HOLD, (attempt_id, budget.id, start_ms, amount))


def held_of(connection: Connection, attempt_id: int) -> list[Held]:
    """What an attempt holds, of budgets that were removed meanwhile too."""
    return [
        Held(_limit(*limit), start_ms, amount, firm=bool(firm))
        for start_ms, amount, firm, *limit in connection.execute(_HELD, (attempt_id,))
    ]


def give_back(
    connection: Connection, settled: Settlement, held: Sequence[Held], *, is_charged: bool = False
) -> bool:
    """Take what the attempt cost, and no longer what it could have. True: it cost more.

    `is_charged`: all that it held has been taken already, as nobody knew what it cost."""
    overran = False
    for budget, start_ms, amount, firm in held:
        spent = _taken(budget.metric, settled, amount)
        is_over = budget.hard and firm and spent > amount
        overran |= is_over
        returned, taken = (0, spent - amount) if is_charged else (amount, spent)
        (total,) = connection.execute(
            _GIVE_BACK, (returned, taken, int(is_over), budget.id, start_ms)
        ).fetchone()
        connection.execute(_CLOSE_HOLD, (spent, settled.attempt_id, budget.id))
        marks = _passed(budget.alerts, budget.cap, total - taken, total)
        for mark in [*marks, BLOCKED] if is_over else marks:
            raise_budget(connection, budget.id, start_ms, mark, total, budget.cap, settled.ended_ms)
    return overran


def recount(connection: Connection, at_ms: int) -> None:
    """Count the windows in which something was held anew, from what each attempt held and took;
    tell of the marks that they pass by it."""
    holding = connection.execute(_HOLDING).fetchall()
    connection.execute(_RECOUNT)
    for budget_id, start_ms, spent, cap, alerts in holding:
        (total,) = connection.execute(_SPENT, (budget_id, start_ms)).fetchone()
        for mark in _passed(_marks(alerts), cap, spent, total):
            raise_budget(connection, budget_id, start_ms, mark, total, cap, at_ms)


def exceeded(place: Place, needed: int | None) -> BudgetExceeded:
    """The refusal, in words that say which budget, how it stands and when it renews."""
    budget = place.budget
    name = budget_words(budget)
    if place.is_blocked:
        return BudgetExceeded(
            f"A call cost more than {name} had set aside for it, so nothing more is sent until "
            f"you have looked at it: larouter budgets resume {budget.id}."
        )
    if budget.project_id is None:
        # A project does not learn what the others spend.
        return BudgetExceeded(
            f"{name[0].upper()}{name[1:]} for this whole machine has too little left. "
            f"{renewal_words(budget, place.end_ms)}"
        )
    said = f"{name[0].upper()}{name[1:]} is used up: {amount_words(budget.metric, place.spent)}"
    said += " spent"
    if place.reserved:
        said += f", {amount_words(budget.metric, place.reserved)} held by requests under way"
    if needed is not None:
        said = said.replace("is used up", "has too little left")
        said += f"; this one may take {amount_words(budget.metric, needed)}"
    return BudgetExceeded(f"{said}. {renewal_words(budget, place.end_ms)}")


def _unbounded(budget: Budget, tool: str) -> Unbounded:
    name = budget_words(budget) if budget.project_id else f"{budget_words(budget)} of this machine"
    return Unbounded(
        f"The provider itself runs '{tool}' and bills it, and nobody can say how often; {name} "
        f"has to know the most that a call can take. Leave '{tool}' out, or let the budget only "
        f"tell: larouter budgets change {budget.id} --soft",
        param="tools",
    )


def _passed(marks: Sequence[int], cap: int, before: int, now: int) -> list[int]:
    """The marks, in per cent, between these two; what was passed before was told before."""
    return [mark for mark in marks if before * 100 < cap * mark <= now * 100]


def _longest(hard: Sequence[Place], bound: Bound) -> int:
    """How long the answer may get."""
    output = bound.longest(_least(hard, "cost"), _least(hard, "tokens"))
    if output is None:
        raise _too_dear(hard, bound)
    return output


def _least(places: Sequence[Place], metric: str) -> int | None:
    return min((place.rest for place in places if place.budget.metric == metric), default=None)


def _too_dear(hard: Sequence[Place], bound: Bound) -> BudgetExceeded:
    """Of several budgets the one that has the least left is told of."""
    most = LEAST_OUTPUT if bound.output is None else min(bound.output, LEAST_OUTPUT)
    cost = bound.cost(most)
    needs = {"cost": cost, "tokens": bound.tokens(most), "requests": 1}
    if cost is None and any(place.budget.metric == "cost" for place in hard):
        place = next(place for place in hard if place.budget.metric == "cost")
        return BudgetExceeded(
            f"Nobody knows what this model costs, and {budget_words(place.budget)} is for calls "
            "whose price is known. Add its price to the catalogue, or ask for another model."
        )
    place = next(p for p in hard if p.rest < (needs[p.budget.metric] or 0))
    return exceeded(place, needs[place.budget.metric])


def _amount(metric: str, hold: Nanodollars | None, tokens: int) -> int:
    return 1 if metric == "requests" else tokens if metric == "tokens" else hold or 0


def _taken(metric: str, settled: Settlement, amount: int) -> int:
    """What an attempt takes in the end. Of what nobody knows, all that it held (TRUST B9)."""
    if settled.state in ("released", "failed"):
        return 0
    if metric == "requests":
        return int(settled.final)
    if settled.state == "unknown":
        return amount
    usage = settled.usage
    return usage.prompt + usage.output if metric == "tokens" else settled.cost or 0


def _limit(
    id: int, project_id: str | None, name: str, metric: str, cap: int, hard: int, alerts: str
) -> Budget:
    """As much of a budget as a settlement needs."""
    return Budget(
        id=id, project_id=project_id, name=name, metric=metric, cap=cap, hard=bool(hard),
        alerts=_marks(alerts),
    )  # fmt: skip


def _marks(alerts: str) -> tuple[int, ...]:
    return tuple(map(int, alerts.split(","))) if alerts else ()


def _take(connection: Connection, place: Place, amount: int) -> None:
    budget = place.budget
    values = {"amount": amount, "budget": budget.id, "start": place.start_ms, "cap": budget.cap}
    if not budget.hard:
        values.pop("cap")
        connection.execute(_TAKE_SOFT, values)
    elif connection.execute(_TAKE, values).rowcount == 0:
        raise exceeded(place, amount)

"""Anything in any order: the ledger and its budgets beside a model of them that fits on a page.

Hypothesis reserves, settles in time and late, kills the process, resolves, and makes, changes and
removes budgets while calls are under way. After each step every budget stands where the model says,
a call passes exactly when the model says so and with as long an answer, and the books add up
(TRUST B2, B4, B5, B9, B10, B15).
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from larouter.core.budget import LEAST_OUTPUT
from larouter.core.chat import Usage
from larouter.core.errors import BudgetExceeded, Conflict
from larouter.store.bookkeeping import Bookkeeping
from larouter.store.budgets import Budgets, checked
from larouter.store.feed import Feed
from larouter.store.invariants import violations
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.rollups import Rollups, differences
from larouter.store.runs import Run
from larouter.store.sqlite import SqliteFile
from larouter.store.writer import Writer
from tests.store.bills import CLOUD, LOCAL, MODELS, Book

pytestmark = pytest.mark.slow

IN, OUT = 1_250, 10_000
"""What a token costs with `CLOUD`, in nano-dollars."""
TIERS = ("SIMPLE", "FRONTIER")
LONGEST_S = 15
"""What is found wrong takes longer: it is told by its shortest story."""


@dataclass
class Limit:
    """A budget as the model has it."""

    metric: str
    cap: int
    hard: bool
    scope: str
    of: str
    spent: int = 0
    held: dict[int, int] = field(default_factory=dict)
    """By attempt."""
    informal: set[int] = field(default_factory=set)
    """Attempts that were let pass when this limited nothing: what they hold is no promise."""
    taken: dict[int, int] = field(default_factory=dict)
    blocked: bool = False
    removed: bool = False

    @property
    def rest(self):
        return self.cap - self.spent - sum(self.held.values())

    def covers(self, call):
        named = {"all": "", "tier": call.tier, "model": call.model.key}[self.scope]
        return named == self.of


@dataclass
class Call:
    """An attempt as the model has it."""

    tier: str
    model: object
    hold: int
    state: str = "pending"
    cost: int = 0
    tokens: int = 0
    was_taken_for_dead: bool = False
    """Nobody has said yet what became of it; its own process may."""


def price(model, prompt, output):
    return 0 if model is LOCAL else IN * prompt + OUT * output


class Machine(RuleBasedStateMachine):
    under_way = Bundle("under_way")
    ended = Bundle("ended")
    limits = Bundle("limits")
    path: Path
    """Of an empty database."""
    ends: float
    """No new story is begun after this time."""

    @initialize()
    def begin(self):
        assume(time.monotonic() < self.ends)
        self.calls: dict[int, Call] = {}
        self.known: dict[int, Limit] = {}
        self.writer = Writer(SqliteFile(self.path))
        self.writer.batch = self.rollups = Rollups(lambda project_id: "UTC")
        self.prices = record_prices(self.writer, MODELS)
        self.book = Book(self.writer, None)
        self.project = self.book.project
        self._serve()

    def _serve(self):
        """As at a start: a run of its own, and budgets as the rows have them."""
        self.run = Run(self.writer, self.rollups)
        self.run.recover()
        self.budgets = Budgets(self.writer, "UTC")
        self.book.ledger = Ledger(
            self.writer, run_id=self.run.id, price_versions=self.prices, feed=Feed(),
            rollups=self.rollups, budgets=self.budgets.of,
        )  # fmt: skip

    @rule(
        target=under_way, model=st.sampled_from([CLOUD, CLOUD, LOCAL]), tier=st.sampled_from(TIERS),
        prompt=st.integers(0, 2_000), output=st.integers(0, 2_000),
    )  # fmt: skip
    def reserve(self, model, tier, prompt, output):
        call = Call(tier, model, 0)
        binding = [
            limit for limit in self.known.values()
            if not limit.removed and limit.covers(call)
            and not (limit.metric == "cost" and model is LOCAL)
        ]  # fmt: skip
        longest = self._longest(binding, model, prompt, output)
        try:
            attempt = self.book.reserve(model, prompt=prompt, output=output, tier=tier)
        except BudgetExceeded:
            assert longest is None
            return multiple()
        assert longest is not None
        assert attempt.max_output == (None if longest == output else longest)
        call.hold = price(model, prompt, longest)
        assert attempt.hold == call.hold
        self.calls[attempt.id] = call
        for limit in binding:
            limit.held[attempt.id] = {
                "cost": call.hold, "tokens": prompt + longest, "requests": 1,
            }[limit.metric]  # fmt: skip
            if not limit.hard:
                limit.informal.add(attempt.id)
        return attempt

    @staticmethod
    def _longest(binding, model, prompt, output):
        """How long the answer may be; None: there is too little left."""
        longest = output
        for limit in binding:
            if not limit.hard:
                continue
            if limit.blocked or limit.rest < 1:
                return None
            if limit.metric == "cost":
                longest = min(longest, (limit.rest - IN * prompt) // OUT)
            elif limit.metric == "tokens":
                longest = min(longest, limit.rest - prompt)
        return longest if longest >= min(output, LEAST_OUTPUT) else None

    @rule(
        target=ended, attempt=consumes(under_way), prompt=st.integers(0, 2_000),
        output=st.integers(0, 2_000),
        state=st.sampled_from(["settled", "settled", "estimated", "failed", "released", "unknown"]),
    )  # fmt: skip
    def settle(self, attempt, prompt, output, state):
        call = self.calls[attempt.id]
        told = state in ("settled", "estimated")
        self.book.settle(
            attempt, state, usage=Usage(input=prompt, output=output) if told else Usage()
        )
        if call.state != "pending" and (state == "unknown" or not call.was_taken_for_dead):
            return attempt  # nothing more is known than when its process was taken for dead
        call.state, call.tokens = state, (prompt + output) * told
        call.cost = {"unknown": call.hold}.get(state, price(call.model, prompt, output) * told)
        took = {
            "cost": call.cost, "tokens": call.tokens, "requests": int(told or state == "unknown"),
        }  # fmt: skip
        if call.was_taken_for_dead:
            self._correct(attempt.id, took)
        else:
            self._end(attempt.id, took)
        return attempt

    def _correct(self, id, took):
        """It was charged at what it held."""
        self.calls[id].was_taken_for_dead = False
        for limit in self.known.values():
            if id not in limit.taken:
                continue
            held, limit.taken[id] = limit.taken[id], took[limit.metric]
            limit.spent += took[limit.metric] - held
            if took[limit.metric] > held and limit.hard and id not in limit.informal:
                limit.blocked = True

    def _end(self, id, took):
        state = self.calls[id].state
        for limit in self.known.values():
            if id not in limit.held:
                continue
            held = limit.held.pop(id)
            taken = held if state == "unknown" else took[limit.metric]
            limit.taken[id] = taken
            limit.spent += taken
            if taken > held and limit.hard and id not in limit.informal:
                limit.blocked = True

    @rule(attempt=ended, output=st.integers(0, 2_000))
    def settle_again(self, attempt, output):
        self.book.settle(attempt, usage=Usage(output=output))

    @rule()
    def kill_and_start(self):
        self._serve()
        for id, call in self.calls.items():
            if call.state == "pending":
                call.state, call.cost, call.was_taken_for_dead = "unknown", call.hold, True
                self._end(id, {})

    @rule(
        attempt=st.one_of(ended, under_way), prompt=st.integers(0, 2_000),
        output=st.integers(0, 2_000), arrived=st.booleans(),
    )  # fmt: skip
    def resolve(self, attempt, prompt, output, arrived):
        call = self.calls[attempt.id]
        keeping = Bookkeeping(self.writer, self.rollups)
        usage = Usage(input=prompt, output=output) if arrived else None
        if call.state != "unknown":
            with pytest.raises(Conflict):
                keeping.resolve(attempt.id, usage)
            return
        before = call.cost
        call.state = "settled" if arrived else "released"
        call.was_taken_for_dead = False
        call.cost = price(call.model, prompt, output) * arrived
        call.tokens = (prompt + output) * arrived
        assert keeping.resolve(attempt.id, usage) == (before, call.cost)
        for limit in self.known.values():
            if attempt.id in limit.taken:
                taken = {
                    "cost": call.cost, "tokens": call.tokens,
                    "requests": limit.taken[attempt.id] * arrived,
                }[limit.metric]  # fmt: skip
                limit.spent += taken - limit.taken[attempt.id]
                limit.taken[attempt.id] = taken

    @precondition(lambda self: sum(not limit.removed for limit in self.known.values()) < 4)
    @rule(
        target=limits, metric=st.sampled_from(["cost", "cost", "tokens", "requests"]),
        cap=st.integers(0, 12), hard=st.booleans(), scope=st.sampled_from(["all", "tier", "model"]),
        tier=st.sampled_from(TIERS), is_machines=st.booleans(),
    )  # fmt: skip
    def add_budget(self, metric, cap, hard, scope, tier, is_machines):
        cap = cap * {"cost": 5_000_000, "tokens": 800, "requests": 1}[metric]
        of = {"all": "", "tier": tier, "model": CLOUD.key}[scope]
        budget = self.budgets.add(
            checked(
                project_id=None if is_machines else self.project.id, name="Cap", cap=cap,
                metric=metric, period="total", scope=scope, of=of, hard=hard,
            )
        )  # fmt: skip
        limit = self.known[budget.id] = Limit(metric, cap, hard, scope, of)
        for id, call in self.calls.items():
            if not limit.covers(call):
                continue
            known = {
                "cost": call.cost, "tokens": call.tokens,
                "requests": int(call.state in ("settled", "estimated", "unknown")),
            }[metric]  # fmt: skip
            if call.state == "pending":
                # What it may take at most was not written down of every kind.
                limit.held[id] = {"cost": call.hold, "tokens": 0, "requests": 1}[metric]
                limit.informal.add(id)
            else:
                limit.taken[id] = known
                limit.spent += known
                limit.informal.add(id)
        return budget.id

    @rule(id=limits, cap=st.integers(0, 12), hard=st.one_of(st.none(), st.booleans()))
    def change_budget(self, id, cap, hard):
        limit = self.known[id]
        if limit.removed:
            return
        limit.cap = cap * {"cost": 5_000_000, "tokens": 800, "requests": 1}[limit.metric]
        if hard and not limit.hard:
            limit.informal |= limit.held.keys()
        limit.hard = limit.hard if hard is None else hard
        self.budgets.change(id, cap=limit.cap, hard=hard, name=None, alerts=None)

    @rule(id=limits)
    def remove_budget(self, id):
        if not self.known[id].removed:
            self.known[id].removed = True
            self.budgets.remove(id)

    @rule(id=limits)
    def resume_budget(self, id):
        if not self.known[id].removed:
            self.known[id].blocked = False
            self.budgets.resume(id)

    @invariant()
    def stands_as_the_model_says(self):
        if not hasattr(self, "writer"):
            return
        told = self.writer.run(
            lambda connection: connection.execute(
                "SELECT budget_id, spent, reserved, blocked FROM budget_window"
            ).fetchall()
        )
        assert {row[0]: row[1:] for row in told} == {
            id: (limit.spent, sum(limit.held.values()), int(limit.blocked))
            for id, limit in self.known.items()
        }

    @invariant()
    def adds_up(self):
        if not hasattr(self, "writer"):
            return
        attempts = self.writer.run(
            lambda connection: connection.execute(
                "SELECT id, state, coalesce(cost_nusd, 0) FROM attempt"
            ).fetchall()
        )
        assert attempts == [(id, call.state, call.cost) for id, call in self.calls.items()]
        assert self.writer.run(violations) == []
        assert self.writer.run(differences) == []

    def teardown(self):
        if hasattr(self, "writer"):
            self.writer.close()


def test_anything_in_any_order(fresh, tmp_path):
    class Fresh(Machine):
        ends = time.monotonic() + LONGEST_S
        number = 0

        def __init__(self):
            Fresh.number += 1
            self.path = shutil.copy(fresh, tmp_path / f"{Fresh.number}.db")
            super().__init__()

        def teardown(self):
            super().teardown()
            self.path.unlink()

    run_state_machine_as_test(
        Fresh,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip

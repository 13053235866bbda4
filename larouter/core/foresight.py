"""What would become of a request if it were sent now, with its project's limits and budgets.

`POST /v1/route` asks this. Nothing is sent, held, counted or written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from larouter.core.account import Project
from larouter.core.accounting import record_of
from larouter.core.budget import Bound
from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.errors import BudgetExceeded, LARouterError, Unbounded
from larouter.core.ports import Ledger
from larouter.core.rates import BYTES_PER_TOKEN, Rates, crowd
from larouter.core.route import Decision, Gate


class Foreseen(Struct, frozen=True, kw_only=True):
    """A decision, and what stands in its way."""

    decision: Decision
    """With a gate for the model that no budget would pay for."""
    refusal: LARouterError | None = None
    """What would be raised in place of an answer."""
    max_output: int | None = None
    """Tokens that a budget would leave for the answer; None: no budget limits it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """Goes the way of the gateway, up to where something would be sent."""

    decide: Callable[[ChatRequest], Decision]
    free: Callable[[ChatRequest], Decision | None]
    """Who may answer for nothing what no budget pays for."""
    ledger: Ledger
    bound: Callable[[Model, ChatRequest], Bound]
    rates: Rates
    in_flight: Mapping[str, int]

    def of(self, project: Project, request: ChatRequest) -> Foreseen:
        """Raises the refusal of a request that nothing can serve."""
        decision = self.decide(request)
        refusal = self._at_the_door(project.id, request)
        if refusal is not None:
            return Foreseen(decision=decision, refusal=refusal)
        foreseen = self._paid(project, request, decision)
        if isinstance(foreseen.refusal, BudgetExceeded):
            free = self.free(request)
            cheaper = foreseen if free is None else self._paid(project, request, free)
            if not isinstance(cheaper.refusal, BudgetExceeded):
                return cheaper
        return foreseen

    def _at_the_door(self, project_id: str, request: ChatRequest) -> LARouterError | None:
        policy = request.policy
        crowded = crowd(self.in_flight.get(project_id, 0), policy)
        return crowded or self.rates.refusal(project_id, policy, request.size // BYTES_PER_TOKEN)

    def _paid(self, project: Project, request: ChatRequest, decision: Decision) -> Foreseen:
        choice = decision.choices[0]
        record = record_of("", project, request, decision, 0)
        try:
            output = self.ledger.foresee(record, choice, self.bound(choice.model, request))
        except (BudgetExceeded, Unbounded) as refusal:
            words = f"would not be paid for: {refusal.message}"
            gate = Gate(model=choice.model.key, why="budget", by="budget", words=words)
            stopped = replace(decision, gates=(*decision.gates, gate))
            return Foreseen(decision=stopped, refusal=refusal)
        except LARouterError as refusal:
            return Foreseen(decision=decision, refusal=refusal)
        return Foreseen(decision=decision, max_output=output)

"""What would become of a request: as the gateway does it, and with nothing left behind."""

import pytest

from larouter.core.account import Project
from larouter.core.errors import BudgetExceeded, StorageDown, TooManyRequests, Unbounded
from larouter.core.foresight import Foresight
from larouter.core.policy import Policy
from tests.fakes import CLOUD, LOCAL, House, a_request, with_fields

PROJECT = Project(id="p", name="mine")
DEGRADES = Policy(when_spent="local")


class Budgeted(House):
    """A request over budget is decided anew, among what is free."""

    def _decide(self, request):
        self.models = [LOCAL] if request.over_budget else [CLOUD]
        return super()._decide(request)


@pytest.fixture
def house():
    return Budgeted()


@pytest.fixture
def foresee(house):
    gateway = house.gateway
    foresight = Foresight(
        decide=gateway.decide, free=gateway.free, ledger=house.ledger, bound=gateway.bound,
        rates=gateway.rates, in_flight=gateway.in_flight,
    )  # fmt: skip
    return lambda policy=PROJECT.policy: foresight.of(
        PROJECT, with_fields(a_request(), policy=policy)
    )


def test_what_would_be_answered(foresee, house):
    house.ledger.rest = 300

    foreseen = foresee()

    assert foreseen.decision.choices[0].model == CLOUD
    assert (foreseen.refusal, foreseen.max_output) == (None, 300)
    assert house.log == []


def test_what_no_budget_pays_for(foresee, house):
    house.ledger.spent = {CLOUD.key}

    foreseen = foresee()

    assert isinstance(foreseen.refusal, BudgetExceeded)
    (gate,) = foreseen.decision.gates
    assert (gate.model, gate.why, gate.by) == (CLOUD.key, "budget", "budget")
    assert gate.words == "would not be paid for: There is nothing left."
    assert house.log == []


def test_who_would_answer_for_nothing_instead(foresee, house):
    house.ledger.spent = {CLOUD.key}

    foreseen = foresee(DEGRADES)

    assert foreseen.decision.choices[0].model == LOCAL
    assert foreseen.refusal is None


def test_a_budget_may_leave_nothing_of_what_is_free_either(foresee, house):
    house.ledger.spent = {CLOUD.key, LOCAL.key}

    foreseen = foresee(DEGRADES)

    assert isinstance(foreseen.refusal, BudgetExceeded)
    assert foreseen.decision.choices[0].model == CLOUD


@pytest.mark.parametrize(("error", "gates"), [(Unbounded("a tool"), 1), (StorageDown("full"), 0)])
def test_what_else_a_budget_refuses(foresee, house, error, gates):
    house.ledger.down = {"reserve": error}

    foreseen = foresee(DEGRADES)

    assert foreseen.refusal is error
    assert len(foreseen.decision.gates) == gates


def test_a_limit_of_the_last_minute_is_seen_and_not_used_up(foresee, house):
    policy = Policy(requests_per_minute=1)

    assert [foresee(policy).refusal for _ in range(2)] == [None, None]
    house.gateway.rates.ask(PROJECT.id, policy, 1)

    refusal = foresee(policy).refusal
    assert isinstance(refusal, TooManyRequests)
    assert refusal.code == "rate_limit_exceeded"


def test_too_many_at_once(foresee, house):
    house.gateway.in_flight[PROJECT.id] = 2

    refusal = foresee(Policy(parallel=2)).refusal

    assert isinstance(refusal, TooManyRequests)
    assert refusal.code == "too_many_in_flight"
    assert foresee(Policy(parallel=3)).refusal is None

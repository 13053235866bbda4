"""What the gateway does where a budget has too little left (TRUST B4, B5)."""

from dataclasses import replace

import pytest

from larouter.core.account import Project
from larouter.core.budget import bound_of
from larouter.core.errors import BudgetExceeded, UpstreamError
from larouter.core.policy import Policy
from larouter.wire.chat.writer import DONE
from tests.fakes import CLOUD, LOCAL, OTHER, House, a_request, with_fields

DEGRADES = Policy(when_spent="local")


class Budgeted(House):
    """A request over budget is decided anew, among what is free."""

    def _decide(self, request):
        self.decided = [*getattr(self, "decided", []), request.over_budget]
        if request.over_budget and self.free is None:
            raise BudgetExceeded("nobody is free")
        self.models = [self.free] if request.over_budget else [CLOUD, OTHER]
        return super()._decide(request)

    free = LOCAL


@pytest.fixture
def house():
    return Budgeted()


@pytest.fixture
def broke(house):
    house.ledger.spent = {CLOUD.key, OTHER.key}
    return house


def test_nothing_is_sent_and_one_row_says_why(broke):
    with pytest.raises(BudgetExceeded):
        broke.ask()

    assert broke.log == ["refused 429"]
    assert broke.ledger.refused[0][1:] == (429, "insufficient_quota")
    assert broke.in_flight == 0
    assert broke.decided == [False]


def test_a_project_may_want_what_is_free_instead(broke):
    broke.local.will(broke.reply(b"data: hi\n\n"))

    answer = broke.ask(with_fields(a_request(), policy=DEGRADES))

    assert b"".join(answer) == b"data: hi\n\n" + DONE
    assert answer.attempt.model == LOCAL
    assert broke.ledger.refused == []
    assert broke.decided == [False, True]


def test_the_most_that_a_call_can_take_is_asked_of_whoever_knows(house):
    asked = []

    def bound(model, request):
        asked.append(model.key)
        return bound_of(model, request, 7_000)

    gateway = replace(house.gateway, bound=bound)
    house.cloud.will(house.reply(b"data: hi\n\n"))
    request = a_request()

    answer = gateway.answer(Project(id="p", name="mine"), request, "req_1", house.leaving)
    answer.close()

    assert asked == [CLOUD.key]
    assert answer.attempt.hold == bound_of(CLOUD, request, 7_000).cost(1_000)


def test_where_nothing_is_free_the_refusal_names_the_budget(broke):
    broke.free = None

    with pytest.raises(BudgetExceeded) as caught:
        broke.ask(with_fields(a_request(), policy=DEGRADES))

    assert caught.value.message == "There is nothing left."
    assert broke.log == ["refused 429"]


def test_a_budget_may_leave_nothing_of_what_is_free_either(broke):
    broke.ledger.spent.add(LOCAL.key)

    with pytest.raises(BudgetExceeded):
        broke.ask(with_fields(a_request(), policy=DEGRADES))

    assert broke.log == ["refused 429"]


def test_a_dearer_model_is_not_asked_after_a_failure(house):
    house.ledger.spent = {OTHER.key}
    house.cloud.will(UpstreamError("busy", sent=False))

    with pytest.raises(BudgetExceeded):
        house.ask()

    assert house.states == ["released"]
    assert not house.ledger.last.final
    assert house.log[-1] == "refused 429"


def test_an_answer_is_asked_to_be_as_short_as_the_budget_leaves(house):
    house.ledger.rest = 300
    house.cloud.will(house.reply())

    answer = house.ask(a_request(max_tokens=900))

    assert house.cloud.calls[0][1].max_output == 300
    assert answer.attempt.max_output == 300

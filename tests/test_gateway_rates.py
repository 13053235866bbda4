"""How much a project may ask at once: what is above costs nothing and is counted nowhere."""

import pytest

from larouter.core.errors import TooManyRequests
from larouter.core.policy import Policy
from tests.fakes import CLOUD, USAGE, House, a_request, with_fields


@pytest.fixture
def house():
    house = House()
    house.models = [CLOUD]
    house.cloud.will(*(house.reply() for _ in range(3)))
    return house


def test_what_is_above_leaves_no_trace(house):
    request = with_fields(a_request(), policy=Policy(requests_per_minute=1))
    list(house.ask(request))
    before = list(house.log)

    with pytest.raises(TooManyRequests):
        house.ask(request)

    assert house.log == before
    assert house.in_flight == 0


def test_an_answer_counts_with_what_it_took(house):
    request = with_fields(a_request(), policy=Policy(tokens_per_minute=1_000))

    answer = house.ask(request)
    before = answer.asked.standing(request.policy)[1].left
    list(answer)

    assert before == 1_000 - request.size // 4
    assert answer.asked.standing(request.policy)[1].left == 1_000 - USAGE.prompt - USAGE.output


def test_a_project_without_limits_is_not_counted(house):
    assert house.ask().asked is None


def test_a_project_may_have_fewer_beside_each_other(house):
    request = with_fields(a_request(), policy=Policy(parallel=1))
    first = house.ask(request)

    with pytest.raises(TooManyRequests) as caught:
        house.ask(request)
    assert caught.value.code == "too_many_in_flight"

    first.close()
    house.ask(request)

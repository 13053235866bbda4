"""What a call may cost, what becomes of it, and how many there may be."""

from __future__ import annotations

import pytest

from larouter.core.account import Project
from larouter.core.catalog import Model
from larouter.core.errors import (
    EngineDown,
    ModelNotFound,
    StorageDown,
    TooManyRequests,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
)
from larouter.core.ports import Leaving
from larouter.core.rates import PER_PROJECT
from tests.fakes import CLOUD, LOCAL, OTHER, House, a_request


@pytest.fixture
def house():
    return House()


@pytest.mark.parametrize(
    ("model", "fields", "hold"),
    [
        (LOCAL, {}, 0),
        (CLOUD, {}, 1_000 * 10_000),
        (CLOUD, {"max_tokens": 10}, 10 * 10_000),
        (CLOUD, {"max_tokens": 5_000}, 1_000 * 10_000),
        (CLOUD, {"max_tokens": 10, "n": 3}, 30 * 10_000),
        (OTHER, {"max_tokens": 7}, 7 * 10_000),
    ],
)
def test_the_hold_is_an_upper_bound(house, model, fields, hold):
    house.models = [model]
    for provider in (house.cloud, house.other, house.local):
        provider.will(house.reply())
    request = a_request(**fields)

    attempt = house.ask(request).attempt

    prompt = 0 if model.price.is_free else request.size * 2_000
    assert attempt.hold == prompt + hold


def test_an_unknown_price_has_no_hold(house):
    house.models = [Model(id="x", name="x", provider="cloud")]
    house.cloud.will(house.reply())

    answer = house.ask()
    list(answer)

    assert answer.attempt.hold is None
    assert answer.cost is None


# What becomes of an attempt that brought nothing.


@pytest.mark.parametrize(
    ("model", "error", "state"),
    [
        (CLOUD, UpstreamRefused("no", status=400), "failed"),
        (CLOUD, UpstreamError("never connected", sent=False), "released"),
        (CLOUD, UpstreamTimeout("gave up", sent=False), "released"),
        (CLOUD, UpstreamError("cut"), "unknown"),
        (CLOUD, UpstreamTimeout("silent"), "unknown"),
        (LOCAL, EngineDown("down"), "released"),
        (LOCAL, UpstreamTimeout("silent"), "failed"),
        (LOCAL, ModelNotFound("not here"), "failed"),
    ],
)
def test_what_becomes_of_an_attempt(house, model, error, state):
    house.models = [model]
    house.cloud.will(error)
    house.local.will(error)

    with pytest.raises(type(error)):
        house.ask()

    assert house.states == [state]


def test_a_surprise_before_the_answer_is_written_down(house):
    house.cloud.will(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        house.ask()

    assert house.states == ["unknown"]
    assert (house.ledger.last.status, house.ledger.last.error) == (500, "crash")
    assert house.other.calls == []
    assert house.in_flight == 0


def test_a_surprise_in_the_answer_is_written_down(house):
    house.cloud.will(house.reply(b"1", ZeroDivisionError()))

    with pytest.raises(ZeroDivisionError):
        list(house.ask())

    assert house.states == ["estimated"]
    assert house.ledger.last.error == "crash"


def test_a_settlement_that_failed_is_tried_again(house):
    house.cloud.will(house.reply(b"1"))
    house.ledger.down["settle"] = StorageDown("The disk is full.")
    frames = iter(house.ask())
    assert next(frames) == b"1"

    said = next(frames)
    del house.ledger.down["settle"]
    assert list(frames) == []

    assert b"The disk is full." in said
    assert house.states == ["estimated"]
    assert house.in_flight == 0


# One project does not take it all.


def test_a_project_has_so_many_requests_at_once(house):
    house.cloud.will(*(house.reply() for _ in range(PER_PROJECT + 1)))
    answers = [house.ask() for _ in range(PER_PROJECT)]

    with pytest.raises(TooManyRequests) as caught:
        house.ask()

    assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
    assert len(house.ledger.attempts) == PER_PROJECT
    answers[0].close()
    house.ask()


def test_another_project_is_not_held_up(house):
    house.cloud.will(*(house.reply() for _ in range(PER_PROJECT + 1)))
    for _ in range(PER_PROJECT):
        house.ask()

    other = Project(id="q", name="other")

    assert house.gateway.answer(other, a_request(), "req_2", Leaving()).choice.model == CLOUD

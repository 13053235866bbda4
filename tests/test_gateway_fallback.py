"""What the gateway does after a failure: tries again, asks another, leaves alone (A1–A4, B9)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from larouter.core.errors import (
    BadRequest,
    CannotCarry,
    ContextExceeded,
    LARouterError,
    StorageDown,
    Unavailable,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
)
from larouter.core.ports import Leaving
from larouter.wire.chat.writer import DONE
from tests.fakes import CLOUD, LOCAL, OTHER, House


@pytest.fixture
def house():
    return House()


def _busy(**fields):
    return UpstreamError("busy", **{"sent": False, "retryable": True, **fields})


def _keys(house):
    return [attempt.model.key for attempt in house.ledger.attempts]


def _finals(house):
    return [outcome.final for outcome in house.ledger.outcomes.values()]


def _fails(house):
    with pytest.raises(LARouterError) as caught:
        house.ask()
    return caught.value


def _break_down(house, model=CLOUD):
    for _ in range(5):
        house.gateway.breaker.failed(model.key)


# Retries.


def test_what_may_pass_by_itself_is_tried_again_and_each_try_is_an_attempt(house):
    house.cloud.will(_busy(), _busy(), house.reply(b"data: hi\n\n"))

    answer = house.ask()

    assert b"".join(answer) == b"data: hi\n\n" + DONE
    assert answer.choice.degraded is None
    assert house.log == [
        "reserve cloud/smart", "call cloud/smart", "released cloud/smart",
        "reserve cloud/smart", "call cloud/smart", "released cloud/smart",
        "reserve cloud/smart", "call cloud/smart", "settled cloud/smart", "upstream closed",
    ]  # fmt: skip
    assert _finals(house) == [False, False, True]
    assert house.pauses == [0.25, 0.5]


def test_after_two_retries_the_next_model_is_asked_at_once(house):
    house.cloud.will(_busy(), _busy(), _busy())
    house.other.will(house.reply())

    assert house.ask().choice.degraded == "provider-down"
    assert _keys(house) == [CLOUD.key] * 3 + [OTHER.key]
    assert len(house.pauses) == 2


@pytest.mark.parametrize(("asked_s", "pauses"), [(2, [2]), (30, [30]), (31, [])])
def test_a_provider_is_waited_for_as_long_as_it_asks_up_to_30_s(house, asked_s, pauses):
    house.cloud.will(
        UpstreamRefused("slow down", status=429, retryable=True, retry_after_s=asked_s),
        house.reply(),
    )
    house.other.will(house.reply())

    answer = house.ask()

    assert house.pauses == pauses
    assert answer.choice.model == (CLOUD if pauses else OTHER)
    assert house.states == ["failed"]


def test_a_wait_that_is_too_long_is_the_clients_to_make(house):
    house.models = [CLOUD]
    house.cloud.will(UpstreamRefused("full", status=429, retryable=True, retry_after_s=99))

    with pytest.raises(UpstreamRefused) as caught:
        house.ask()

    assert (caught.value.status, caught.value.retry_after_s) == (429, 99)
    assert house.pauses == []


def test_what_was_sent_and_not_answered_is_never_sent_again_to_the_same_model(house):
    house.cloud.will(UpstreamTimeout("silent"))
    house.other.will(house.reply(b"hi"))

    assert b"".join(house.ask()) == b"hi" + DONE
    assert _keys(house) == [CLOUD.key, OTHER.key]
    assert house.states == ["unknown", "settled"]
    assert house.pauses == []


def test_the_hold_is_released_before_the_pause(house):
    house.cloud.will(_busy(), house.reply())
    house.in_the_pause = lambda: house.log.append("pause")

    house.ask()

    assert house.log[2:5] == ["released cloud/smart", "pause", "reserve cloud/smart"]


def test_a_ledger_that_fails_ends_the_retries(house):
    house.cloud.will(_busy(), house.reply())
    house.in_the_pause = lambda: house.ledger.down.update(reserve=StorageDown("full"))

    with pytest.raises(StorageDown):
        house.ask()

    assert len(house.cloud.calls) == 1
    assert house.in_flight == 0


# A client that leaves.


def test_for_who_leaves_in_the_pause_nothing_more_is_sent(house):
    house.cloud.will(_busy())
    house.in_the_pause = house.leaving.fire

    with pytest.raises(UpstreamError):
        house.ask()

    assert len(house.cloud.calls) == 1
    assert house.other.calls == []
    assert house.states == ["released", "released"]
    assert _finals(house) == [False, True]
    assert (house.ledger.last.status, house.ledger.last.error) == (499, "client_left")
    assert house.in_flight == 0


def test_a_leave_says_nothing_about_the_model(house):
    for _ in range(5):
        house.cloud.will(house.leaving.fire, UpstreamError("broke"))
        with pytest.raises(UpstreamError):
            house.ask()
        house.leaving = Leaving()

    assert not house.gateway.breaker.is_open(CLOUD.key)


# Who answers instead.


@pytest.mark.parametrize(
    ("error", "state", "degraded"),
    [
        (CannotCarry("no word for it"), "released", "policy"),
        (UpstreamRefused("gone", status=404), "failed", "provider-down"),
        (UpstreamRefused("full", status=429), "failed", "provider-down"),
        (UpstreamError("bad key", status=401, sent=False), "released", "provider-down"),
        (UpstreamError("broke"), "unknown", "provider-down"),
    ],
)
def test_another_answers(house, error, state, degraded):
    house.cloud.will(error)
    house.other.will(house.reply())

    answer = house.ask()

    assert (answer.choice.model, answer.choice.degraded) == (OTHER, degraded)
    assert house.states == [state]


@pytest.mark.parametrize(
    "error", [BadRequest("wrong"), UpstreamRefused("wrong", status=400, code="wrong")]
)
def test_a_wrong_request_is_shown_to_nobody_else(house, error):
    house.cloud.will(error)

    with pytest.raises(type(error)):
        house.ask()

    assert house.other.calls == []
    assert _finals(house) == [True]


@pytest.mark.parametrize(
    "error",
    [
        ContextExceeded("too long"),
        UpstreamRefused("too long", status=400, code=ContextExceeded.code),
    ],
)
def test_a_prompt_that_is_too_long_goes_to_a_larger_context_only(house, error):
    large = replace(LOCAL, context=200_000)
    house.models = [replace(CLOUD, context=8_000), replace(OTHER, context=8_000), large]
    house.cloud.will(error)
    house.local.will(house.reply())

    answer = house.ask()

    assert (answer.choice.model, answer.choice.degraded) == (large, "context")
    assert house.other.calls == []


def test_without_a_larger_context_the_client_learns_that_it_is_too_long(house):
    house.models = [replace(CLOUD, context=8_000), OTHER]
    house.cloud.will(UpstreamRefused("too long", status=400, code=ContextExceeded.code))

    with pytest.raises(UpstreamRefused) as caught:
        house.ask()

    assert (caught.value.status, caught.value.code) == (400, "context_length_exceeded")


# Models that rest.


def test_a_model_that_rests_is_not_called(house):
    _break_down(house)
    house.other.will(house.reply())

    assert house.ask().choice.degraded == "provider-down"
    assert _keys(house) == [OTHER.key]


def test_when_all_rest_the_request_has_a_row_and_no_attempt(house):
    house.models = [CLOUD, OTHER]
    _break_down(house, OTHER)
    house.clock.advance(0.5)
    _break_down(house, CLOUD)

    with pytest.raises(Unavailable) as caught:
        house.ask()

    error = caught.value
    assert (error.status, error.code, error.retry_after_s) == (503, "provider_resting", 5)
    assert "cloud/smart has failed several times in a row" in error.message
    assert house.log == ["refused 503"]
    assert house.ledger.refused[0][1:] == (503, "provider_resting")
    assert house.in_flight == 0


def test_a_model_that_fails_often_is_left_alone_until_a_probe_succeeds(house):
    house.models = [CLOUD]
    house.cloud.will(*[UpstreamError("broke") for _ in range(6)], house.reply())
    for _ in range(5):
        assert _fails(house).status == 502

    rests_s = [_fails(house).retry_after_s]
    house.clock.advance(5)
    probe = _fails(house)
    rests_s.append(_fails(house).retry_after_s)
    house.clock.advance(10)

    assert house.ask().choice.degraded is None
    assert (probe.status, rests_s) == (502, [5, 10])
    assert len(house.cloud.calls) == 7
    assert not house.gateway.breaker.is_open(CLOUD.key)


def test_retries_end_when_the_model_begins_to_rest(house):
    house.models = [CLOUD]
    house.cloud.will(*[_busy() for _ in range(5)])
    for _ in range(2):
        with pytest.raises(UpstreamError):
            house.ask()

    assert len(house.cloud.calls) == 5
    assert house.states == ["released"] * 5
    assert _finals(house) == [False, False, True, False, True]


@pytest.mark.parametrize(
    "error",
    [
        UpstreamError("bad key", status=401, sent=False),
        UpstreamRefused("no model", status=404),
        UpstreamRefused("wrong", status=400),
        UpstreamRefused("wrong", status=422),
    ],
)
def test_what_the_client_or_the_key_caused_never_blocks_the_next_request(house, error):
    house.models = [CLOUD]
    house.cloud.will(*[error] * 9, house.reply())
    for _ in range(9):
        with pytest.raises(UpstreamError):
            house.ask()

    assert house.ask().choice.model == CLOUD


@pytest.mark.parametrize(
    ("begin", "error"),
    [
        (lambda house: house.cloud.will(house.leaving.fire, UpstreamError("broke")), UpstreamError),
        (lambda house: house.cloud.will(ZeroDivisionError()), ZeroDivisionError),
        (lambda house: house.ledger.down.update(reserve=StorageDown("full")), StorageDown),
    ],
    ids=["left", "crashed", "unwritten"],
)
def test_a_probe_that_says_nothing_leaves_its_turn_to_the_next_request(house, begin, error):
    house.models = [CLOUD]
    _break_down(house)
    house.clock.advance(5)
    begin(house)
    with pytest.raises(error):
        house.ask()
    house.ledger.down.clear()
    house.leaving = Leaving()
    house.cloud.will(house.reply())

    assert house.ask().choice.model == CLOUD

"""The promises of `gateway.py`, by their numbers."""

from __future__ import annotations

import pytest

from larouter.core.chat import Usage
from larouter.core.drains import MOST
from larouter.core.errors import (
    EngineDown,
    ModelNotFound,
    StorageDown,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
)
from larouter.core.policy import Policy
from larouter.wire.chat.writer import DONE
from tests.fakes import CLOUD, LOCAL, OTHER, USAGE, FakeReply, House, a_request, with_fields


@pytest.fixture
def house():
    return House()


# 1. Status before stream.


@pytest.mark.parametrize(
    "error", [UpstreamRefused("no", status=400), UpstreamTimeout("late"), EngineDown("down")]
)
def test_a_call_that_fails_is_an_error_and_no_answer(house, error):
    house.models = [CLOUD]
    house.cloud.will(error)

    with pytest.raises(type(error)) as caught:
        house.ask()

    assert caught.value is error
    assert house.ledger.last.status == error.status
    assert house.ledger.last.error == error.code
    assert house.ledger.last.final
    assert house.in_flight == 0


def test_a_request_that_nothing_can_serve_has_one_row_and_no_attempt(house):
    house.refusal = ModelNotFound("no such model")

    with pytest.raises(ModelNotFound):
        house.ask(a_request(model="strange", stream=True))

    assert house.log == ["refused 404"]
    record, status, code = house.ledger.refused[0]
    assert (status, code, record.asked) == (404, "model_not_found", "strange")
    assert (record.tier, record.stage, record.stream) == ("-", "-", True)
    assert house.in_flight == 0


def test_a_decision_names_at_least_one_model(house):
    house.models = []

    with pytest.raises(AssertionError):
        house.ask()


# 2. Fall back before the first event, never after.


def test_the_next_model_answers_when_the_first_cannot(house):
    house.cloud.will(UpstreamError("busy", sent=False))
    house.other.will(house.reply(b"data: hi\n\n"))

    answer = house.ask()

    assert b"".join(answer) == b"data: hi\n\n" + DONE
    assert answer.choice.model == OTHER
    assert answer.choice.degraded == "provider-down"
    assert house.states == ["released", "settled"]
    assert [outcome.final for outcome in house.ledger.outcomes.values()] == [False, True]
    assert [attempt.degraded for attempt in house.ledger.attempts] == [None, "provider-down"]


def test_a_local_engine_that_is_down_says_so(house):
    house.models = [LOCAL, CLOUD]
    house.local.will(EngineDown("loading failed"))
    house.cloud.will(house.reply())

    assert house.ask().choice.degraded == "engine-down"
    assert house.states == ["released"]


def test_each_fallback_is_reserved_for_itself(house):
    house.cloud.will(UpstreamError("busy"))
    house.other.will(UpstreamTimeout("late"))
    house.local.will(house.reply(b"x"))

    list(house.ask())

    assert house.log == [
        "reserve cloud/smart", "call cloud/smart", "unknown cloud/smart",
        "reserve other/other", "call other/other", "unknown other/other",
        "reserve local/small", "call local/small", "settled local/small", "upstream closed",
    ]  # fmt: skip


def test_when_all_fail_the_last_error_is_shown(house):
    house.cloud.will(UpstreamError("first"))
    house.other.will(UpstreamError("second"))
    house.local.will(EngineDown("third"))

    with pytest.raises(EngineDown, match="third"):
        house.ask()

    assert [outcome.final for outcome in house.ledger.outcomes.values()] == [False, False, True]


def test_a_refusal_is_final(house):
    house.cloud.will(UpstreamRefused("too long", status=422, retry_after_s=7))

    with pytest.raises(UpstreamRefused) as caught:
        house.ask()

    assert (caught.value.status, caught.value.retry_after_s) == (422, 7)
    assert house.states == ["failed"]


def test_after_the_first_event_nobody_else_is_asked(house):
    house.cloud.will(house.reply(b"data: hi\n\n", UpstreamError("broke")))

    frames = list(house.ask())

    assert frames[0] == b"data: hi\n\n"
    assert len(house.ledger.attempts) == 1
    assert house.other.calls == []


# 3. Settled before the end, exactly once.


def test_the_last_bytes_leave_after_the_settlement(house):
    house.cloud.will(house.reply(b"data: 1\n\n"))

    seen = [(frame, dict(house.ledger.outcomes)) for frame in house.ask()]

    assert seen[0] == (b"data: 1\n\n", {})
    assert seen[1][0] == DONE
    assert seen[1][1][1].state == "settled"
    assert seen[1][1][1].usage == USAGE


def test_a_whole_answer_is_settled_before_it_is_handed_out(house):
    house.cloud.will(FakeReply(usage=None, end=b'{"choices": []}'))
    answer = house.ask()
    answer.reply.usage = USAGE

    assert answer.finish() == b'{"choices": []}'
    answer.close()

    assert house.ledger.last.usage == USAGE
    assert house.ledger.last.provider_id == "chatcmpl-1"
    assert answer.cost == 100 * 2_000 + 10 * 10_000


def test_usage_that_did_not_come_is_estimated(house):
    house.cloud.will(house.reply(b"1", b"2", usage=None))

    list(house.ask())

    assert house.ledger.last.state == "estimated"
    assert house.ledger.last.usage == Usage(input=1, output=2)
    assert (house.ledger.last.status, house.ledger.last.error) == (200, None)


def test_closing_again_changes_nothing(house):
    house.cloud.will(house.reply(b"1"))
    answer = house.ask()

    list(answer)
    answer.close()
    answer.close()

    assert house.states == ["settled"]
    assert house.in_flight == 0


def test_an_answer_that_cannot_be_written_down_does_not_end_well(house):
    house.cloud.will(house.reply(b"data: 1\n\n"))
    answer = house.ask()
    house.ledger.down["settle"] = StorageDown("the disk is full")

    frames = list(answer)

    assert DONE not in frames
    assert b"the disk is full" in frames[-1]


def test_without_a_row_nothing_is_sent(house):
    house.ledger.down["reserve"] = StorageDown("the disk is full")

    with pytest.raises(StorageDown):
        house.ask()

    assert house.cloud.calls == []
    assert house.in_flight == 0


# 4. A disconnect stops the spending.


def test_a_client_that_leaves_stops_the_upstream_first(house):
    house.cloud.will(house.reply(b"1", b"2", b"3"))
    answer = house.ask()
    frames = iter(answer)
    next(frames)
    next(frames)

    frames.close()

    assert house.log[-2:] == ["upstream closed", "estimated cloud/smart"]
    assert house.ledger.last.usage == Usage(input=1, output=2)
    assert (house.ledger.last.status, house.ledger.last.error) == (499, "client_left")
    assert house.in_flight == 0


DRAINS = with_fields(a_request(stream=True), policy=Policy(when_left="drain"))


def _left_after_one(house, request=DRAINS):
    frames = iter(house.ask(request))
    next(frames)
    frames.close()


def test_a_project_may_want_the_exact_usage_of_a_stream_that_was_left(house):
    house.cloud.will(house.reply(b"1", b"2", b"3"))

    _left_after_one(house)

    assert house.log[-3:] == ["reads on", "settled cloud/smart", "upstream closed"]
    assert house.ledger.last.usage == USAGE
    assert (house.ledger.last.status, house.ledger.last.error) == (499, "client_left")
    assert house.gateway.drains.take()
    assert house.in_flight == 0


def test_what_does_not_come_to_its_end_is_estimated(house):
    reply = house.reply(b"1", b"2", b"3")
    reply.reads_on = False
    house.cloud.will(reply)

    _left_after_one(house)

    assert house.states == ["estimated"]


def test_an_answer_that_is_whole_is_not_read_on(house):
    house.cloud.will(house.reply(b"1"))

    b"".join(house.ask(DRAINS))

    assert "reads on" not in house.log
    assert house.states == ["settled"]


@pytest.mark.parametrize("policy", [Policy(), Policy(when_left="drain")])
def test_a_local_model_stops_at_once(house, policy):
    house.models = [LOCAL]
    house.local.will(house.reply(b"1", b"2"))

    _left_after_one(house, with_fields(DRAINS, policy=policy))

    assert "reads on" not in house.log
    assert house.states == ["estimated"]


def test_only_so_many_are_read_on_at_once(house):
    while house.gateway.drains.take():
        pass
    house.cloud.will(house.reply(b"1", b"2"))

    _left_after_one(house)

    assert house.states == ["estimated"]


def test_a_place_is_given_back_where_no_answer_came(house):
    house.cloud.will(lambda: house.leaving.read_on(), house.leaving.fire, UpstreamError("broke"))

    with pytest.raises(UpstreamError):
        house.ask(DRAINS)

    assert not house.leaving.reads_on
    taken = 0
    while house.gateway.drains.take():
        taken += 1
    assert taken == MOST


def test_an_answer_that_was_never_begun_is_closed_too(house):
    house.cloud.will(house.reply(b"1"))

    house.ask().close()

    assert house.states == ["estimated"]
    assert house.ledger.last.status == 499


def test_a_stream_that_the_leave_broke_is_the_clients(house):
    house.cloud.will(house.reply(b"1", house.leaving.fire, UpstreamError("broke")))

    *_, last = list(house.ask())

    # Who still reads was cut off by our own stop.
    assert b"LARouter is stopping" in last

    assert (house.ledger.last.status, house.ledger.last.error) == (499, "client_left")


def test_who_leaves_before_the_first_event_is_not_answered_by_another(house):
    house.cloud.will(house.leaving.fire, UpstreamError("broke"))

    with pytest.raises(UpstreamError):
        house.ask()

    assert house.ledger.last.status == 499
    assert house.states == ["unknown"]
    assert house.other.calls == []


# 5 and 6. Two short transactions; the price is that of the reservation.


def test_reserved_before_the_call_and_settled_after_it(house):
    house.cloud.will(house.reply(b"1"))

    list(house.ask())

    assert house.log == [
        "reserve cloud/smart", "call cloud/smart", "settled cloud/smart", "upstream closed",
    ]  # fmt: skip


def test_the_row_says_what_was_asked_and_when(house):
    house.cloud.will(lambda: house.clock.advance(0.25), house.reply())

    list(house.ask())

    record = house.ledger.attempts[0].request
    assert (record.id, record.asked, record.tier, record.stage) == (
        "req_1", "auto", "COMPLEX", "rules",
    )  # fmt: skip
    assert (record.score, record.reason, record.stream) == (0.7, "said", False)
    assert record.started_ms == 1_790_000_000_000
    assert house.ledger.last.first_ms == 250


# 7. Errors speak the caller's dialect.


def test_a_broken_stream_ends_with_an_error_event_and_no_end(house):
    house.cloud.will(house.reply(b"data: 1\n\n", UpstreamTimeout("stopped")))

    *_, last = list(house.ask())

    assert last.startswith(b'data: {"error":{"message":"stopped"')
    assert DONE not in last
    assert house.ledger.last.state == "estimated"
    assert (house.ledger.last.status, house.ledger.last.error) == (502, "upstream_timeout")

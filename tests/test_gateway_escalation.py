"""A local answer that is no good is asked for one tier up, before the client has seen any of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from larouter.core.errors import StorageDown, UpstreamError
from larouter.core.events import Finished, Folded, TextDelta
from larouter.core.faults import Heard
from larouter.core.policy import Policy
from larouter.wire.chat.writer import DONE
from tests.fakes import CLOUD, LOCAL, OTHER, USAGE, House, a_request, with_fields

GOOD = Heard(answer=Folded([TextDelta("Four."), Finished("stop")]), ended=True)
EMPTY = Heard(answer=Folded([Finished("stop")]), ended=True)
UNSURE = Heard(answer=Folded([TextDelta("Four")]), logprobs=[-5.0] * 16)
BROKEN = Heard(answer=Folded(), broken=True)
HOLDING = with_fields(a_request(stream=True), policy=Policy(hold_first_tokens=True))


@pytest.fixture
def house():
    house = House()
    house.models, house.escalations = [LOCAL], [CLOUD]
    return house


@pytest.fixture
def told(house):
    """Whom the gateway has told of a fault, and of which."""
    told: list[tuple] = []
    house.gateway = replace(house.gateway, on_escalation=lambda *what: told.append(what))
    return told


def _finals(house):
    return [outcome.final for _, outcome in sorted(house.ledger.outcomes.items())]


def _under_way(house):
    return [house.gateway.pace.under_way(model) for model in (LOCAL, CLOUD, OTHER)]


def test_a_good_answer_is_passed_on(house, told):
    house.local.will(house.reply(b"data: hi\n\n", says=GOOD))

    answer = house.ask()

    assert b"".join(answer) == b"data: hi\n\n" + DONE
    assert answer.decision.stage == "rules"
    assert told == []


def test_an_empty_answer_is_asked_for_one_tier_up(house, told):
    first = house.reply(says=EMPTY)
    house.local.will(first)
    house.cloud.will(house.reply(b"data: hi\n\n"))

    answer = house.ask()

    assert b"".join(answer) == b"data: hi\n\n" + DONE
    assert answer.attempt.model == CLOUD
    assert answer.decision.stage == "escalated"
    assert answer.decision.reason == ("the local answer was empty: asked cloud/smart instead; said")
    assert first.closed
    assert told == [("p", "req_1", "empty")]


def test_both_attempts_are_accounted(house):
    house.local.will(house.reply(says=EMPTY))
    house.cloud.will(house.reply())

    b"".join(house.ask())

    assert house.states == ["settled", "settled"]
    assert _finals(house) == [False, True]
    assert [outcome.usage for outcome in house.ledger.outcomes.values()] == [USAGE, USAGE]
    records = [attempt.request for attempt in house.ledger.attempts]
    assert [record.stage for record in records] == ["rules", "escalated"]
    assert records[1].reason.startswith("the local answer was empty")
    assert house.log == [
        "reserve local/small", "call local/small", "reserve cloud/smart", "call cloud/smart",
        "upstream closed", "settled local/small", "settled cloud/smart", "upstream closed",
    ]  # fmt: skip
    assert house.in_flight == 0
    assert _under_way(house) == [0, 0, 0]


def test_without_usage_it_is_estimated(house):
    house.local.will(house.reply(says=EMPTY, usage=None))
    house.cloud.will(house.reply())

    b"".join(house.ask())

    assert house.states == ["estimated", "settled"]


@pytest.mark.parametrize("error", [UpstreamError("busy", sent=False), UpstreamError("broke")])
def test_the_first_answer_stands_where_nobody_answers(house, error):
    first = house.reply(b"data: so\n\n", says=EMPTY)
    house.local.will(first)
    house.cloud.will(error)

    answer = house.ask()

    assert b"".join(answer) == b"data: so\n\n" + DONE
    assert answer.attempt.model == LOCAL
    assert answer.decision.stage == "rules"
    assert answer.decision.reason == (
        "the local answer was empty, and cloud/smart did not answer; said"
    )
    assert [outcome.status for outcome in house.ledger.outcomes.values()] == [error.status, 200]
    assert [outcome.final for outcome in house.ledger.outcomes.values()] == [False, True]
    assert answer.attempt.request.reason == answer.decision.reason
    assert house.in_flight == 0
    assert _under_way(house) == [0, 0, 0]


def test_its_pace_is_not_learnt_then(house):
    house.local.will(house.reply(says=EMPTY))
    house.cloud.will(lambda: house.clock.advance(60), UpstreamError("broke"))

    b"".join(house.ask())

    assert house.gateway.pace.forecast(LOCAL, 10, 10) is None


def test_nobody_is_asked_who_rests(house):
    house.local.will(house.reply(says=EMPTY))
    for _ in range(5):
        house.gateway.breaker.failed(CLOUD.key)

    answer = house.ask()

    assert b"".join(answer) == DONE
    assert house.cloud.calls == []
    assert house.ledger.refused == []
    assert _finals(house) == [True]


def test_the_next_one_is_asked_when_the_first_of_them_fails(house):
    house.escalations = [CLOUD, OTHER]
    house.local.will(house.reply(says=EMPTY))
    house.cloud.will(UpstreamError("busy", sent=False))
    house.other.will(house.reply(b"data: hi\n\n"))

    answer = house.ask()

    assert b"".join(answer) == b"data: hi\n\n" + DONE
    assert answer.choice.degraded == "provider-down"
    assert [attempt.model for attempt in house.ledger.attempts] == [LOCAL, CLOUD, OTHER]
    assert [outcome.final for outcome in house.ledger.outcomes.values()] == [False, False, True]


@pytest.mark.parametrize(
    "change",
    [
        lambda house: setattr(house, "escalations", []),
        lambda house: setattr(house, "models", [OTHER]),
    ],
)
def test_what_is_not_judged(house, told, change):
    change(house)
    for provider in (house.local, house.other):
        provider.will(house.reply(says=EMPTY))

    answer = house.ask()

    assert b"".join(answer) == DONE
    assert answer.reply.enough is None
    assert told == []


def test_what_nobody_understands_is_passed_on(house):
    house.local.will(house.reply(b"data: hi\n\n", says=None))

    assert b"".join(house.ask()) == b"data: hi\n\n" + DONE


def test_a_client_that_has_left_is_asked_nothing_for(house, told):
    house.local.will(house.leaving.fire, house.reply(says=EMPTY))

    b"".join(house.ask())

    assert house.cloud.calls == []
    assert told == []


def test_a_client_that_leaves_meanwhile(house):
    house.local.will(house.reply(says=EMPTY))
    house.cloud.will(house.leaving.fire, UpstreamError("the client left"))

    house.ask().close()

    assert [outcome.status for outcome in house.ledger.outcomes.values()] == [499, 499]
    assert [outcome.final for outcome in house.ledger.outcomes.values()] == [False, True]
    assert house.in_flight == 0


def test_a_stream_is_judged_by_its_first_tokens_only_where_the_project_says_so(house):
    house.local.will(house.reply(b"data: so\n\n", says=UNSURE))
    house.cloud.will(house.reply(b"data: hi\n\n"))

    as_ever = b"".join(house.ask(a_request(stream=True)))
    house.local.will(house.reply(b"data: so\n\n", says=UNSURE))
    held = house.ask(HOLDING)

    assert as_ever == b"data: so\n\n" + DONE
    assert b"".join(held) == b"data: hi\n\n" + DONE
    assert held.decision.reason.startswith("the local model was unsure: asked cloud/smart")


def test_a_stream_that_breaks_before_its_first_word(house):
    house.local.will(house.reply(UpstreamError("broke"), says=BROKEN))
    house.cloud.will(house.reply(b"data: hi\n\n"))

    assert b"".join(house.ask(a_request(stream=True))) == b"data: hi\n\n" + DONE
    assert house.states == ["estimated", "settled"]


def test_a_crash_settles_both(house):
    house.local.will(house.reply(says=EMPTY))
    house.cloud.will(RuntimeError("bug"))

    with pytest.raises(RuntimeError):
        house.ask()

    assert [outcome.error for outcome in house.ledger.outcomes.values()] == ["crash", "crash"]
    assert house.in_flight == 0
    assert _under_way(house) == [0, 0, 0]


def test_a_crash_of_whoever_is_told_is_settled(house):
    def crash(*what):
        raise RuntimeError("bug")

    house.gateway = replace(house.gateway, on_escalation=crash)
    house.local.will(house.reply(says=EMPTY))

    with pytest.raises(RuntimeError):
        house.ask()

    assert (house.ledger.last.error, house.ledger.last.final) == ("crash", True)
    assert house.in_flight == 0


def test_a_ledger_that_fails_between_the_two_stops_neither(house):
    house.local.will(house.reply(says=EMPTY))
    house.cloud.will(
        lambda: house.ledger.down.update(settle=StorageDown("full")),
        house.reply(b"data: hi\n\n"),
    )

    answer = house.ask()
    house.ledger.down.clear()

    assert b"".join(answer) == b"data: hi\n\n" + DONE
    assert [*house.ledger.outcomes] == [2]  # the first row stays pending: the next start closes it


def test_a_bug_in_the_ledger_leaves_nothing_under_way(house):
    house.local.will(house.reply(says=EMPTY))
    house.cloud.will(lambda: house.ledger.down.update(settle=RuntimeError("bug")), house.reply())

    with pytest.raises(RuntimeError):
        house.ask()

    assert house.in_flight == 0
    assert house.gateway.pace.under_way(LOCAL) == 0

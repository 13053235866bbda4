"""Whose turn it is after each kind of failure, and after what pause (TRUST A2, A3, A4)."""

import pytest

from larouter.core.breaker import Breaker
from larouter.core.catalog import FREE, Model
from larouter.core.errors import (
    BadRequest,
    CannotCarry,
    ContextExceeded,
    EngineDown,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
)
from larouter.core.fallback import Fallback
from larouter.core.route import Choice
from tests.fakes import Clock

FIRST = Model(id="first", name="first", provider="cloud", context=8_000)
SECOND = Model(id="second", name="second", provider="other", context=200_000)
THIRD = Model(id="third", name="third", provider="third", context=8_000)
LOCAL = Model(id="small", name="small", provider="local", price=FREE)
BUSY = UpstreamError("busy", sent=False, retryable=True)


class Walk:
    """A fallback over these models; dice that always fall the same way."""

    def __init__(self, *models, dice=0.5, **degraded):
        self.clock = Clock()
        self.breaker = Breaker(self.clock)
        self.choices = [Choice(model=model, **degraded) for model in models]
        self.dice = dice

    def begin(self):
        return Fallback(self.choices, self.breaker, lambda: self.dice)

    def break_down(self, model):
        """Let it fail until it is left alone."""
        for _ in range(5):
            self.breaker.failed(model.key)


def _turn(fallback):
    return fallback.choice and (fallback.choice.model, fallback.choice.degraded)


def _refused(status, **fields):
    return UpstreamRefused("no", status=status, **fields)


TOO_LONG = [ContextExceeded("too long"), _refused(400, code=ContextExceeded.code)]


def test_the_first_choice_begins():
    fallback = Walk(FIRST, SECOND).begin()

    assert _turn(fallback) == (FIRST, None)
    assert fallback.pause_s == 0


def test_why_a_choice_stands_in_is_kept():
    assert _turn(Walk(FIRST, degraded="no-key").begin()) == (FIRST, "no-key")


# Retries.


def test_what_may_pass_by_itself_is_tried_twice_more():
    fallback = Walk(FIRST, SECOND).begin()

    turns = [(fallback.failed(BUSY), _turn(fallback)) for _ in range(3)]

    assert turns == [
        (True, (FIRST, None)), (True, (FIRST, None)), (True, (SECOND, "provider-down")),
    ]  # fmt: skip


@pytest.mark.parametrize(("dice", "pauses"), [(0.0, [0, 0]), (0.5, [0.25, 0.5]), (1.0, [0.5, 1.0])])
def test_the_pause_is_any_up_to_one_that_doubles(dice, pauses):
    fallback = Walk(FIRST, dice=dice).begin()
    taken = []
    for _ in pauses:
        fallback.failed(BUSY)
        taken.append(fallback.pause_s)

    assert taken == pauses


@pytest.mark.parametrize(("asked_s", "pause_s"), [(None, 0.25), (0, 0.25), (1, 1), (30, 30)])
def test_the_pause_is_what_the_provider_asks_for(asked_s, pause_s):
    fallback = Walk(FIRST).begin()

    assert fallback.failed(_refused(429, retryable=True, retry_after_s=asked_s))

    assert fallback.pause_s == pause_s


def test_a_longer_pause_is_not_waited_for():
    fallback = Walk(FIRST, SECOND).begin()

    assert fallback.failed(_refused(429, retryable=True, retry_after_s=31))

    assert _turn(fallback) == (SECOND, "provider-down")
    assert fallback.pause_s == 0


def test_each_model_has_its_own_retries():
    fallback = Walk(FIRST, SECOND).begin()
    for _ in range(5):
        assert fallback.failed(BUSY)

    assert _turn(fallback) == (SECOND, "provider-down")
    assert not fallback.failed(BUSY)
    assert fallback.choice is None


def test_the_next_model_is_not_waited_for():
    fallback = Walk(FIRST, SECOND).begin()
    for _ in range(3):
        fallback.failed(BUSY)

    assert fallback.pause_s == 0


def test_what_was_sent_and_not_answered_goes_to_another_model_only():
    fallback = Walk(FIRST, SECOND).begin()

    assert fallback.failed(UpstreamTimeout("silent"))

    assert _turn(fallback) == (SECOND, "provider-down")


def test_a_model_that_begins_to_rest_is_not_tried_again():
    walk = Walk(FIRST, SECOND)
    for _ in range(4):
        walk.breaker.failed(FIRST.key)
    fallback = walk.begin()

    assert fallback.failed(BUSY)

    assert _turn(fallback) == (SECOND, "provider-down")


def test_only_a_call_can_fail():
    fallback = Walk().begin()

    with pytest.raises(AssertionError):
        fallback.failed(BUSY)


# Who may answer instead.


@pytest.mark.parametrize(
    ("error", "degraded"),
    [
        (UpstreamError("broke"), "provider-down"),
        (UpstreamError("no key", status=401, sent=False), "provider-down"),
        (UpstreamError("no key", status=403, sent=False), "provider-down"),
        (_refused(404), "provider-down"),
        (_refused(429), "provider-down"),
        (CannotCarry("no word for it"), "policy"),
        (TOO_LONG[0], "context"),
        (TOO_LONG[1], "context"),
    ],
)
def test_another_may_answer(error, degraded):
    fallback = Walk(FIRST, SECOND).begin()

    assert fallback.failed(error)

    assert _turn(fallback) == (SECOND, degraded)


@pytest.mark.parametrize("error", [*map(_refused, (400, 409, 413, 415, 422)), BadRequest("no")])
def test_a_wrong_request_is_as_wrong_elsewhere(error):
    assert not Walk(FIRST, SECOND).begin().failed(error)


def test_after_the_last_choice_nobody_is_left():
    fallback = Walk(FIRST).begin()

    assert not fallback.failed(UpstreamError("broke"))
    assert fallback.choice is None


def test_an_engine_that_is_down_says_so():
    fallback = Walk(LOCAL, FIRST).begin()

    assert fallback.failed(EngineDown("down"))

    assert _turn(fallback) == (FIRST, "engine-down")


@pytest.mark.parametrize("error", TOO_LONG)
def test_a_prompt_that_is_too_long_goes_to_a_larger_context_only(error):
    fallback = Walk(FIRST, THIRD, LOCAL, SECOND).begin()

    assert fallback.failed(error)

    assert fallback.choice.model == SECOND


def test_without_a_larger_context_a_long_prompt_stays_refused():
    assert not Walk(SECOND, FIRST, LOCAL).begin().failed(ContextExceeded("too long"))


def test_what_was_too_long_once_stays_so():
    fallback = Walk(FIRST, SECOND, THIRD).begin()
    fallback.failed(ContextExceeded("too long"))

    assert not fallback.failed(UpstreamError("broke"))


def test_a_context_that_nobody_knows_rules_nobody_out():
    fallback = Walk(LOCAL, FIRST).begin()

    assert fallback.failed(ContextExceeded("too long"))

    assert fallback.choice.model == FIRST


# Models that rest.


def test_a_model_that_rests_is_passed_over():
    walk = Walk(FIRST, SECOND)
    walk.break_down(FIRST)

    assert _turn(walk.begin()) == (SECOND, "provider-down")


def test_when_all_rest_the_shortest_wait_is_known():
    walk = Walk(FIRST, SECOND)
    walk.break_down(SECOND)
    walk.clock.advance(2)
    walk.break_down(FIRST)

    fallback = walk.begin()

    assert fallback.choice is None
    assert fallback.rests_s == 3


def test_a_local_model_never_rests():
    walk = Walk(LOCAL)
    walk.break_down(LOCAL)
    fallback = walk.begin()

    assert _turn(fallback) == (LOCAL, None)
    fallback.failed(UpstreamTimeout("silent"))
    assert walk.breaker.wait_s(LOCAL.key) == 5


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (UpstreamError("broke"), True),
        (UpstreamError("unreachable", sent=False, retryable=True), True),
        (UpstreamTimeout("silent"), True),
        (UpstreamError("overloaded", status=529, retryable=True), True),
        (_refused(429, retryable=True), True),
        (_refused(400), False),
        (_refused(404), False),
        (_refused(413), False),
        (_refused(422), False),
        (UpstreamError("no key", status=401, sent=False), False),
        (UpstreamError("no key", status=403, sent=False), False),
        (CannotCarry("no word for it"), False),
        (BadRequest("wrong"), False),
    ],
)
def test_only_the_providers_own_faults_count(error, counts):
    walk = Walk(FIRST)
    for _ in range(5):
        walk.begin().failed(error)

    assert walk.breaker.is_open(FIRST.key) == counts


@pytest.mark.parametrize("how", ["failed", "abandoned"])
def test_a_probe_that_says_nothing_leaves_its_turn_to_the_next_call(how):
    walk = Walk(FIRST)
    walk.break_down(FIRST)
    walk.clock.advance(5)
    probe, meanwhile = walk.begin(), walk.begin()

    probe.failed(_refused(400)) if how == "failed" else probe.abandoned()

    assert meanwhile.choice is None
    assert _turn(walk.begin()) == (FIRST, None)


def test_who_has_no_turn_has_nothing_to_abandon():
    fallback = Walk().begin()

    fallback.abandoned()

    assert fallback.choice is None


def test_a_client_that_left_says_nothing_of_the_model():
    walk = Walk(FIRST, SECOND)

    assert not walk.begin().failed(BUSY, left=True)
    assert not walk.breaker.is_open(FIRST.key)


@pytest.mark.parametrize(("rests_s", "seconds"), [(0.0, 1), (2.2, 3)])
def test_the_words_when_all_of_them_rest(rests_s, seconds):
    fallback = Walk(FIRST).begin()
    fallback.rests_s = rests_s

    error = fallback.resting(FIRST)

    assert (error.status, error.code, error.retry_after_s) == (503, "provider_resting", seconds)
    assert f"cloud/first has failed several times in a row and is left alone for {seconds} s" in (
        error.message
    )

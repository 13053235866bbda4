"""When a model is left alone, for how long, and what ends it (TRUST A3)."""

import pytest

from larouter.core.breaker import Breaker, Limits
from tests.fakes import Clock

MODEL = "cloud/smart"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(clock)


@pytest.fixture
def opened(breaker):
    """A breaker that has just opened."""
    _fail(breaker, 5)
    return breaker


def _fail(breaker, times):
    for _ in range(times):
        breaker.failed(MODEL)


def _succeed(breaker, times):
    for _ in range(times):
        breaker.succeeded(MODEL)


def test_a_model_that_nobody_called_may_be_called(breaker):
    assert breaker.wait_s(MODEL) == 0
    assert not breaker.is_open(MODEL)


@pytest.mark.parametrize(
    ("succeeded", "failed", "opens"),
    [
        (0, 4, False),
        (0, 5, True),
        (5, 5, True),
        (6, 5, False),
        (100, 5, False),
        (100, 99, False),
        (100, 100, True),
        (5, 6, True),
    ],
)
def test_it_opens_at_five_failures_that_are_half_of_the_calls(breaker, succeeded, failed, opens):
    _succeed(breaker, succeeded)

    _fail(breaker, failed)

    assert breaker.is_open(MODEL) == opens
    assert breaker.wait_s(MODEL) == (5 if opens else 0)


def test_successes_between_failures_count_too(breaker):
    for _ in range(4):
        breaker.failed(MODEL)
        breaker.succeeded(MODEL)
        breaker.succeeded(MODEL)
    breaker.failed(MODEL)

    assert not breaker.is_open(MODEL)


@pytest.mark.parametrize(("apart_s", "opens"), [(7.5, True), (7.6, False)])
def test_only_the_last_half_minute_counts(breaker, clock, apart_s, opens):
    for _ in range(5):
        breaker.failed(MODEL)
        clock.advance(apart_s)

    assert breaker.is_open(MODEL) == opens


def test_old_successes_are_forgotten(breaker, clock):
    _succeed(breaker, 100)
    clock.advance(31)

    _fail(breaker, 5)

    assert breaker.is_open(MODEL)


def test_each_model_has_its_own(opened):
    assert opened.wait_s("cloud/other") == 0


def test_the_wait_gets_shorter(opened, clock):
    clock.advance(2)

    assert opened.wait_s(MODEL) == 3


def test_after_the_pause_one_call_is_let_through(opened, clock):
    clock.advance(5)

    waits = [opened.wait_s(MODEL) for _ in range(3)]

    assert waits == [0, 1, 1]
    assert opened.is_open(MODEL)


def test_a_probe_that_succeeds_ends_it(opened, clock):
    clock.advance(5)
    opened.wait_s(MODEL)

    opened.succeeded(MODEL)

    assert [opened.wait_s(MODEL) for _ in range(3)] == [0, 0, 0]
    _fail(opened, 4)
    assert not opened.is_open(MODEL)


def test_each_probe_that_fails_doubles_the_pause(opened, clock):
    pauses = []
    for _ in range(6):
        clock.advance(opened.wait_s(MODEL))
        assert opened.wait_s(MODEL) == 0
        opened.failed(MODEL)
        pauses.append(opened.wait_s(MODEL))

    assert pauses == [10, 20, 40, 60, 60, 60]


def test_when_it_opens_again_the_pause_is_short_again(opened, clock):
    clock.advance(5)
    opened.wait_s(MODEL)
    opened.failed(MODEL)
    clock.advance(10)
    opened.wait_s(MODEL)
    opened.succeeded(MODEL)

    _fail(opened, 5)

    assert opened.wait_s(MODEL) == 5


def test_a_call_from_before_the_pause_does_not_make_it_longer(opened, clock):
    clock.advance(4)

    opened.failed(MODEL)

    assert opened.wait_s(MODEL) == 1


def test_a_call_from_before_the_pause_may_end_it(opened):
    opened.succeeded(MODEL)

    assert opened.wait_s(MODEL) == 0


def test_after_a_probe_that_says_nothing_the_next_call_is_one(opened, clock):
    clock.advance(5)
    opened.wait_s(MODEL)

    opened.undecided(MODEL)

    assert [opened.wait_s(MODEL) for _ in range(2)] == [0, 1]


def test_a_call_that_says_nothing_does_not_end_the_pause(opened):
    opened.undecided(MODEL)
    opened.undecided("cloud/other")

    assert opened.wait_s(MODEL) == 5


def test_a_probe_that_does_not_end_keeps_nobody_out_for_ever(opened, clock):
    clock.advance(5)
    opened.wait_s(MODEL)
    clock.advance(59.5)
    almost = opened.wait_s(MODEL)
    clock.advance(0.5)

    assert (almost, opened.wait_s(MODEL)) == (0.5, 0)


def test_any_number_of_names_takes_no_more_than_so_much_room(breaker):
    for number in range(1_001):
        breaker.succeeded(f"cloud/{number}")
    for _ in range(5_000):
        breaker.succeeded("cloud/1000")

    assert len(breaker._circuits) == 1_000
    assert "cloud/0" not in breaker._circuits
    assert len(breaker._circuits["cloud/1000"].seen) == 1_000


def test_others_may_be_less_patient(clock):
    breaker = Breaker(
        clock, Limits(failures=2, window_s=100.0, first_pause_s=10.0, longest_pause_s=15.0)
    )
    breaker.failed(MODEL)
    clock.advance(100)

    breaker.failed(MODEL)
    assert breaker.wait_s(MODEL) == 10
    clock.advance(10)
    assert breaker.wait_s(MODEL) == 0
    breaker.failed(MODEL)

    assert breaker.wait_s(MODEL) == 15


def test_who_only_looks_lets_nobody_through(opened, clock):
    assert opened.rests_s(MODEL) == 5
    assert opened.rests_s("cloud/other") == 0
    clock.advance(5)

    assert [opened.rests_s(MODEL) for _ in range(2)] == [0, 0]
    assert opened.wait_s(MODEL) == 0
    assert opened.rests_s(MODEL) == 1  # now one is asking

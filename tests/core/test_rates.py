"""A project's rolling minute."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.errors import TooManyRequests
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.rates import Rates, Standing
from tests.fakes import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rates(clock):
    return Rates(clock)


def test_without_a_limit_nothing_is_counted(rates):
    assert rates.ask("p", DEFAULT_POLICY, 10**9) is None


def test_so_many_requests_a_minute(rates, clock):
    policy = Policy(requests_per_minute=2)
    rates.ask("p", policy, 1)
    clock.advance(10)
    rates.ask("p", policy, 1)

    clock.advance(10.5)
    with pytest.raises(TooManyRequests) as caught:
        rates.ask("p", policy, 1)
    assert caught.value.retry_after_s == 40
    assert "may ask 2 requests a minute" in caught.value.message

    rates.ask("q", policy, 1)
    clock.advance(39.5)
    rates.ask("p", policy, 1)
    with pytest.raises(TooManyRequests):
        rates.ask("p", policy, 1)


def test_so_many_tokens_a_minute(rates, clock):
    policy = Policy(tokens_per_minute=100)
    first = rates.ask("p", policy, 60)
    clock.advance(5)
    rates.ask("p", policy, 30)

    with pytest.raises(TooManyRequests) as caught:
        rates.ask("p", policy, 20)
    assert caught.value.retry_after_s == 55

    first.took(40)
    rates.ask("p", policy, 20)


def test_a_request_beyond_the_whole_limit_is_never_worth_waiting_for(rates):
    with pytest.raises(TooManyRequests) as caught:
        rates.ask("p", Policy(tokens_per_minute=100), 101)

    assert caught.value.retry_after_s is None
    assert "--tokens-per-minute" in caught.value.message


def test_an_answer_longer_than_thought_counts(rates, clock):
    policy = Policy(tokens_per_minute=100)
    rates.ask("p", policy, 10).took(5_000)

    with pytest.raises(TooManyRequests) as caught:
        rates.ask("p", policy, 10)

    assert caught.value.retry_after_s == 60


def test_what_ends_after_its_minute_changes_nothing(rates, clock):
    policy = Policy(tokens_per_minute=100)
    late = rates.ask("p", policy, 100)
    clock.advance(60)
    asked = rates.ask("p", policy, 100)

    late.took(0)

    assert asked.standing(policy)[1].left == 0


def test_how_it_stands(rates, clock):
    policy = Policy(requests_per_minute=3, tokens_per_minute=100)
    rates.ask("p", policy, 10)
    clock.advance(20)
    asked = rates.ask("p", policy, 20)
    clock.advance(5)

    assert asked.standing(policy) == (Standing(3, 1, 55.0), Standing(100, 70, 55.0))
    assert asked.standing(Policy(requests_per_minute=1))[0].left == 0
    assert asked.standing(DEFAULT_POLICY) == (None, None)
    clock.advance(100)
    assert asked.standing(policy)[0] == Standing(3, 3, 0.0)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 50)), max_size=60))
def test_no_minute_ever_holds_more_than_the_limits(steps):
    clock = Clock()
    rates, policy = Rates(clock), Policy(requests_per_minute=5, tokens_per_minute=100)
    let_in = []
    for pause, tokens in steps:
        clock.advance(pause)
        with suppress(TooManyRequests):
            rates.ask("p", policy, tokens)
            let_in.append((clock.now, tokens))
        last = [entry for entry in let_in if entry[0] > clock.now - 60]
        assert len(last) <= 5
        assert sum(count for _, count in last) <= 100

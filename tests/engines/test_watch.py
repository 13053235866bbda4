"""Who holds too much is ended, who is idle is unloaded, and nothing is left of either."""

import logging
import threading

import psutil
import pytest

from larouter.core.room import MB, Plan
from tests.engines.starter import STARTER, Client
from tests.engines.test_pool import FAKE, Clock, model, until

__all__ = ["model"]

_ROUNDS = 20


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pool(make_pool, clock):
    return make_pool(python=FAKE, clock=clock, idle_s=900, watch_s=0.02)


def test_a_model_that_nobody_asks_for_is_unloaded(pool, model, clock):
    good = model("good")
    pool.ensure_ready(good)
    clock.now += 899
    pool.ensure_ready(good)
    clock.now += 899

    assert pool.state(good) == "ready"
    clock.now += 2
    until(lambda: pool.state(good) == "stopped")
    assert pool.ensure_ready(good)


def test_a_model_that_answers_for_long_is_not_idle(pool, model, clock):
    deaf = model("deaf")
    pool.ensure_ready(deaf)
    clock.now += 901
    at = clock.now

    until(lambda: pool._seats["deaf"].asked_at == at)

    assert pool.state(deaf) == "ready"


def test_a_model_is_never_idle_where_that_is_turned_off(make_pool, model, clock):
    pool = make_pool(python=FAKE, clock=clock, idle_s=None, watch_s=0.01)
    good = model("good")
    pool.ensure_ready(good)
    clock.now += 1e9
    threading.Event().wait(0.1)

    assert pool.state(good) == "ready"


def test_an_engine_that_holds_too_much_is_ended_and_says_so(pool, model, caplog):
    good = model("good")
    pool.ensure_ready(good)

    with caplog.at_level(logging.ERROR):
        pool._seats["good"].plan = Plan(1, 1, 0, -1_000 * MB)
        until(lambda: pool.state(good) == "crashed")

    assert "more than the" in caplog.text
    assert "bytes of memory" in pool.last_lines(good)[-1]


def test_the_watch_ends_with_the_last_engine_and_begins_again(pool, model):
    good = model("good")
    pool.ensure_ready(good)
    pool.stop(good)
    until(lambda: not pool._watch._is_at_work)

    pool.ensure_ready(good)

    assert pool._watch._is_at_work


@pytest.mark.engine
@pytest.mark.slow
def test_loading_and_unloading_leaves_nothing_behind(make_pool):
    pool = make_pool()
    us = psutil.Process()
    # Other tests of this process share an engine, which stays.
    before = us.children()
    held = []
    for number in range(_ROUNDS):
        client = Client(pool.ensure_ready(STARTER))
        if number in {2, _ROUNDS - 1}:
            assert client.chat(max_tokens=1).status_code == 200
            held.append((us.memory_info().rss, us.num_fds(), threading.active_count()))
        pool.unload(STARTER)
    (early, *first), (late, *last) = held

    assert first == last
    assert late - early < 10 * MB
    assert us.children() == before

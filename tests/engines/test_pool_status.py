"""How an engine stands, for whoever looks, and unloading it."""

import threading

import pytest

from larouter.core.errors import Conflict
from larouter.core.ports import EngineStatus
from tests.engines.test_pool import FAKE, Clock, crash, model, until

__all__ = ["model"]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pool(make_pool, clock):
    return make_pool(python=FAKE, clock=clock)


def test_whoever_looks_sees_how_an_engine_stands(pool, model, clock):
    good, failing = model("good"), model("crash")
    before = pool.status(good)
    pool.ensure_ready(good)
    crash(pool, failing, clock)
    now, crashed = pool.status(good), pool.status(failing)

    assert before == EngineStatus(state="stopped")
    assert (now.state, now.context, now.slots, now.engine) == ("ready", 1, 3, "fake")
    assert now.memory_bytes is not None
    assert now.reserved_bytes == 686_870_919
    assert (crashed.state, crashed.crashes, crashed.memory_bytes) == ("crashed", 1, None)
    assert crashed.last_lines[-1] == "something went wrong in /a/path"


def test_whoever_looks_while_it_loads_sees_how_far_it_is(pool, model):
    slow = model("slow", bytes=7)
    caller = threading.Thread(target=pool.ensure_ready, args=(slow,))

    caller.start()

    until(lambda: pool.status(slow).progress == 0.99)
    caller.join()
    assert pool.status(slow).progress is None


def test_a_model_at_rest_is_unloaded(pool, model):
    good = model("good")
    pool.ensure_ready(good)

    pool.unload(good)

    assert pool.state(good) == "stopped"
    pool.unload(good)


def test_a_model_that_answers_is_not_unloaded_but_by_force(pool, model):
    deaf = model("deaf")
    pool.ensure_ready(deaf)

    with pytest.raises(Conflict) as caught:
        pool.unload(deaf)

    assert (caught.value.code, pool.state(deaf)) == ("model_busy", "ready")
    pool.stop(deaf)
    assert pool.state(deaf) == "stopped"

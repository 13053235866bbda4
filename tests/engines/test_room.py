"""Two models and memory for one: who waits, who goes, and that never both are there."""

import threading
import time
from dataclasses import replace

import pytest

from larouter.core.errors import EngineBusy, EngineDown
from larouter.core.ports import Leaving
from larouter.core.room import MB
from larouter.engines.room import Room
from tests.engines.starter import STARTER, Client
from tests.engines.test_pool import FAKE, Clock, model, until

__all__ = ["model"]

ONE, TWO = 200 * MB, 1_400 * MB
"""What holds one or two of the small files here; the second no worse than the first."""


class Fixed:
    """Memory of which nobody else takes anything."""

    def __init__(self, size, free=None):
        self._size = size
        self.free = size if free is None else free

    def most(self):
        return self._size

    def room(self, held):
        return min(self._size, self.free)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pool_of(make_pool, clock):
    def make(size, **options):
        memory = options.pop("memory", None) or Fixed(size)
        return make_pool(python=FAKE, clock=clock, memory=memory, **options)

    return make


def states(pool, models):
    return [pool.state(each) for each in models]


def test_the_model_not_asked_for_the_longest_makes_room(pool_of, model, clock):
    pool = pool_of(TWO)
    models = [model(f"good-{number}") for number in range(3)]
    for each in models:
        clock.now += 60
        pool.ensure_ready(each)

    assert states(pool, models) == ["stopped", "ready", "ready"]


def test_a_model_just_asked_for_is_not_stopped(pool_of, model):
    pool = pool_of(ONE, longest_wait_s=0.3)
    pool.ensure_ready(model("good-1"))

    with pytest.raises(EngineBusy) as caught:
        pool.ensure_ready(model("good-2"))

    assert (caught.value.status, caught.value.code) == (429, "engines_busy")


def test_a_busy_model_is_not_stopped(pool_of, model, clock):
    pool = pool_of(ONE, longest_wait_s=0.3)
    deaf = model("deaf")
    pool.ensure_ready(deaf)
    clock.now += 60

    with pytest.raises(EngineBusy):
        pool.ensure_ready(model("good"))

    assert pool.state(deaf) == "ready"


def test_a_model_that_is_never_idle_gets_no_further_callers(pool_of, model, clock):
    pool = pool_of(ONE, impatient_s=0.0, longest_wait_s=5)
    deaf, good = model("deaf"), model("good")
    pool.ensure_ready(deaf)
    clock.now += 60
    waiting = threading.Thread(target=pool.ensure_ready, args=(good,))
    waiting.start()
    until(lambda: pool._seats["deaf"].is_leaving)

    late = threading.Thread(target=pool.ensure_ready, args=(deaf,), daemon=True)
    late.start()
    pool.stop(deaf)
    waiting.join(10)

    assert pool.state(good) == "ready"
    clock.now += 60
    late.join(10)
    assert states(pool, [deaf, good]) == ["ready", "stopped"]


def test_who_was_to_leave_stays_when_nobody_waits_any_more(pool_of, model, clock):
    pool = pool_of(ONE, impatient_s=0.0, longest_wait_s=0.4)
    deaf = model("deaf")
    address = pool.ensure_ready(deaf)
    clock.now += 60

    with pytest.raises(EngineBusy):
        pool.ensure_ready(model("good"))

    assert pool.ensure_ready(deaf) == address


def test_whoever_leaves_waits_no_longer(pool_of, model):
    pool = pool_of(ONE)
    pool.ensure_ready(model("good-1"))
    leaving = Leaving()
    leaving.fire()

    with pytest.raises(EngineDown, match="Nobody waits"):
        pool.ensure_ready(model("good-2"), leaving)


def test_a_model_for_which_there_is_never_room_is_refused_at_once(pool_of, model):
    pool = pool_of(100 * MB)

    with pytest.raises(EngineDown) as caught:
        pool.ensure_ready(model("good"))

    assert caught.value.code == "not_enough_memory"
    assert "LAROUTER_MODEL_MEMORY" in caught.value.message


def test_a_machine_whose_memory_others_have_says_so(pool_of, model):
    pool = pool_of(ONE, memory=Fixed(ONE, free=10 * MB))

    with pytest.raises(EngineDown) as caught:
        pool.ensure_ready(model("good"))

    assert (caught.value.code, caught.value.retry_after_s) == ("not_enough_memory", 30)
    assert "Close other programs" in caught.value.message


def test_beside_others_a_model_is_laid_out_smaller_rather_than_wait(pool_of, model):
    pool = pool_of(687 * MB + 290 * MB)
    models = [model("good-1"), model("good-2")]
    for each in models:
        pool.ensure_ready(each)

    assert states(pool, models) == ["ready", "ready"]
    assert pool.status(models[0]).reserved_bytes > pool.status(models[1]).reserved_bytes


def test_many_callers_of_many_models_all_get_their_turn(pool_of, model):
    pool = pool_of(ONE)
    pool._clock = pool._room._clock = time.monotonic
    models = [model(f"good-{number}") for number in range(3)]
    most, ends = [0], threading.Event()

    def count():
        while not ends.wait(0.005):
            most[0] = max(most[0], sum(seat.alive is not None for seat in pool._seats.values()))

    watcher = threading.Thread(target=count)
    watcher.start()
    answers = []
    callers = [
        threading.Thread(target=lambda each=each: answers.append(pool.ensure_ready(each).url))
        for each in models * 3
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    ends.set()
    watcher.join()

    assert len(answers) == 9
    assert most == [1]


def test_a_room_of_nobody_has_nobody_to_send_away():
    room = Room({}, threading.Lock(), Fixed(ONE), clock=time.monotonic)

    room.keep()


@pytest.mark.engine
@pytest.mark.slow
def test_two_real_models_never_load_into_memory_for_one(make_pool):
    """The starter model twice, under two names: each answers, one after the other."""
    models = [replace(STARTER, id=name, name=name) for name in ("first", "second")]
    pool = make_pool(memory=Fixed(1_000 * MB))
    alive, answers, ends = [], [], threading.Event()

    def watch():
        while not ends.wait(0.01):
            alive.append(sum(seat.alive is not None for seat in pool._seats.values()))

    def ask(each):
        answers.append(Client(pool.ensure_ready(each)).chat(max_tokens=2).status_code)

    watcher = threading.Thread(target=watch)
    callers = [threading.Thread(target=ask, args=(each,)) for each in models]
    for thread in (watcher, *callers):
        thread.start()
    for caller in callers:
        caller.join(100)
    ends.set()
    watcher.join()

    assert answers == [200, 200]
    assert max(alive) == 1


@pytest.mark.engine
@pytest.mark.slow
def test_a_real_model_holds_no_more_than_its_plan(make_pool):
    pool = make_pool(memory=Fixed(8_000 * MB))
    client = Client(pool.ensure_ready(STARTER))

    client.chat("Tell me a story. " * 40, max_tokens=4)

    status = pool.status(STARTER)
    assert status.memory_bytes < status.reserved_bytes
    assert (status.total_context, status.slots) == (16_384, 8)

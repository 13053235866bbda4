"""Which children live: shared starts, restarts, quarantine, room."""

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from larouter.core.catalog import Model, ModelFile
from larouter.core.errors import EngineDown, ModelNotFound
from larouter.engines.seats import CRASHES, EngineCrash
from tests.engines.starter import ENVIRONMENT, ROOT, STARTER

FAKE = (sys.executable, str(Path(__file__).parent / "children.py"))


class Clock:
    """Stands still until a test moves it."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pool(make_pool, clock):
    return make_pool(python=FAKE, clock=clock)


@pytest.fixture
def model(tmp_path):
    """A model with a file of its own; its id says how its child behaves."""
    (tmp_path / "models").mkdir()

    def make(model_id, suffix=".gguf", **facts):
        name = model_id + suffix
        (tmp_path / "models" / name).write_bytes(b"weights")
        file = ModelFile(name=name, **facts)
        return Model(id=model_id, name=model_id, provider="local", file=file)

    return make


def end(pool, model):
    """Kill the model's child from outside, as the system does when memory runs out."""
    process = psutil.Process(pool.ready(model).pid)
    process.kill()
    until(lambda: pool.state(model) not in {"ready", "loading"})


def until(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def crash(pool, model, clock):
    """Ask for a model whose child crashes at once, after any backoff."""
    clock.now += 40
    with pytest.raises(EngineDown) as caught:
        pool.ensure_ready(model)
    return caught.value


def test_a_child_is_started_when_asked_for(pool, model):
    address = pool.ensure_ready(model("good"))

    assert address.url.startswith("http://127.0.0.1:")
    assert len(address.key) >= 32


def test_a_child_that_lives_is_asked_again(pool, model):
    good = model("good")

    assert pool.ensure_ready(good) == pool.ensure_ready(good)


def test_every_start_has_a_key_of_its_own(pool, model):
    good = model("good")
    first = pool.ensure_ready(good).key
    pool.stop(good)

    assert pool.ensure_ready(good).key != first


def test_callers_at_once_share_one_start(pool, model):
    slow = model("slow")
    addresses = []
    callers = [
        threading.Thread(target=lambda: addresses.append(pool.ensure_ready(slow))) for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert len(addresses) == 8
    assert len(set(addresses)) == 1


def test_a_model_without_its_file_is_not_found(pool, model):
    missing = replace(model("good"), file=ModelFile(name="other.gguf"))

    with pytest.raises(ModelNotFound) as caught:
        pool.ensure_ready(missing)

    assert caught.value.code == "model_not_downloaded"
    assert (pool.has(missing), pool.state(missing)) == (False, "absent")


def test_a_file_that_no_engine_reads_is_refused(pool, model):
    with pytest.raises(EngineDown, match="No engine here"):
        pool.ensure_ready(model("good", suffix=".safetensors"))


def test_the_state_follows_the_child(pool, model):
    good = model("good")
    states = [pool.state(good)]
    pool.ensure_ready(good)
    states.append(pool.state(good))
    pool.stop(good)
    states.append(pool.state(good))

    assert states == ["stopped", "ready", "stopped"]


def test_whoever_asks_what_is_running_starts_nothing(pool, model):
    good = model("good")

    assert (pool.running(good), pool.state(good)) == (None, "stopped")
    assert pool.ensure_ready(good) == pool.running(good)


def test_a_child_that_starts_is_loading(pool, model):
    slow = model("slow")
    caller = threading.Thread(target=pool.ensure_ready, args=(slow,))

    caller.start()

    until(lambda: pool.state(slow) == "loading")
    assert pool.running(slow) is None
    caller.join()


def test_a_crash_is_noticed_without_being_asked(pool, model):
    good = model("good")
    pool.ensure_ready(good)

    end(pool, good)

    assert pool.state(good) == "crashed"


def test_the_first_crash_is_followed_by_a_start_at_once(pool, model):
    good = model("good")
    first = pool.ensure_ready(good)
    end(pool, good)

    assert pool.ensure_ready(good) != first


def test_a_short_backoff_is_waited_for(make_pool, model):
    pool = make_pool(python=FAKE)
    good = model("good")
    for _ in range(2):
        pool.ensure_ready(good)
        end(pool, good)
    before = time.monotonic()

    pool.ensure_ready(good)

    assert 0.3 < time.monotonic() - before < 5


def test_a_long_backoff_is_told(pool, model, clock):
    failing = model("crash")
    for _ in range(4):
        crash(pool, failing, clock)
        clock.now += 200
    crash(pool, failing, clock)
    clock.now += 0.5

    with pytest.raises(EngineDown) as caught:
        pool.ensure_ready(failing)

    assert caught.value.retry_after_s == 4


def test_a_crash_at_the_start_says_so_to_the_log_only(pool, model, clock):
    error = crash(pool, model("crash"), clock)

    assert isinstance(error.__cause__, EngineCrash)
    assert "/a/path" not in error.message


def test_many_crashes_are_a_quarantine(pool, model, clock):
    failing = model("crash")
    for _ in range(CRASHES):
        crash(pool, failing, clock)

    error = crash(pool, failing, clock)

    assert (error.status, error.code) == (503, "engine_quarantined")
    assert pool.state(failing) == "quarantined"


def test_crashes_far_apart_are_no_quarantine(pool, model, clock):
    failing = model("crash")
    for _ in range(CRASHES + 1):
        crash(pool, failing, clock)
        clock.now += 200

    assert pool.state(failing) == "crashed"


def test_a_reset_ends_a_quarantine(pool, model, clock):
    failing = model("crash")
    for _ in range(CRASHES):
        crash(pool, failing, clock)

    pool.reset(failing)

    assert crash(pool, failing, clock).code == "engine_down"


def test_a_stop_is_not_a_crash(pool, model):
    good = model("good")
    for _ in range(CRASHES + 1):
        pool.ensure_ready(good)
        pool.stop(good)

    assert pool.state(good) == "stopped"


def test_a_damaged_file_is_not_tried_again(pool, model, clock):
    damaged = model("damaged")

    assert crash(pool, damaged, clock).code == "model_file_damaged"
    assert crash(pool, damaged, clock).code == "model_file_damaged"
    assert pool.state(damaged) == "quarantined"


def test_a_child_that_is_never_ready_is_ended(make_pool, model):
    pool = make_pool(python=FAKE, start_timeout_s=0.3)
    silent = model("silent")

    with pytest.raises(EngineDown):
        pool.ensure_ready(silent)

    assert pool.state(silent) == "crashed"


def test_a_reported_failure_finds_the_child_gone(pool, model):
    good = model("good")
    pool.ensure_ready(good)
    psutil.Process(pool.ready(good).pid).kill()

    pool.report_failure(good)

    assert pool.state(good) == "crashed"


def test_a_reported_failure_spares_a_child_that_answers(pool, model):
    good = model("good")
    pool.ensure_ready(good)

    pool.report_failure(good)

    assert pool.state(good) == "ready"


def test_a_reported_failure_ends_a_child_that_does_not_answer(pool, model):
    deaf = model("deaf")
    pool.ensure_ready(deaf)

    pool.report_failure(deaf)

    assert pool.state(deaf) == "crashed"


def test_all_are_stopped(pool, model):
    models = [model("good-1"), model("good-2")]
    for each in models:
        pool.ensure_ready(each)

    pool.stop_all()

    assert [pool.state(each) for each in models] == ["stopped", "stopped"]


def test_the_child_sees_what_it_was_given_and_nothing_else(make_pool, model, tmp_path):
    pool = make_pool(python=FAKE, environment={**ENVIRONMENT, "PYTHONPATH": "/elsewhere"})
    pool.ensure_ready(model("leak"))

    seen = json.loads((tmp_path / "models" / "leak.seen").read_text())

    # Python and the C library add a name or two of their own.
    own = {name for name in seen["environment"] if name.startswith(("LC_", "__CF", "SYSTEMROOT"))}
    assert set(seen["environment"]) - own == {"PATH", "PYTHONPATH"}
    assert seen["environment"]["PYTHONPATH"].split(":")[0] == str(ROOT)
    assert seen["key"] not in seen["arguments"]


def test_a_start_that_the_system_refuses_is_told(make_pool, model):
    pool = make_pool(python=("/no/such/python",))

    with pytest.raises(EngineDown, match="memory"):
        pool.ensure_ready(model("good"))


def test_a_checked_file_is_not_checked_again(make_pool, model, tmp_path):
    pool = make_pool(python=FAKE)
    leak = model("leak", sha256="0" * 64)
    commands = []
    for _ in range(2):
        pool.ensure_ready(leak)
        commands.append(json.loads((tmp_path / "models" / "leak.seen").read_text())["arguments"])
        pool.stop(leak)

    assert ["--sha256" in command for command in commands] == [True, False]


def test_a_crash_is_logged_with_the_last_line(pool, model, clock, caplog):
    with caplog.at_level(logging.ERROR):
        crash(pool, model("crash"), clock)

    assert "ended with 7" in caplog.text


@pytest.mark.parametrize("heavy", ["xllamacpp", "requests", "numpy", "gevent"])
def test_the_parent_imports_nothing_heavy(heavy):
    code = f"import sys, larouter.engines.pool; sys.exit({heavy!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.engine
def test_the_starter_model_is_served(shared_pool, client):
    assert client.get("/health").json() == {"status": "ok"}
    assert shared_pool.state(STARTER) == "ready"


@pytest.mark.engine
def test_the_hub_is_never_late():
    done = subprocess.run(
        [sys.executable, "-m", "tests.engines.heartbeat"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert float(done.stdout) < 200

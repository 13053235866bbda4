"""Several processes, here several objects, and one owner of the engines."""

import threading

import pytest

from larouter.core.errors import Conflict, EngineBusy, EngineDown, ModelNotFound
from larouter.core.ports import Address, EngineStatus
from larouter.engines.shared import Shared
from tests.store.bills import LOCAL


class Fake:
    """A `Runner` that notes what it was asked."""

    def __init__(self):
        self.asked = []
        self.error = None
        self.now = "ready"

    def ensure_ready(self, model, leaving=None):
        self.asked.append(("ensure_ready", model.id))
        if self.error:
            raise self.error
        return Address(url="http://127.0.0.1:1/v1", key="k")

    def running(self, model):
        self.asked.append(("running", model.id))
        return Address(url="http://127.0.0.1:1/v1", key="k") if self.now == "ready" else None

    def has(self, model):
        return True

    def state(self, model):
        self.asked.append(("state", model.id))
        return self.now

    def report_failure(self, model):
        self.asked.append(("report_failure", model.id))

    def status(self, model):
        return EngineStatus(state=self.now, progress=0.5, last_lines=("a", "b"))

    def unload(self, model):
        if self.error:
            raise self.error
        self.asked.append(("unload", model.id))

    def stop(self, model):
        self.asked.append(("stop", model.id))

    def reset(self, model):
        self.asked.append(("reset", model.id))

    def stop_all(self):
        self.asked.append(("stop_all",))


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def start(tmp_path, clock):
    made = []

    def start():
        fake = Fake()
        models = {LOCAL.id: LOCAL}
        shared = Shared(fake, tmp_path, models.get, clock=lambda: clock[0])
        made.append(shared)
        return shared, fake

    yield start
    for shared in made:
        shared.stop_all()


@pytest.fixture
def pair(start):
    """The owner and one more."""
    owner, fake = start()
    owner.state(LOCAL)
    other, idle = start()
    return owner, fake, other, idle


def test_the_owner_runs_what_another_needs(pair):
    _, fake, other, idle = pair

    assert other.ensure_ready(LOCAL) == Address(url="http://127.0.0.1:1/v1", key="k")
    assert other.running(LOCAL) == Address(url="http://127.0.0.1:1/v1", key="k")
    assert other.state(LOCAL) == "ready"
    other.report_failure(LOCAL)

    assert ("ensure_ready", LOCAL.id) in fake.asked
    assert ("report_failure", LOCAL.id) in fake.asked
    assert idle.asked == []


def test_another_may_look_unload_and_forget(pair):
    _, fake, other, _ = pair

    assert other.status(LOCAL) == EngineStatus(state="ready", progress=0.5, last_lines=("a", "b"))
    other.unload(LOCAL)
    other.stop(LOCAL)
    other.reset(LOCAL)
    assert fake.asked[-3:] == [(what, LOCAL.id) for what in ("unload", "stop", "reset")]

    fake.error = Conflict("It is answering.", code="model_busy")
    with pytest.raises(Conflict, match="answering"):
        other.unload(LOCAL)


def test_nothing_runs_is_nothing(pair):
    _, fake, other, _ = pair
    fake.now = "stopped"

    assert other.running(LOCAL) is None


def test_a_state_is_believed_for_an_instant(pair, clock):
    _, fake, other, _ = pair
    seen = [other.state(LOCAL)]
    fake.now = "crashed"
    seen.append(other.state(LOCAL))
    clock[0] += 1
    seen.append(other.state(LOCAL))

    assert seen == ["ready", "ready", "crashed"]


@pytest.mark.parametrize(
    "error",
    [
        EngineDown("It rests.", code="engine_quarantined", retry_after_s=7),
        ModelNotFound("It is not here.", code="model_not_downloaded"),
        EngineBusy("Others are at work.", retry_after_s=10),
    ],
)
def test_an_error_is_the_same_to_both(error, pair):
    _, fake, other, _ = pair
    fake.error = error

    with pytest.raises(type(error)) as caught:
        other.ensure_ready(LOCAL)

    told = caught.value
    assert (told.message, told.code) == (error.message, error.code)
    assert told.retry_after_s == error.retry_after_s


def test_the_next_one_becomes_the_owner(pair, clock):
    owner, _, other, idle = pair
    owner.stop_all()
    clock[0] += 1

    assert other.ensure_ready(LOCAL).key == "k"
    assert idle.asked == [("ensure_ready", LOCAL.id)]


def test_who_does_not_know_the_key_gets_nothing(pair, tmp_path):
    _, fake, other, _ = pair
    other.ensure_ready(LOCAL)
    before = list(fake.asked)
    place = tmp_path / "engines.json"
    place.write_text(place.read_text().replace('"key": "', '"key": "x'))

    with pytest.raises(EngineDown, match="Nobody asks"):
        other.ensure_ready(LOCAL)
    assert fake.asked == before


def test_an_owner_that_says_nothing_is_an_error_in_the_end(pair, tmp_path, monkeypatch):
    _, _, other, _ = pair
    (tmp_path / "engines.json").write_text("{}")
    monkeypatch.setattr("larouter.engines.shared._PAUSE_S", 0.001)

    with pytest.raises(EngineDown, match="does not answer"):
        other.ensure_ready(LOCAL)


def test_many_ask_at_once(pair):
    _, _, other, _ = pair
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(other.ensure_ready(LOCAL).key))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert found == ["k"] * 20

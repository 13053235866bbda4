"""What a server does for local models beside its requests: load some, write down how fast."""

import gevent

from larouter.core.errors import EngineDown
from larouter.core.ports import Address
from larouter.web import upkeep
from tests.fakes import FakeRunner
from tests.web.test_upkeep import patiently


def test_models_that_are_wanted_at_the_start_are_loaded(open_house, caplog):
    house = open_house(LAROUTER_PREWARM="local/smollm2-135m,nobody,gpt-6.2-sol")
    house.services.runner = runner = FakeRunner(Address(url="http://127.0.0.1:1/v1", key="k"))

    upkeep.prewarm(house.services)

    assert runner.started == ["smollm2-135m"]
    assert "'nobody', which is no local model" in caplog.text


def test_a_model_that_cannot_be_loaded_at_the_start_stops_nothing(open_house, caplog):
    house = open_house(LAROUTER_PREWARM="gemma-4-e2b,smollm2-135m")
    house.services.runner = runner = FakeRunner(EngineDown("It is too large."))

    upkeep.prewarm(house.services)

    assert runner.started == ["gemma-4-e2b", "smollm2-135m"]
    assert "It is too large." in caplog.text


def test_what_was_measured_is_written_down_now_and_then(house, monkeypatch):
    monkeypatch.setattr(upkeep, "MEASURES_S", 0.01)
    model = house.services.catalog.models["smollm2-135m"]
    house.services.pace.learn(model, prompt_tokens=1, output_tokens=1, first_s=0.1, total_s=0.2)
    task = gevent.spawn(upkeep.keep_measures, house.services)

    def is_kept():
        rows = house.services.bookkeeping._writer.run(
            lambda connection: connection.execute("SELECT model FROM measured").fetchall()
        )
        return [name for (name,) in rows] == [model.key]

    patiently(is_kept)
    task.kill()

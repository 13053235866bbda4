"""How engines stand, load and unload, over the API; tests/cli/test_engines.py has a real one."""

import json

import pytest

from larouter.core.errors import Conflict, EngineDown
from larouter.core.ports import Address
from tests.fakes import FakeRunner

PATH = "/api/models/smollm2-135m"


@pytest.fixture
def runner(house):
    house.services.runner = FakeRunner(Address(url="http://127.0.0.1:1/v1", key="k"))
    return house.services.runner


def test_an_engine_s_state_and_log_are_told(house, runner):
    told = house.admin("GET", f"{PATH}/engine").json

    assert (told["id"], told["state"]) == ("smollm2-135m", "ready")
    assert told["last_lines"] == ["the end of its log"]
    assert {"progress", "memory_bytes", "reserved_bytes", "context", "slots"} <= set(told)


@pytest.mark.parametrize("name", ["nobody", "gpt-6.2-sol"])
def test_what_is_no_local_model_has_no_engine(house, name):
    answer = house.admin("POST", f"/api/models/{name}/load", {})

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "model_not_found")


def test_a_model_is_loaded_and_a_quarantine_forgotten(house, runner):
    runner.condition = "quarantined"

    answer = house.admin("POST", f"{PATH}/load")

    assert answer.status_code == 200
    assert (runner.started, runner.condition) == (["smollm2-135m"], "stopped")


def test_loading_is_told_while_it_goes_on(house, runner):
    answer = house.admin("POST", f"{PATH}/load", {"stream": True})

    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[0] == {"status": "waiting", "progress": None}
    assert (lines[-1]["status"], lines[-1]["id"]) == ("done", "smollm2-135m")


def test_a_model_that_cannot_be_loaded_says_why(house, runner):
    runner.address = EngineDown("It takes too much.", code="not_enough_memory")

    whole = house.admin("POST", f"{PATH}/load", {})
    streamed = house.admin("POST", f"{PATH}/load", {"stream": True})

    assert (whole.status_code, whole.json["error"]["code"]) == (503, "not_enough_memory")
    assert json.loads(streamed.text.splitlines()[-1])["error"]["code"] == "not_enough_memory"


def test_a_model_is_unloaded(house, runner):
    assert house.admin("POST", f"{PATH}/unload").json["state"] == "stopped"


def test_a_busy_model_is_unloaded_by_force_only(house, runner):
    def busy(model):
        raise Conflict("It answers somebody.", code="model_busy")

    runner.unload = busy

    assert house.admin("POST", f"{PATH}/unload", {}).status_code == 409
    assert house.admin("POST", f"{PATH}/unload", {"force": True}).json["state"] == "stopped"


def test_what_was_measured_is_told(house, runner):
    model = house.services.catalog.models["smollm2-135m"]
    house.services.pace.learn(model, prompt_tokens=10, output_tokens=10, first_s=0.5, total_s=1.5)

    measured = house.admin("GET", f"{PATH}/engine").json["measured"]

    assert measured["tokens_per_s"] == 10
    assert set(measured["first_s"]) == {"100", "1000", "8000"}


def test_an_engine_that_is_not_there_cannot_be_timed(house, runner):
    runner.address = EngineDown("It is gone.")

    assert house.admin("POST", f"{PATH}/bench", {}).status_code == 503


def test_what_was_measured_is_there_after_a_restart(open_house):
    house = open_house()
    model = house.services.catalog.models["smollm2-135m"]
    house.services.pace.learn(model, prompt_tokens=10, output_tokens=10, first_s=0.5, total_s=1.5)
    house.services.close()

    again = open_house().services.pace.timing(model.key)

    assert again == house.services.pace.timing(model.key)

"""Downloads over the API: in this process, with a hub on loopback."""

import json

import pytest

from tests.downloads.downloading import until
from tests.engines.ggufs import model_file
from tests.hub import Hub
from tests.models import offer

DATA = bytes(range(256)) * 8000


@pytest.fixture
def hub():
    with Hub() as running:
        yield running


@pytest.fixture
def house(open_house, hub, tmp_path):
    offer(hub, tmp_path, DATA)
    return open_house(HF_ENDPOINT=hub.url, HF_TOKEN="hf_secret")


def start(house, model="some-model"):
    return house.admin("POST", "/api/models/download", {"id": model})


def row(house, model="some-model"):
    rows = house.admin("GET", "/api/models/downloads").json["data"]
    return next((one for one in rows if one["id"] == model), None)


def done(house):
    until(lambda: row(house)["state"] == "done")


def test_a_model_of_the_catalogue_is_downloaded_and_then_there(house, tmp_path):
    before = house.admin("GET", "/api/models/catalog").json["data"]
    started = start(house)
    done(house)
    after = house.admin("GET", "/api/models/catalog").json["data"]

    assert started.status_code == 202
    assert started.json["bytes_total"] == len(DATA)
    assert (tmp_path / "models" / "some-model.gguf").read_bytes() == DATA
    missing = [
        next(one["missing"] for one in rows if one["id"] == "some-model")
        for rows in (before, after)
    ]
    assert missing == ["not-downloaded", None]
    assert start(house).status_code == 200


def test_its_name_may_be_whole(house):
    assert start(house, "local/some-model").json["id"] == "some-model"


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("nothing", 404, "model_not_found"),
        ("gpt-6.2-sol", 400, "invalid_request"),
        ("smollm2-135m", 400, "invalid_request"),
        (None, 400, "invalid_request"),
        ("../x", 404, "model_not_found"),
    ],
)
def test_what_cannot_be_downloaded_is_refused(house, model, status, code):
    answer = start(house, model)

    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)


def test_it_is_paused_and_resumed_and_cancelled(house, hub, tmp_path):
    hub.gate.clear()
    start(house)
    until(lambda: hub.fetches())

    paused = house.admin("POST", "/api/models/downloads/some-model/pause").json
    resumed = house.admin("POST", "/api/models/downloads/some-model/resume").json
    cancelled = house.admin("DELETE", "/api/models/downloads/some-model").json

    assert (paused["state"], resumed["state"] in {"queued", "running"}) == ("paused", True)
    assert cancelled == {"id": "some-model", "deleted": True, "freed_bytes": 0}
    assert row(house) is None
    assert house.admin("DELETE", "/api/models/downloads/some-model").status_code == 404


def test_progress_comes_as_events_and_ends_with_the_server(house):
    start(house)
    answer = house.admin(
        "GET", "/api/models/downloads", headers={"Accept": "text/event-stream"}, buffered=False
    )
    events = []
    for piece in answer.iter_encoded():
        events += [line for line in piece.decode().splitlines() if line]
        states = [json.loads(line[6:])["data"] for line in events if line.startswith('data: {"d')]
        if states and states[-1][0]["state"] == "done":
            house.services.downloads.stop()
    answer.close()

    assert answer.mimetype == "text/event-stream"
    assert events[-2:] == ["event: end", "data: {}"]


def test_a_disk_that_is_too_small_is_said_before_anything_is_fetched(open_house, hub, tmp_path):
    offer(hub, tmp_path, DATA)
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(catalog.read_text().replace(f"bytes = {len(DATA)}", "bytes = " + "9" * 16))
    house = open_house(HF_ENDPOINT=hub.url)

    answer = start(house)

    assert (answer.status_code, answer.json["error"]["code"]) == (507, "disk_full")
    assert row(house) is None


def test_a_failed_one_says_why(house, hub):
    hub.always = (403, {"X_Error_Code": "GatedRepo"})
    start(house)

    found = until(lambda: (found := row(house))["state"] == "failed" and found)

    assert found["error"]["code"] == "hub_gated"
    assert "accept its terms" in found["error"]["message"]
    assert "hf_secret" not in json.dumps(found)
    assert hub.fetches()[0].headers["Authorization"] == "Bearer hf_secret"


def test_a_model_is_removed_and_says_what_that_frees(house, tmp_path):
    start(house)
    done(house)

    shown = house.admin("DELETE", "/api/models/some-model?preview=1").json
    there = (tmp_path / "models" / "some-model.gguf").exists()
    removed = house.admin("DELETE", "/api/models/some-model").json

    assert shown == {"id": "some-model", "deleted": False, "freed_bytes": len(DATA)}
    assert there
    assert removed == {"id": "some-model", "deleted": True, "freed_bytes": len(DATA)}
    assert row(house) is None
    again = house.admin("DELETE", "/api/models/some-model")
    assert (again.status_code, again.json["error"]["code"]) == (404, "model_not_downloaded")


def test_a_model_that_nobody_knows_is_not_removed(house):
    assert house.admin("DELETE", "/api/models/nothing").status_code == 404


def test_a_model_that_the_user_brought_is_called_no_more(house, tmp_path):
    mine = model_file(tmp_path / "own" / "mine.gguf")
    before = mine.read_bytes()
    taken = house.admin("POST", "/api/models/import", {"path": str(mine), "name": "mine"})
    assert taken.status_code == 201, taken.text

    removed = house.admin("DELETE", "/api/models/mine")

    assert removed.json["deleted"] is True
    assert "mine" not in house.services.catalog.models
    assert mine.read_bytes() == before
    assert not (tmp_path / "models" / "mine.gguf").exists()


def test_a_model_of_the_hub_is_named_by_where_it_lies(house, hub, tmp_path):
    hub.put("o/r", "tiny.gguf", model_file(tmp_path / "own" / "tiny.gguf").read_bytes())
    hub.put("o/r", "tiny-q8.gguf", b"other")

    unclear = start(house, "o/r")
    begun = start(house, "o/r:tiny.gguf")
    until(lambda: row(house, "tiny")["state"] == "done")

    assert (unclear.status_code, unclear.json["error"]["code"]) == (400, "choose_file")
    assert "tiny.gguf (0 MB), tiny-q8.gguf" in unclear.json["error"]["message"]
    assert (begun.status_code, begun.json["id"]) == (202, "tiny")
    assert "tiny" in house.services.catalog.models
    assert house.admin("DELETE", "/api/models/tiny").json["deleted"] is True
    assert "tiny" not in house.services.catalog.models
    assert row(house, "tiny") is None


def test_a_repository_that_the_hub_does_not_know_is_said(house):
    answer = start(house, "nobody/nothing")

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "hub_not_found")

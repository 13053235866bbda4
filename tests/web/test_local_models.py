"""Files that the user has: found, taken over, and called at once."""

import json
import os
import shutil

import pytest

from larouter.engines.files import Files
from tests.engines.ggufs import model_file
from tests.engines.starter import STARTER


@pytest.fixture
def path(tmp_path):
    return model_file(tmp_path / "own" / "mine.gguf")


def take(house, path, **fields):
    return house.admin("POST", "/api/models/import", {"path": str(path), **fields})


def models(house):
    return [row["id"] for row in house.ask("GET", "/v1/models").json["data"]]


def test_an_imported_model_can_be_named_at_once(house, path):
    made = take(house, path)

    assert made.status_code == 201
    assert (made.json["id"], made.json["model"]) == ("my-model", "local/my-model")
    assert (made.json["context"], made.json["path"]) == (4096, None)
    assert made.json["facts"]["architecture"] == "llama"
    assert "my-model" in models(house)
    assert house.ask("GET", "/v1/models/local/my-model").json["context_window"] == 4096


def test_an_imported_model_is_there_after_a_restart(open_house, path):
    take(open_house(), path, name="mine")

    assert open_house().services.catalog.models["mine"].context == 4096


def test_a_stream_says_how_far_it_is(house, path):
    answer = take(house, path, stream=True)

    said = [json.loads(line) for line in answer.text.splitlines()]
    assert (answer.status_code, answer.mimetype) == (201, "application/x-ndjson")
    assert said[-1]["status"] == "done"
    assert all(line["status"] == "hashing" for line in said[:-1])


def test_a_file_comes_once(house, path):
    take(house, path)

    again = take(house, path, name="other")

    assert (again.status_code, again.json["error"]["code"]) == (409, "model_exists")


def test_two_files_of_one_name_get_two_names(house, path, tmp_path):
    take(house, path)

    made = take(house, model_file(tmp_path / "own" / "b.gguf", salt=1))

    assert made.json["id"] == "my-model-2"


@pytest.mark.parametrize("name", ["auto", "simple", "smollm2-135m"])
def test_a_name_that_means_something_is_refused(house, path, name):
    answer = take(house, path, name=name)

    assert (answer.status_code, answer.json["error"]["param"]) == (409, "name")


@pytest.mark.parametrize("name", ["", "A b", "../x", 7, "x" * 101])
def test_an_odd_name_is_refused(house, path, name):
    assert take(house, path, name=name).status_code == 400


@pytest.mark.parametrize("body", [{}, {"path": 1}, {"path": "x"}, {"path": "/etc/hostname"}])
def test_what_is_no_model_file_is_refused(house, body):
    assert house.admin("POST", "/api/models/import", body).status_code == 400


def test_a_file_that_went_and_came_back_elsewhere_keeps_its_name(house, path, tmp_path):
    take(house, path, name="mine")
    (house.services.files.folder / "mine.gguf").unlink()
    moved = tmp_path / "moved.gguf"
    path.rename(moved)

    assert take(house, moved).json["id"] == "mine"


def test_a_known_file_becomes_the_known_model(house, tmp_path):
    """The starter model is in a package here: to be missing, it has to be one of downloads."""
    known = Files(tmp_path, tmp_path / "v").find(STARTER)
    assert known is not None
    copy = tmp_path / "own" / "copy.gguf"
    copy.parent.mkdir()
    shutil.copyfile(known, copy)

    made = take(house, copy)

    assert made.json["model"] == "local/smollm2-135m"
    assert house.services.own_models.all() == ()


def test_files_of_other_programs_are_found_and_known(open_house, tmp_path):
    folder = tmp_path / "lm"
    path = model_file(folder / "a" / "b" / "mine.gguf")
    os.truncate(path, 2_000_000)
    house = open_house(HOME=str(tmp_path / "nobody"), LLAMA_CACHE=str(folder))

    (row,) = house.admin("GET", "/api/models/found").json["data"]
    assert (row["program"], row["name"], row["bytes"]) == ("llama.cpp", "mine.gguf", 2_000_000)
    assert (row["model"], row["is_here"]) == (None, False)


def test_a_found_file_of_a_known_size_may_be_a_known_model(open_house, tmp_path):
    path = tmp_path / "lm" / "gemma.gguf"
    path.parent.mkdir()
    path.touch()
    os.truncate(path, 3_349_516_256)
    house = open_house(HOME=str(tmp_path / "nobody"), LLAMA_CACHE=str(tmp_path / "lm"))

    (row,) = house.admin("GET", "/api/models/found").json["data"]

    assert (row["model"], row["is_here"], row["sha256"]) == ("local/gemma-4-e2b", False, None)

"""Rows of the models that the user brought along."""

from dataclasses import replace

import pytest

from larouter.core.errors import Conflict, NotFound
from larouter.store.local_models import LocalModel, LocalModels

MINE = LocalModel(
    id="mine", title="Mine", file="mine.gguf", path="/disk/mine.gguf", bytes=10, sha256="a" * 64,
    context=4096, abilities=frozenset({"tools", "logprobs"}), facts={"layers": 2},
    repo="me/mine", revision="b" * 40, pinned=True, added_ms=5,
)  # fmt: skip


@pytest.fixture
def models(writer):
    return LocalModels(writer)


def test_what_was_added_is_there_after_a_restart(models, writer):
    models.add(MINE)

    assert LocalModels(writer).all() == (MINE,)


def test_it_is_a_model_that_costs_nothing(models):
    model = models.add(MINE).as_model()

    assert (model.key, model.is_local, model.context) == ("local/mine", True, 4096)
    assert model.file is not None
    assert (model.file.path, model.file.sha256) == ("/disk/mine.gguf", "a" * 64)
    assert "me/mine" in model.source
    assert model.price.input == 0


def test_what_nobody_has_read_stays_empty(models):
    bare = LocalModel(id="x", title="x", file="x.gguf", bytes=1, sha256="c" * 64)

    added = models.add(bare)

    assert (added.context, added.repo, added.path, added.pinned) == (None, None, None, False)
    assert added.added_ms > 1_700_000_000_000
    assert "from" not in added.as_model().source


def test_one_name_is_one_model(models):
    models.add(MINE)

    with pytest.raises(Conflict) as caught:
        models.add(replace(MINE, sha256="d" * 64))

    assert caught.value.code == "model_exists"


def test_one_is_found_by_name_and_by_content(models):
    models.add(MINE)

    assert models.get("mine") == models.of_file("a" * 64) == MINE
    assert models.get("other") is models.of_file("d" * 64) is None


def test_a_removed_one_is_gone(models, writer):
    models.add(MINE)

    assert models.remove("mine") == MINE
    assert models.all() == LocalModels(writer).all() == ()
    with pytest.raises(NotFound):
        models.remove("mine")


def test_another_process_brings_one(models, writer):
    LocalModels(writer).add(MINE)

    models.reload()

    assert models.as_models() == [MINE.as_model()]

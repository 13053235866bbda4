"""Removing a model frees what it takes, and nothing else."""

from dataclasses import replace

import pytest

from larouter.core.catalog import Model, ModelFile
from larouter.core.errors import BadRequest, Conflict, NotFound
from larouter.downloads.queue import Downloads
from larouter.downloads.removal import Removal
from tests.downloads.conftest import DATA, NAME, REPO, order_for
from tests.downloads.downloading import ended, going, place_at

MODEL = Model(
    id="some-model", name="some-model", provider="local", file=ModelFile(name=NAME, repo=REPO)
)


class Engine:
    """What runs the model, or does not."""

    def __init__(self, state="stopped", is_stubborn=False):
        self.now, self.is_stubborn, self.stopped = state, is_stubborn, []

    def state(self, model):
        return self.now

    def stop(self, model):
        self.stopped.append(model.id)
        self.now = self.now if self.is_stubborn else "stopped"


@pytest.fixture
def downloads(hub, tmp_path):
    downloads = Downloads(place_at(hub, tmp_path))
    yield downloads
    downloads.close()


@pytest.fixture
def removal(downloads, tmp_path):
    def build(engine=None):
        engine = engine or Engine()
        models = tmp_path / "models"
        return Removal(models, downloads, state=engine.state, stop=engine.stop)

    return build


def test_a_downloaded_model_goes_with_its_row(removal, downloads, tmp_path):
    downloads.start(order_for())
    ended(downloads)

    assert removal().remove(MODEL, is_preview=True) == len(DATA)
    assert (tmp_path / "models" / NAME).exists()
    assert removal().remove(MODEL) == len(DATA)

    assert not (tmp_path / "models" / NAME).exists()
    assert downloads.rows() == []


def test_a_download_under_way_is_cancelled(removal, downloads, hub):
    hub.rate = 4_000_000
    downloads.start(order_for())
    going(downloads, more_than=400_000)

    assert removal().remove(MODEL) >= 400_000
    assert downloads.rows() == []


def test_what_runs_it_ends_first(removal, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / NAME).write_bytes(DATA)
    engine = Engine("ready")

    removal(engine).remove(MODEL)

    assert engine.stopped == ["some-model"]


def test_what_does_not_end_keeps_its_file(removal, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / NAME).write_bytes(DATA)

    with pytest.raises(Conflict) as caught:
        removal(Engine("ready", is_stubborn=True)).remove(MODEL)

    assert caught.value.code == "model_in_use"
    assert (tmp_path / "models" / NAME).exists()


def test_what_another_program_keeps_as_well_is_not_counted(removal, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / NAME).write_bytes(DATA)
    (tmp_path / "other").hardlink_to(tmp_path / "models" / NAME)

    assert removal().remove(MODEL) == 0
    assert (tmp_path / "other").read_bytes() == DATA


def test_a_file_that_the_user_keeps_elsewhere_is_left_alone(downloads, tmp_path):
    (tmp_path / "mine.gguf").write_bytes(DATA)
    file = ModelFile(name=NAME, path=str(tmp_path / "mine.gguf"))
    model, engine = replace(MODEL, file=file), Engine()
    forgotten: list[Model] = []
    removal = Removal(
        tmp_path, downloads, state=engine.state, stop=engine.stop, forget=forgotten.append
    )

    assert removal.remove(model) == 0
    assert forgotten == [model]
    assert (tmp_path / "mine.gguf").read_bytes() == DATA


def test_what_is_not_here_cannot_be_removed(removal):
    with pytest.raises(NotFound, match="nothing to remove"):
        removal().remove(MODEL)


@pytest.mark.parametrize(
    "model",
    [
        Model(id="gpt", name="gpt", provider="openai"),
        Model(id="s", name="s", provider="local", file=ModelFile(name="s.gguf", package="p")),
    ],
)
def test_what_is_not_on_the_disk_by_our_doing_is_not_ours_to_remove(removal, model):
    with pytest.raises(BadRequest):
        removal().remove(model)

"""Names that can do no harm, and the order for a model of the catalogue."""

import pytest

from larouter.core.catalog import Model, ModelFile
from larouter.core.errors import BadRequest
from larouter.downloads.order import checked, order_of
from tests.downloads.conftest import order_for, piece_of

SHA = "ab" * 32


def model(**facts):
    file = ModelFile(name="m.gguf", bytes=9, sha256=SHA, repo="owner/repo", revision="abc")
    return Model(**{"id": "m", "name": "m", "provider": "local", "file": file, **facts})


def test_an_order_is_what_the_catalogue_pins():
    order = order_of(model(title="M"), 5)

    (piece,) = order.files
    assert (order.id, order.title, order.made_ms, order.total) == ("m", "M", 5, 9)
    assert (piece.repo, piece.revision, piece.sha256, piece.pinned) == (
        "owner/repo", "abc", SHA, True,
    )  # fmt: skip


def test_without_a_hash_nothing_is_pinned():
    order = order_of(model(file=ModelFile(name="m.gguf", repo="o/r")), 5)

    (piece,) = order.files
    assert (piece.revision, piece.pinned, piece.is_known, order.total) == (
        "main", False, False, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"provider": "openai", "file": None}, "nothing to download"),
        ({"file": None}, "nothing to download"),
        ({"file": ModelFile(name="m.gguf", package="p")}, "No repository is known"),
    ],
)
def test_what_cannot_be_downloaded_is_said(facts, says):
    with pytest.raises(BadRequest, match=says):
        order_of(model(**facts), 5)


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "../m.gguf"}, {"name": "a/m.gguf"}, {"name": "/etc/m.gguf"}, {"name": ".m.gguf"},
        {"name": "-m.gguf"}, {"name": "m.bin"}, {"name": "m.gguf\n"}, {"name": "m\0.gguf"},
        {"name": "m.pkl.gguf.exe"}, {"name": "a\\m.gguf"}, {"name": "x" * 200 + ".gguf"},
        {"repo": "../x"}, {"repo": "owner"}, {"repo": "a/b/c"}, {"repo": "a/b?c"}, {"repo": "a/.."},
        {"path": "../m.gguf"}, {"path": "a/../m.gguf"}, {"path": "/m.gguf"}, {"path": "a//m.gguf"},
        {"path": "m.bin"}, {"revision": "../main"}, {"revision": ""}, {"revision": "refs/pr/1"},
        {"sha256": "zz"}, {"bytes": 0}, {"bytes": -1},
    ],
)  # fmt: skip
def test_a_name_that_could_lead_elsewhere_is_refused(facts):
    with pytest.raises(BadRequest) as caught:
        checked(order_for(piece_of(**facts)))

    assert caught.value.code == "unsafe_name"


@pytest.mark.parametrize("order_id", ["../x", "a/b", "", ".x", "x" * 200])
def test_an_id_is_a_file_s_name_too(order_id):
    with pytest.raises(BadRequest):
        checked(order_for(order_id=order_id))


def test_two_files_of_one_name_are_refused():
    with pytest.raises(BadRequest, match="same name"):
        checked(order_for(piece_of(), piece_of(name="MODEL.gguf")))


def test_a_folder_of_the_repository_is_fine():
    assert checked(order_for(piece_of(path="Q4_K_M/model.gguf")))

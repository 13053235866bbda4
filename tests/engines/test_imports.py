"""A file on its way in: what is refused, and that the user's own stays as it was."""

import hashlib
import os
import sys

import pytest

from larouter.core.catalog import Model, ModelFile
from larouter.core.errors import BadRequest, Conflict
from larouter.engines.files import Files
from larouter.engines.heads import Heads
from larouter.engines.imports import Import
from tests.engines.ggufs import model_file
from tests.engines.starter import ENVIRONMENT


@pytest.fixture(scope="module")
def heads():
    return Heads(ENVIRONMENT)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path / "home" / "models", tmp_path / "home" / "verified.json")


@pytest.fixture
def path(tmp_path):
    return model_file(tmp_path / "own" / "mine.gguf")


def refusal(path, heads):
    with pytest.raises(BadRequest) as caught:
        Import(str(path), heads)
    assert (caught.value.code, caught.value.param) == ("not_a_model", "path")
    return caught.value.message


def test_a_file_is_hashed_and_says_how_far_it_is(path, heads):
    coming = Import(str(path), heads)
    before = coming.done

    digest = coming.digest()

    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (before, coming.done) == (0, coming.total)


def test_a_linked_file_is_found_verified_and_the_same_one(path, heads, files):
    coming = Import(str(path), heads)
    digest = coming.digest()

    linked = coming.link(files, "mine.gguf", digest)

    place = files.folder / "mine.gguf"
    assert linked.path is None
    assert place.samefile(path)
    assert files.is_verified(place, digest)
    assert path.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only")
def test_a_pipe_is_no_file(tmp_path, heads):
    os.mkfifo(tmp_path / "pipe.gguf")

    assert "not a file" in refusal(tmp_path / "pipe.gguf", heads)


def test_a_file_that_cannot_be_linked_is_remembered_where_it_is(path, heads, files, monkeypatch):
    def other_disk(*_, **__):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    coming = Import(str(path), heads)
    digest = coming.digest()

    linked = coming.link(files, "mine.gguf", digest)

    file = ModelFile(name="mine.gguf", bytes=coming.total, sha256=digest, path=linked.path)
    model = Model(id="mine", name="mine", provider="local", file=file)
    assert linked.path == str(path)
    assert files.find(model) == path
    assert files.is_verified(path, digest)
    assert not any(files.folder.iterdir())


def test_a_file_put_into_the_folder_by_hand_stays_what_it_is(heads, files):
    path = model_file(files.folder / "by-hand.gguf")
    coming = Import(str(path), heads)

    linked = coming.link(files, "mine.gguf", coming.digest())

    assert (linked.name, linked.path) == ("by-hand.gguf", None)
    assert [each.name for each in files.folder.iterdir()] == ["by-hand.gguf"]


def test_a_file_of_that_name_is_never_replaced(path, heads, files):
    model_file(files.folder / "mine.gguf", salt=1)
    coming = Import(str(path), heads)

    with pytest.raises(Conflict):
        coming.link(files, "mine.gguf", coming.digest())


def test_linking_twice_is_linking_once(path, heads, files):
    coming = Import(str(path), heads)
    digest = coming.digest()

    assert coming.link(files, "mine.gguf", digest) == coming.link(files, "mine.gguf", digest)


def test_a_file_that_changes_while_it_is_read_is_refused(path, heads):
    coming = Import(str(path), heads)
    os.utime(path, ns=(0, 1))

    with pytest.raises(BadRequest, match="changed"):
        coming.digest()


def test_a_cancelled_import_ends(path, heads):
    coming = Import(str(path), heads)
    coming.is_cancelled = True
    coming.total += 1

    with pytest.raises(BadRequest):
        coming.digest()


@pytest.mark.skipif(sys.platform == "win32", reason="a symlink needs a privilege there")
def test_a_link_of_a_cache_is_followed_once(path, heads, files, tmp_path):
    link = tmp_path / "snapshot.gguf"
    link.symlink_to(path)

    assert Import(str(link), heads).path == path


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"split.count": 3}, "3 parts"),
        ({"general__architecture": "clip"}, "not a language model"),
        ({"tensors": 0}, "no weights"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path, heads, facts, words):
    assert words in refusal(model_file(tmp_path / "x.gguf", **facts), heads)


@pytest.mark.parametrize("path", ["relative.gguf", "/no/such/file", "/etc", "/etc/passwd", "/\0"])
def test_what_is_no_file_is_refused(path, heads):
    refusal(path, heads)


@pytest.mark.parametrize(
    ("facts", "abilities"),
    [
        ({}, {"json_schema", "logprobs"}),
        ({"tokenizer__chat_template": "{{ tools }}"}, {"json_schema", "logprobs", "tools"}),
        ({"tokenizer__chat_template": "<|im_start|>"}, {"json_schema", "logprobs", "tools"}),
        ({"llama__pooling_type": 1}, {"embeddings"}),
    ],
)
def test_a_head_says_what_the_model_can_do(tmp_path, heads, facts, abilities):
    coming = Import(str(model_file(tmp_path / "x.gguf", **facts)), heads)

    assert coming.abilities == abilities

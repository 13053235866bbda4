"""Files that other programs keep, in the folders as those programs lay them out."""

import json
import os

import pytest

from larouter.engines.found import Found, find_files

SIZE = 1024 * 1024
DIGEST = "ab" * 32


def sparse(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, size)
    return path


def manifest(folder, *parts, digest=f"sha256:{DIGEST}", kind="application/vnd.ollama.image.model"):
    path = folder.joinpath("manifests", *parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    layers = [{"mediaType": "x/license", "digest": "y"}, {"mediaType": kind, "digest": digest}]
    path.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("registry.ollama.ai", "library", "gemma3", "latest"), "gemma3:latest"),
        (("registry.ollama.ai", "me", "mine", "7b"), "registry.ollama.ai/me/mine:7b"),
        (("hf.co", "a", "b", "Q4_0"), "hf.co/a/b:Q4_0"),
    ],
)
def test_a_model_of_ollama_is_found_by_its_manifest(tmp_path, parts, name):
    blob = sparse(tmp_path / "blobs" / f"sha256-{DIGEST}")
    manifest(tmp_path, *parts)

    assert find_files({"ollama": [tmp_path]}) == [
        Found(path=str(blob), program="ollama", name=name, bytes=SIZE, sha256=DIGEST)
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"digest": "sha256:../../x"},
        {"digest": 7},
        {"kind": "x/other"},
        {"digest": "sha256:" + "0" * 64},
    ],
)
def test_an_odd_manifest_names_nothing(tmp_path, options):
    sparse(tmp_path / "blobs" / f"sha256-{DIGEST}")
    manifest(tmp_path, "registry.ollama.ai", "library", "x", "latest", **options)

    assert find_files({"ollama": [tmp_path]}) == []


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b"[" * 100_000, b"\xff"])
def test_a_torn_manifest_names_nothing(tmp_path, torn):
    path = tmp_path / "manifests" / "x"
    path.parent.mkdir()
    path.write_bytes(torn)

    assert find_files({"ollama": [tmp_path]}) == []


def test_a_model_of_lm_studio_is_found_by_its_name(tmp_path):
    path = sparse(tmp_path / "google" / "gemma" / "gemma-Q4_0.gguf")
    sparse(tmp_path / "google" / "gemma" / "readme.md")

    assert find_files({"lm-studio": [tmp_path]}) == [
        Found(path=str(path), program="lm-studio", name="gemma-Q4_0.gguf", bytes=SIZE)
    ]


def test_a_model_of_the_hub_s_cache_is_found_behind_its_link(tmp_path):
    repo = tmp_path / "models--google--gemma"
    blob = sparse(repo / "blobs" / DIGEST)
    link = repo / "snapshots" / "1234" / "gemma.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)

    assert find_files({"hugging-face": [tmp_path]}) == [
        Found(path=str(blob), program="hugging-face", name="gemma.gguf", bytes=SIZE, sha256=DIGEST)
    ]


def test_two_names_of_one_file_are_one_file(tmp_path):
    sparse(tmp_path / "blobs" / f"sha256-{DIGEST}")
    for tag in ("latest", "4b"):
        manifest(tmp_path, "registry.ollama.ai", "library", "gemma3", tag)

    assert len(find_files({"ollama": [tmp_path]})) == 1


def test_parts_small_files_and_broken_links_are_left_out(tmp_path):
    sparse(tmp_path / "big-00001-of-00003.gguf")
    sparse(tmp_path / "vocabulary.gguf", 1000)
    (tmp_path / "gone.gguf").symlink_to(tmp_path / "nowhere")
    sparse(tmp_path.joinpath(*"abcdefgh", "deep.gguf"))

    assert find_files({"llama.cpp": [tmp_path], "lm-studio": [tmp_path / "none"]}) == []

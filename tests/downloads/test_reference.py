"""`owner/repo:file`, and which file is meant."""

import pytest

from larouter.core.errors import BadRequest
from larouter.downloads.reference import Reference, choose, read_reference
from tests.downloads.conftest import piece_of

FILES = [
    piece_of(path="m-Q4_K_M.gguf", bytes=3_000_000_000),
    piece_of(path="m-Q8_0.gguf", bytes=6_000_000_000),
    piece_of(path="big/m-Q8_0-big.gguf", bytes=9_000_000_000),
]


def meant(file):
    return choose(Reference(repo="o/r", revision="main", file=file), FILES).path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("o/r", ("o/r", "main", None)),
        ("o/r:m.gguf", ("o/r", "main", "m.gguf")),
        ("o/r@abc:a/m.gguf", ("o/r", "abc", "a/m.gguf")),
        ("o/r@v1.0", ("o/r", "v1.0", None)),
    ],
)
def test_a_reference_is_read(text, found):
    reference = read_reference(text)

    assert reference is not None
    assert (reference.repo, reference.revision, reference.file) == found


@pytest.mark.parametrize(
    "text", ["gemma", "../x", "o/r:../m", "o/r:/m", "a/b/c", "o/r:", "ö/r", ""]
)
def test_what_is_no_reference_is_none(text):
    assert read_reference(text) is None


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("m-Q4_K_M.gguf", "m-Q4_K_M.gguf"),
        ("q4_k_m", "m-Q4_K_M.gguf"),
        ("m-Q8_0.gguf", "m-Q8_0.gguf"),
        ("big/m-Q8_0-big.gguf", "big/m-Q8_0-big.gguf"),
        ("m-Q8_0-big.gguf", "big/m-Q8_0-big.gguf"),
    ],
)
def test_a_file_may_be_named_in_short(file, path):
    assert meant(file) == path


def test_several_are_listed_with_their_sizes():
    with pytest.raises(BadRequest) as caught:
        meant(None)

    assert caught.value.code == "choose_file"
    assert caught.value.message == (
        "o/r has several files; name one, as o/r:FILE. m-Q4_K_M.gguf (3.0 GB), "
        "m-Q8_0.gguf (6.0 GB), big/m-Q8_0-big.gguf (9.0 GB)"
    )


def test_of_those_that_match_the_matching_ones_are_listed():
    with pytest.raises(BadRequest, match="several files") as caught:
        meant("q8")

    assert "Q4_K_M" not in caught.value.message


def test_a_file_that_is_not_there_is_said_with_those_that_are():
    with pytest.raises(BadRequest, match=r"has no such file; name one.*m-Q4_K_M\.gguf"):
        meant("q2")


def test_a_single_one_need_not_be_named():
    assert choose(Reference(repo="o/r", revision="main", file=None), FILES[:1]) == FILES[0]


def test_a_repository_without_models_is_said():
    with pytest.raises(BadRequest, match="has no GGUF file"):
        choose(Reference(repo="o/r", revision="main", file=None), [])

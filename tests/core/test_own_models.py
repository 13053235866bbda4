"""The user's own models beside those of the catalogue: names, and one file under two roofs."""

from dataclasses import replace

import pytest

from larouter.core.catalog import FREE, Model, ModelFile
from larouter.core.own_models import is_free, name_of, same_file, shape_of, with_own
from larouter.core.shape import Shape
from tests.fakes import a_catalog

SHA = "a" * 64
KNOWN = Model(
    id="gemma", name="gemma", provider="local", price=FREE, context=8,
    file=ModelFile(name="gemma.gguf", bytes=10, sha256=SHA, repo="google/gemma"),
)  # fmt: skip
CLOUD = Model(id="big", name="big", provider="openai")
UNPINNED = Model(id="new", name="new", provider="local", file=ModelFile(name="new.gguf", bytes=10))
CATALOG = a_catalog(UNPINNED, CLOUD, KNOWN, SIMPLE=("gemma",))


def own(id="mine", path="/disk/x.gguf", sha256=SHA):
    file = ModelFile(name=f"{id}.gguf", bytes=10, sha256=sha256, path=path)
    return Model(id=id, name=id, provider="local", file=file)


def test_a_model_of_the_user_s_is_one_more():
    mine = own()

    whole = with_own(CATALOG, [mine])

    assert whole.models["mine"] is mine
    assert whole.tiers == CATALOG.tiers
    assert with_own(CATALOG, []) is CATALOG


def test_a_known_file_is_the_known_model_at_another_place():
    whole = with_own(CATALOG, [own("gemma")])

    assert KNOWN.file is not None
    assert whole.models["gemma"].file == replace(KNOWN.file, path="/disk/x.gguf")
    assert whole.models["gemma"].context == 8


@pytest.mark.parametrize("stranger", [own("gemma", sha256="b" * 64), own("big"), own("new")])
def test_another_file_never_takes_a_known_name(stranger):
    assert with_own(CATALOG, [stranger]) is CATALOG


@pytest.mark.parametrize(
    ("size", "sha256", "found"),
    [(10, SHA, KNOWN), (10, None, KNOWN), (11, SHA, None), (10, "b" * 64, None)],
)
def test_a_file_is_known_by_size_and_digest(size, sha256, found):
    assert same_file(CATALOG, size, sha256) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My Model 7B (Q4_K)", "my-model-7b-q4_k"),
        ("../../etc/passwd", "etc-passwd"),
        ("模型", ""),
        ("x" * 200, "x" * 100),
        ("gemma-3", "gemma-3"),
    ],
)
def test_a_name_is_made_of_a_title(text, name):
    assert name_of(text) == name


@pytest.mark.parametrize(
    ("name", "free"),
    [
        ("mine", True), ("auto", False), ("gemma", False), ("simple", False), ("a/b", False),
        ("Mine", False), ("", False), ("-x", False), ("x" * 101, False),
    ],
)  # fmt: skip
def test_a_name_must_be_free(name, free):
    assert is_free(name, CATALOG) is free


FACTS = {"layers": 30, "heads": [9], "kv_heads": [3], "embedding": 576, "parameters": 134_515_008}


def test_a_plain_model_s_shape_follows_from_its_head():
    assert shape_of(FACTS) == Shape(
        layers=30, heads=3, head_dim=64, parameters=134_515_008, source="the file's own header"
    )
    assert shape_of({**FACTS, "key_length": 128, "shared_kv_layers": 2}) == Shape(
        layers=30, heads=3, head_dim=128, shared_layers=2, parameters=134_515_008,
        source="the file's own header",
    )  # fmt: skip


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"layers": 2, "heads": [0], "embedding": 8},
        {**FACTS, "kv_heads": [1, 2]},
        {**FACTS, "window": 512},
        {**FACTS, "value_length": 32},
        {"layers": 2, "kv_heads": [1]},
    ],
)
def test_a_shape_that_is_not_plain_is_not_guessed(facts):
    assert shape_of(facts) is None

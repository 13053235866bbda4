"""What Ollama's clients are told about models."""

import pytest

from larouter.core.catalog import Model, ModelFile
from larouter.wire.ollama.models import VERSION, listed, running, shown

_FILE = ModelFile(name="gemma-4-E4B_q4_0-it.gguf", bytes=5_154_941_280, sha256="ab" * 32)
_LOCAL = Model(
    id="gemma-4-e4b", name="gemma-4-e4b", provider="local", title="Gemma 4 E4B", context=131072,
    abilities=frozenset({"tools", "thinking"}), file=_FILE,
)  # fmt: skip
_CLOUD = Model(
    id="gpt-6", name="gpt-6", provider="openai", title="GPT-6", context=400_000,
    abilities=frozenset({"tools", "images"}),
)  # fmt: skip
_DATE = "2026-11-22"


def test_a_version_is_three_numbers():
    assert [int(part) for part in VERSION.split(".")] >= [0, 9, 0]
    assert len(VERSION.split(".")) == 3


def test_a_local_model_is_listed_with_its_file():
    assert listed("gemma-4-e4b", (_LOCAL,), _DATE) == {
        "name": "gemma-4-e4b:latest",
        "model": "gemma-4-e4b:latest",
        "modified_at": "2026-11-22T00:00:00Z",
        "size": 5_154_941_280,
        "digest": "ab" * 32,
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "larouter",
            "families": ["larouter"],
            "parameter_size": "4B",
            "quantization_level": "Q4_0",
        },
    }


@pytest.mark.parametrize("models", [(_CLOUD,), (_LOCAL, _CLOUD), ()])
def test_what_has_no_file_is_listed_all_the_same(models):
    entry = listed("auto", models, _DATE)

    assert entry["size"] == 0
    assert len(entry["digest"]) == 64
    assert entry["details"]["quantization_level"] == ""
    assert entry["digest"] != listed("simple", models, _DATE)["digest"]


def test_a_file_of_unknown_size_is_listed():
    model = Model(id="x", name="x", provider="local", title="X 12B", file=ModelFile(name="x.gguf"))

    entry = listed("x", (model,), _DATE)

    assert (entry["size"], len(entry["digest"])) == (0, 64)
    assert entry["details"]["parameter_size"] == "12B"


def test_a_name_with_a_tag_keeps_it():
    assert listed("ollama/llama3:8b", (), _DATE)["name"] == "ollama/llama3:8b"


@pytest.mark.parametrize(
    ("models", "capabilities", "context"),
    [
        ((_LOCAL,), ["completion", "tools", "thinking"], 131072),
        ((_LOCAL, _CLOUD), ["completion", "tools", "vision", "thinking"], 400_000),
        ((), ["completion"], None),
        (
            (Model(id="e", name="e", provider="openai", abilities=frozenset({"embeddings"})),),
            ["embedding"],
            None,
        ),
    ],
)
def test_a_model_is_shown_with_what_it_can_do(models, capabilities, context):
    answer = shown("auto", models, _DATE)

    assert answer["capabilities"] == capabilities
    assert answer["model_info"]["general.architecture"] == "larouter"
    assert answer["model_info"].get("larouter.context_length") == context
    assert set(answer) >= {"details", "parameters", "template", "license", "modelfile"}


def test_running_models_are_told():
    [entry] = running([_LOCAL], _DATE)["models"]

    assert entry["name"] == "gemma-4-e4b:latest"
    assert (entry["context_length"], entry["size_vram"]) == (131072, 0)
    assert entry["expires_at"] > "2300"
    assert "modified_at" not in entry
    assert running([], _DATE) == {"models": []}

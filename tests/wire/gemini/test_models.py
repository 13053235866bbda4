"""The list of models in Google's shape."""

from larouter.core.catalog import Model
from larouter.wire.gemini.models import model_entry, model_list

ARGON = Model(
    id="gemini-4-argon", name="gemini-4-argon", provider="google", title="Gemini 4 Argon",
    context=1000, max_output=100, abilities=frozenset({"thinking"}),
)  # fmt: skip


def test_a_model_says_what_it_can_hold():
    entry = model_entry("gemini-4-argon", ARGON)

    assert entry["name"] == "models/gemini-4-argon"
    assert entry["displayName"] == "Gemini 4 Argon"
    assert (entry["inputTokenLimit"], entry["outputTokenLimit"]) == (1000, 100)
    assert entry["thinking"] is True
    assert "generateContent" in entry["supportedGenerationMethods"]


def test_what_is_not_known_is_left_out():
    entry = model_entry("x", Model(id="x", name="x", provider="custom"))

    assert entry["displayName"] == "x"
    assert "inputTokenLimit" not in entry
    assert "outputTokenLimit" not in entry


def test_a_name_of_ours_is_listed_too():
    assert model_list([model_entry("auto", None)])["models"][0]["displayName"] == "auto"

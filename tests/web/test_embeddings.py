"""Embeddings over the whole app: by strict fakes of the clouds, in each client's shape."""

import base64
import struct

import pytest

from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud
from tests.clouds.vectors import vector

OPENAI = "openai/text-embedding-3-small"
GOOGLE = "google/gemini-embedding-001"


@pytest.fixture(scope="module")
def openai_cloud():
    with OpenAICloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def gemini_cloud():
    with GeminiCloud() as cloud:
        yield cloud


@pytest.fixture
def house(open_house, openai_cloud, gemini_cloud):
    return open_house(
        OPENAI_API_KEY=openai_cloud.key,
        OPENAI_BASE_URL=f"{openai_cloud.url}/v1",
        GOOGLE_API_KEY=gemini_cloud.key,
        GOOGLE_GEMINI_BASE_URL=gemini_cloud.url,
        ANTHROPIC_API_KEY="sk-ant-test",
        ANTHROPIC_BASE_URL="http://127.0.0.1:9",
    )


def _openai(house, model=OPENAI, **fields):
    return house.ask("POST", "/v1/embeddings", {"model": model, "input": ["a", "b"], **fields})


def _near(values):
    return pytest.approx(values, abs=1e-6)


@pytest.mark.parametrize("model", [OPENAI, GOOGLE])
def test_texts_become_vectors(house, model):
    answer = _openai(house, model)

    assert answer.status_code == 200, answer.data
    assert [item["embedding"] for item in answer.json["data"]] == [
        _near(_of(model, "a")), _near(_of(model, "b")),
    ]  # fmt: skip
    assert answer.json["usage"]["prompt_tokens"] > 0
    assert answer.headers["x-larouter-model"] == model


def _of(model, text):
    """The fakes make vectors of the same kind; Gemini's are made of the text as well."""
    return vector(text)


@pytest.mark.parametrize("model", [OPENAI, GOOGLE])
def test_packed_numbers_are_the_same_numbers(house, model):
    answer = _openai(house, model, encoding_format="base64")

    packed = base64.b64decode(answer.json["data"][0]["embedding"])

    assert list(struct.unpack(f"<{len(packed) // 4}f", packed)) == _near(_of(model, "a"))


def test_a_call_is_in_the_books(house):
    answer = _openai(house)

    usage = house.ask("GET", "/api/usage").json
    assert usage["inputTokens"] == answer.json["usage"]["prompt_tokens"]
    assert usage["outputTokens"] == 0


@pytest.mark.parametrize("model", [OPENAI, GOOGLE])
def test_geminis_shape_is_answered(house, model):
    content = {"parts": [{"text": "a"}]}

    one = house.ask("POST", f"/v1beta/models/{model}:embedContent", {"content": content})
    batch = house.ask(
        "POST", f"/v1beta/models/{model}:batchEmbedContents",
        {"requests": [{"model": f"models/{model}", "content": content}]},
    )  # fmt: skip

    assert one.json["embedding"]["values"] == _near(_of(model, "a"))
    assert batch.json["embeddings"][0]["values"] == _near(_of(model, "a"))


@pytest.mark.parametrize("model", [OPENAI, GOOGLE])
def test_ollamas_shapes_are_answered(house, model):
    newer = house.ask("POST", "/api/embed", {"model": model, "input": ["a", "b"]})
    older = house.ask("POST", "/api/embeddings", {"model": model, "prompt": "a"})
    nothing = house.ask("POST", "/api/embed", {"model": model, "input": []})

    assert newer.json["embeddings"][1] == _near(_of(model, "b"))
    assert older.json["embedding"] == _near(_of(model, "a"))
    assert nothing.json == {"model": model, "embeddings": []}


@pytest.mark.parametrize("model", ["auto", "Auto", "simple", "frontier"])
def test_a_model_is_never_chosen_for_vectors(house, model):
    answer = _openai(house, model)

    assert answer.status_code == 400
    assert "provider/model" in answer.json["error"]["message"]
    assert answer.json["error"]["param"] == "model"


def test_an_unknown_model_is_not_chosen_either(open_house):
    house = open_house(LAROUTER_UNKNOWN_MODEL="auto")

    answer = _openai(house, "text-embedding-9")

    assert answer.status_code == 404
    assert answer.json["error"]["code"] == "model_not_found"


def test_a_provider_without_embeddings_says_so(house):
    answer = _openai(house, "anthropic/claude-embed")

    assert answer.status_code == 400
    assert "makes no embeddings" in answer.json["error"]["message"]


@pytest.mark.parametrize("model", ["gpt-6.2-sol", "smollm2-135m"])
def test_a_model_that_talks_is_not_asked(house, openai_cloud, model):
    seen = len(openai_cloud.seen)

    answer = _openai(house, model)

    assert answer.status_code == 400
    assert "makes no embeddings" in answer.json["error"]["message"]
    assert len(openai_cloud.seen) == seen


def test_a_model_of_the_catalogue_needs_no_provider(house):
    assert _openai(house, "text-embedding-3-small").headers["x-larouter-model"] == OPENAI


def test_tokens_are_for_providers_that_take_them(house, openai_cloud):
    assert _openai(house, input=[[1, 2], [3]]).status_code == 200
    assert openai_cloud.last.json["input"] == [[1, 2], [3]]
    assert _openai(house, GOOGLE, input=[1, 2]).status_code == 400


def test_a_wrong_request_is_a_400_in_the_callers_shape(house):
    openai = house.ask("POST", "/v1/embeddings", {"model": OPENAI})
    ollama = house.ask("POST", "/api/embed", {"model": OPENAI, "input": 3})
    gemini = house.ask("POST", f"/v1beta/models/{GOOGLE}:embedContent", {})

    assert openai.json["error"]["param"] == "input"
    assert ollama.json["error"].startswith("The field 'input'")
    assert gemini.json["error"]["status"] == "INVALID_ARGUMENT"
    assert {openai.status_code, ollama.status_code, gemini.status_code} == {400}


def test_without_a_bearer_nothing_is_asked(house, openai_cloud):
    seen = len(openai_cloud.seen)

    answer = house.ask("POST", "/v1/embeddings", {"model": OPENAI, "input": "a"}, bearer=False)

    assert answer.status_code == 401
    assert len(openai_cloud.seen) == seen

"""Embeddings there and back: three shapes of clients, two of providers."""

import base64
import itertools
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.chat import Usage
from larouter.core.errors import BadRequest, CannotCarry, UpstreamError
from larouter.wire.embeddings import (
    LOSSES,
    WIRES,
    read_gemini,
    read_ollama,
    read_openai,
    road,
    wire_among,
)
from larouter.wire.embeddings.request import GEMINI, OLLAMA, OPENAI, asked
from larouter.wire.embeddings.road import Embedding
from larouter.wire.road import Call

_CALL = Call(name="the-model")
_NUMBERS = [[0.5, -1.0], [2.0, 0.25]]


def _request(dialect, inputs=("a", "b"), **fields):
    contents = [{"content": {"parts": [{"text": text}]}, **fields} for text in inputs]
    body: dict
    match dialect:
        case "embeddings":
            body = {"model": "m", "input": inputs, **fields}
            return read_openai(json.dumps(body).encode())
        case "ollama-embeddings":
            body = {"model": "m", "input": inputs, **fields}
            return read_ollama(json.dumps(body).encode(), older=False)
        case "older":
            body = {"model": "m", "prompt": inputs[0], **fields}
            return read_ollama(json.dumps(body).encode(), older=True)
        case "gemini-embeddings":
            return read_gemini(json.dumps({"requests": contents}).encode(), "m", batch=True)
    return read_gemini(json.dumps(contents[0]).encode(), "m", batch=False)


def _sent(dialect, wire, *args, **fields):
    sending, _ = road(_request(dialect, *args, **fields), _CALL, wire)
    return sending.path, json.loads(sending.body)


def _openai(vectors=_NUMBERS, **fields):
    data = [{"index": index, "embedding": one} for index, one in enumerate(vectors)]
    usage = {"prompt_tokens": 7, "total_tokens": 7}
    return json.dumps({"data": data, "model": "theirs", "usage": usage, **fields}).encode()


def _gemini(vectors=_NUMBERS, **fields):
    return json.dumps({"embeddings": [{"values": one} for one in vectors], **fields}).encode()


def _packed(vector):
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _answered(dialect, wire, body, *args, **fields):
    _, way = road(_request(dialect, *args, **fields), _CALL, wire)
    return json.loads(way.whole(body, prompt_tokens=3)), way


def test_the_same_shape_passes_but_for_the_models_name():
    assert _sent(OPENAI, OPENAI, user="me", own=1) == (
        "embeddings", {"model": "the-model", "input": ["a", "b"], "user": "me", "own": 1},
    )  # fmt: skip
    assert _sent(GEMINI, GEMINI, ["a"], taskType="CLUSTERING") == (
        "v1beta/models/the-model:batchEmbedContents",
        {"requests": [{"content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING",
                       "model": "models/the-model"}]},
    )  # fmt: skip
    assert _sent("one", GEMINI, ["a"]) == (
        "v1beta/models/the-model:embedContent",
        {"content": {"parts": [{"text": "a"}]}, "model": "models/the-model"},
    )


@pytest.mark.parametrize("dialect", [GEMINI, OLLAMA])
def test_other_shapes_become_openais(dialect):
    size = "outputDimensionality" if dialect == GEMINI else "dimensions"
    plain = {"model": "the-model", "input": ["a", "b"], "encoding_format": "float"}

    assert _sent(dialect, OPENAI) == ("embeddings", plain)
    assert _sent(dialect, OPENAI, **{size: 9})[1] == {**plain, "dimensions": 9}


@pytest.mark.parametrize("dialect", [OPENAI, OLLAMA])
def test_other_shapes_become_geminis(dialect):
    path, body = _sent(dialect, GEMINI, dimensions=9)

    assert path == "v1beta/models/the-model:batchEmbedContents"
    assert body["requests"] == [
        {"model": "models/the-model", "content": {"parts": [{"text": text}]},
         "outputDimensionality": 9}
        for text in ("a", "b")
    ]  # fmt: skip
    assert "outputDimensionality" not in _sent(dialect, GEMINI)[1]["requests"][0]


@pytest.mark.parametrize("wire", ["chat", "anthropic", None])
def test_a_provider_without_embeddings_is_named(wire):
    with pytest.raises(BadRequest, match="makes no embeddings") as caught:
        road(_request(OPENAI), _CALL, wire)

    assert caught.value.param == "model"


def test_tokens_are_no_texts_for_gemini():
    with pytest.raises(CannotCarry, match="numbers of tokens"):
        road(_request(OPENAI, [[1, 2]]), _CALL, GEMINI)


def test_gemini_takes_a_hundred_texts():
    assert len(_sent(OPENAI, GEMINI, ["a"] * 100)[1]["requests"]) == 100
    with pytest.raises(BadRequest, match="at most 100"):
        road(_request(OPENAI, ["a"] * 101), _CALL, GEMINI)


def test_a_picture_is_no_text_for_openai():
    request = read_gemini(b'{"content":{"parts":[{"inlineData":{}}]}}', "m", batch=False)

    with pytest.raises(CannotCarry, match="text only"):
        road(request, _CALL, OPENAI)
    assert road(request, _CALL, GEMINI)[0].path.endswith(":embedContent")


@pytest.mark.parametrize(
    ("dialect", "wires", "found"),
    [
        (OPENAI, ("chat", "completions", OPENAI), OPENAI),
        (OLLAMA, ("gemini", GEMINI), GEMINI),
        (GEMINI, (OPENAI, GEMINI), GEMINI),
        (OPENAI, (GEMINI, OPENAI), OPENAI),
        (OLLAMA, (GEMINI, OPENAI), OPENAI),
        (OPENAI, ("anthropic",), None),
    ],
)
def test_of_a_providers_formats_one_embeds(dialect, wires, found):
    assert wire_among(_request(dialect), wires) == found


def test_the_same_shape_comes_back_as_it_came():
    body = _openai()
    _, way = road(_request(OPENAI), _CALL, OPENAI)

    assert way.whole(body, prompt_tokens=3) == body
    assert way.usage == Usage(input=7)
    assert (way.started, way.done, way.call_ids, way.provider_id) == (True, True, [], None)
    assert (way.delivered(), way.parts()) == (0, ())


def test_geminis_answer_comes_back_as_it_came():
    body = b'{"embedding":{"values":[1.5]},"usageMetadata":{"promptTokenCount":4}}'
    _, way = road(_request("one"), _CALL, GEMINI)

    assert way.whole(body, prompt_tokens=3) == body
    assert way.usage == Usage(input=4)


@pytest.mark.parametrize("sent", [_NUMBERS, [_packed(one) for one in _NUMBERS]])
@pytest.mark.parametrize(
    ("form", "found"), [("float", _NUMBERS), ("base64", [_packed(one) for one in _NUMBERS])]
)
def test_a_client_gets_the_form_that_it_asked_for(sent, form, found):
    answer, _ = _answered(OPENAI, OPENAI, _openai(sent), encoding_format=form)

    assert [item["embedding"] for item in answer["data"]] == found
    assert [item["index"] for item in answer["data"]] == [0, 1]


def test_geminis_answer_becomes_openais():
    answer, way = _answered(OPENAI, GEMINI, _gemini(usageMetadata={"promptTokenCount": 4}))

    assert answer == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": one}
            for index, one in enumerate(_NUMBERS)
        ],
        "model": "the-model",
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    assert way.usage == Usage(input=4)


def test_sound_and_pictures_are_counted_apart():
    details = [{"modality": name, "tokenCount": count}
               for name, count in (("TEXT", 4), ("AUDIO", 3), ("IMAGE", 2))]  # fmt: skip
    told = {"promptTokenCount": 9, "promptTokensDetails": details}

    _, way = _answered(GEMINI, GEMINI, _gemini(usageMetadata=told))

    assert way.usage == Usage(input=4, audio=3, image=2)


@pytest.mark.parametrize("metadata", [None, {}, {"promptTokenCount": -1}, 7])
def test_a_provider_that_does_not_count_is_estimated(metadata):
    answer, way = _answered(OPENAI, GEMINI, _gemini(usageMetadata=metadata))

    assert way.usage is None
    assert answer["usage"]["prompt_tokens"] == 3


def test_openais_answer_becomes_geminis():
    batch, _ = _answered(GEMINI, OPENAI, _openai([_packed(one) for one in _NUMBERS]))
    single, _ = _answered("one", OPENAI, _openai(_NUMBERS[:1], usage=None))

    assert batch == {
        "embeddings": [{"values": one} for one in _NUMBERS],
        "usageMetadata": {"promptTokenCount": 7},
    }
    assert single == {
        "embedding": {"values": _NUMBERS[0]},
        "usageMetadata": {"promptTokenCount": 3},
    }


def test_openais_answer_becomes_ollamas():
    request = _request(OLLAMA)
    clock = itertools.count(100, 10).__next__
    way = Embedding(request, asked(request), _CALL, OPENAI, clock)

    assert json.loads(way.whole(_openai(), prompt_tokens=3)) == {
        "model": "theirs",
        "embeddings": _NUMBERS,
        "total_duration": 10,
        "load_duration": 0,
        "prompt_eval_count": 7,
    }
    older, _ = _answered("older", OPENAI, _openai(_NUMBERS[:1], model=None))
    assert older == {"embedding": _NUMBERS[0]}


def test_vectors_come_in_the_order_of_their_texts():
    data = [{"index": 1, "embedding": [1.0]}, {"index": 0, "embedding": [0.0]}]
    answer, _ = _answered(OLLAMA, OPENAI, json.dumps({"data": data}).encode())

    assert answer["embeddings"] == [[0.0], [1.0]]

    unnumbered = [{"embedding": [1.0]}, {"embedding": [0.0]}]
    answer, _ = _answered(OLLAMA, OPENAI, json.dumps({"data": unnumbered}).encode())
    assert answer["embeddings"] == [[1.0], [0.0]]


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (OPENAI, b"<html>"),
        (OPENAI, b"\xff"),
        (OPENAI, b"[]"),
        (OPENAI, b"{}"),
        (OPENAI, b'{"error":{"message":"no"},"data":[]}'),
        (OPENAI, b'{"data":[{"embedding":[1.0]}]}'),
        (OPENAI, b'{"data":[{"embedding":[1.0]},{"embedding":null}]}'),
        (OPENAI, b'{"data":[{"embedding":"A"},{"embedding":"%%"}]}'),
        (OPENAI, b'{"data":[{"embedding":"AAA="},{"embedding":"AAA="}]}'),
        (GEMINI, b"{}"),
        (GEMINI, b'{"error":{"code":500}}'),
        (GEMINI, b'{"embedding":{"values":[1.0]}}'),
    ],
)
def test_what_is_no_answer_is_the_providers_fault(wire, body):
    with pytest.raises(UpstreamError):
        _answered(OLLAMA, wire, body)


def test_what_are_no_numbers_are_not_packed():
    with pytest.raises(UpstreamError, match="not JSON with embeddings"):
        _answered(OPENAI, OPENAI, _openai([["a"], [1.0]]), encoding_format="base64")


def test_an_answer_of_both_forms_gets_one():
    answer, _ = _answered(
        OPENAI, OPENAI, _openai([_packed([1.0]), [2.0]]), encoding_format="base64"
    )

    assert [item["embedding"] for item in answer["data"]] == [_packed([1.0]), _packed([2.0])]


def test_numbers_beyond_measure_are_the_providers_fault():
    with pytest.raises(UpstreamError, match="impossible numbers"):
        _answered(OPENAI, OPENAI, _openai([[1e300], [1.0]]), encoding_format="base64")


def test_it_comes_whole_or_not_at_all():
    _, way = road(_request(OPENAI), _CALL, OPENAI)

    with pytest.raises(UpstreamError):
        way.feed(b"data: {}\n\n")
    with pytest.raises(UpstreamError):
        way.finish(prompt_tokens=1)
    assert json.loads(way.broken(UpstreamError("Gone.")))["error"]["message"] == "Gone."


_OTHER = {OPENAI: GEMINI, GEMINI: OPENAI, OLLAMA: OPENAI}


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        (name, row.field)
        for name, rows in LOSSES.items()
        for row in rows
        if row.becomes == "left out"
    ],
)
def test_what_is_left_out_changes_nothing(dialect, field):
    value = {"a": 1} if field == "options" else "x"

    assert _sent(dialect, _OTHER[dialect], **{field: value}) == _sent(dialect, _OTHER[dialect])


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_survive_their_packed_form(vector):
    packed, _ = _answered(OPENAI, OPENAI, _openai([vector]), ["a"], encoding_format="base64")

    item = packed["data"][0]["embedding"]
    back, _ = _answered(OPENAI, OPENAI, _openai([item]), ["a"], encoding_format="float")

    assert back["data"][0]["embedding"] == vector
    assert frozenset({OPENAI, GEMINI}) == WIRES

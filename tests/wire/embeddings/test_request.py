"""Requests for embeddings, in each of the three shapes."""

import json

import pytest

from larouter.core.errors import BadRequest
from larouter.wire.embeddings import DIALECTS, no_inputs, read_gemini, read_ollama, read_openai
from larouter.wire.embeddings.request import Asked, asked


def _openai(**fields):
    return read_openai(json.dumps({"model": "openai/e", "input": "Hi", **fields}).encode())


def _gemini(*, batch=False, **fields):
    content = {"parts": [{"text": "Hi"}]}
    given = {"requests": [{"content": content}]} if batch else {"content": content}
    return read_gemini(json.dumps({**given, **fields}).encode(), "google/e", batch=batch)


def _ollama(*, older=False, **fields):
    return read_ollama(json.dumps({"model": "e:latest", **fields}).encode(), older=older)


def test_a_request_costs_by_what_goes_in():
    request = _openai()

    assert request.dialect in DIALECTS
    assert (request.messages, request.max_output, request.stream) == ((), 0, False)
    assert request.needs == {"embeddings"}
    assert request.size > 0


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, Asked(inputs=("Hi",))),
        ({"input": ["a", "b"]}, Asked(inputs=("a", "b"))),
        ({"input": [1, 2]}, Asked(tokens=((1, 2),))),
        ({"input": [[1, 2], [3]]}, Asked(tokens=((1, 2), (3,)))),
        ({"dimensions": 256}, Asked(inputs=("Hi",), dimensions=256)),
        ({"encoding_format": "base64"}, Asked(inputs=("Hi",), as_base64=True)),
    ],
)
def test_openais_shape_is_read(fields, found):
    assert asked(_openai(**fields)) == found


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", None),
        ("input", None),
        ("input", []),
        ("input", {}),
        ("input", ["a", 1]),
        ("input", [1, "a"]),
        ("input", [[1], "a"]),
        ("input", [[]]),
        ("input", [-1]),
        ("input", ["a"] * 2049),
        ("encoding_format", "float64"),
        ("encoding_format", 1),
        ("dimensions", 0),
    ],
)
def test_a_wrong_field_is_named(field, value):
    with pytest.raises(BadRequest) as caught:
        _openai(**{field: value})

    assert caught.value.param == field


def test_geminis_single_shape_is_read():
    request = _gemini(taskType="RETRIEVAL_QUERY", outputDimensionality=256, requests=[])

    assert asked(request) == Asked(inputs=("Hi",), one=True, dimensions=256, task="RETRIEVAL_QUERY")
    assert "requests" not in request.body


def test_geminis_batch_is_read():
    contents = [{"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "output_dimensionality": 9},
                {"content": {"parts": {"text": "c"}}}]  # fmt: skip

    assert asked(_gemini(batch=True, requests=contents)) == Asked(inputs=("ab", "c"), dimensions=9)


def test_what_is_no_text_is_noticed():
    parts = [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "A"}}]

    assert asked(_gemini(content={"parts": parts})).beyond_text


@pytest.mark.parametrize(
    ("batch", "fields", "param"),
    [
        (False, {"content": None}, "content"),
        (False, {"content": "Hi"}, "content"),
        (False, {"content": {"parts": ["Hi"]}}, "content"),
        (True, {"requests": None}, "requests"),
        (True, {"requests": []}, "requests"),
        (True, {"requests": ["Hi"]}, "requests"),
        (True, {"requests": [{}]}, "content"),
    ],
)
def test_a_wrong_field_of_geminis_is_named(batch, fields, param):
    with pytest.raises(BadRequest) as caught:
        _gemini(batch=batch, **fields)

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("older", "fields", "found"),
    [
        (False, {"input": "Hi"}, Asked(inputs=("Hi",))),
        (False, {"input": ["a", "b"], "dimensions": 9}, Asked(inputs=("a", "b"), dimensions=9)),
        (False, {"input": "Hi", "prompt": "no"}, Asked(inputs=("Hi",))),
        (True, {"prompt": "Hi"}, Asked(inputs=("Hi",), one=True)),
    ],
)
def test_ollamas_shapes_are_read(older, fields, found):
    request = _ollama(older=older, **fields)

    assert asked(request) == found
    assert request.model == "e"
    assert no_inputs(request) is None


@pytest.mark.parametrize(
    ("older", "fields", "answer"),
    [
        (False, {}, {"model": "e", "embeddings": []}),
        (False, {"input": ""}, {"model": "e", "embeddings": []}),
        (False, {"input": []}, {"model": "e", "embeddings": []}),
        (True, {}, {"embedding": []}),
        (True, {"prompt": ""}, {"embedding": []}),
    ],
)
def test_nothing_to_embed_only_loads_a_model(older, fields, answer):
    assert json.loads(no_inputs(_ollama(older=older, **fields)) or b"") == answer


def test_only_ollama_takes_nothing_for_an_answer():
    assert no_inputs(_openai()) is None


@pytest.mark.parametrize(
    ("older", "fields", "param"),
    [
        (False, {"input": 1}, "input"),
        (True, {"prompt": 1}, "prompt"),
        (False, {"model": 1}, "model"),
    ],
)
def test_a_wrong_field_of_ollamas_is_named(older, fields, param):
    with pytest.raises(BadRequest) as caught:
        _ollama(older=older, **fields)

    assert caught.value.param == param


def test_what_would_steer_us_is_dropped():
    assert "api_base" not in _openai(api_base="x").body

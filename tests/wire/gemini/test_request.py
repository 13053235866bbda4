"""Reading a body as far as routing and accounting need it."""

import json

import pytest

from larouter.core.chat import Message
from larouter.core.errors import BadRequest
from larouter.wire.gemini import read_request
from larouter.wire.gemini.request import ALT, is_array

HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
PIXEL = {"mimeType": "image/png", "data": "A" * 20_000}


def read(body=None, model="auto", **options):
    return read_request(json.dumps(HI if body is None else body).encode(), model=model, **options)


def with_config(**config):
    return {**HI, "generationConfig": config}


def with_parts(*parts, role="user"):
    return {"contents": [{"role": role, "parts": list(parts)}]}


def test_the_path_names_the_model():
    request = read(model="models/gemini-4-argon")

    assert (request.model, request.dialect, request.stream) == ("gemini-4-argon", "gemini", False)
    assert request.messages == (Message("user", "Hi"),)


def test_everyone_who_speaks_is_heard():
    request = read(
        {
            "system_instruction": {"parts": {"text": "Be brief."}},
            "contents": [
                {"parts": [{"text": "a"}, {"text": "b"}]},
                {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "c"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "f"}}]},
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"id": "1", "name": "f", "response": {}}},
                        {"function_response": {"name": "g", "response": {}}},
                    ],
                },
            ],
        }
    )

    assert request.messages == (
        Message("system", "Be brief."),
        Message("user", "a\nb"),
        Message("assistant", "c"),
        Message("assistant", ""),
        Message("tool", ""),
    )
    assert request.answers == ("1",)


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        (HI, set()),
        ({**HI, "tools": [{"functionDeclarations": [{"name": "f"}]}]}, {"tools"}),
        ({**HI, "tools": {"function_declarations": {"name": "f"}}}, {"tools"}),
        ({**HI, "tools": [{"googleSearch": {}}]}, set()),
        (with_config(responseJsonSchema={"type": "object"}), {"json_schema"}),
        (with_config(response_schema={"type": "OBJECT"}), {"json_schema"}),
        (with_config(responseLogprobs=True), {"logprobs"}),
        (with_parts({"inlineData": PIXEL}), {"images"}),
        (with_parts({"inline_data": {"mime_type": "audio/wav", "data": "A"}}), {"audio"}),
        (with_parts({"fileData": {"fileUri": "https://x/y"}}), {"files"}),
        (
            with_parts(
                {
                    "functionResponse": {
                        "name": "f",
                        "response": {},
                        "parts": [{"inlineData": PIXEL}],
                    }
                }
            ),
            {"images"},
        ),
    ],
)
def test_a_request_says_what_a_model_must_be_able_to_do(body, needs):
    assert read(body).needs == needs


def test_media_count_flat():
    body = with_parts({"inlineData": PIXEL})

    assert read(body).size == len(json.dumps(body)) - (20_000 - 16_384)


def test_the_limits_are_read_in_either_spelling():
    assert read(with_config(maxOutputTokens=7, candidateCount=2)).max_output == 7
    request = read({**HI, "generation_config": {"max_output_tokens": 8, "candidate_count": 3}})
    assert (request.max_output, request.n) == (8, 3)


def test_every_known_field_passes():
    config = {
        "temperature": 1.5, "topP": 0.5, "topK": 4, "seed": 3, "stopSequences": ["x"],
        "presencePenalty": 1, "frequencyPenalty": -1, "responseMimeType": "text/plain",
        "logprobs": 2, "labels": None, "somethingNew": 1, "audioTimestamp": None,
        "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True},
    }  # fmt: skip

    assert read(with_config(**config)).body["generationConfig"] == config


def test_fields_that_steer_are_dropped():
    steering = {"api_base": "http://x", "mock_response": "x", "input_cost": 1, "model": "y", ALT: 1}
    request = read({**HI, **steering, "safetySettings": []})

    assert request.body == {**HI, "safetySettings": []}


def test_a_stream_without_events_is_an_array():
    assert is_array(read(stream=True, sse=False))
    assert not is_array(read(stream=True))
    assert not is_array(read(sse=False))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"contents": []}, "contents"),
        ({"contents": "Hi"}, "contents"),
        ({"contents": [{"role": "bot", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"role": 1, "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": "Hi"}]}, "contents[0].parts"),
        (with_parts({"text": 1}), "contents[0].parts[0].text"),
        (with_parts({"inlineData": "x"}), "contents[0].parts[0].inlineData"),
        (with_parts({"inlineData": {"data": 1}}), "contents[0].parts[0].inlineData.data"),
        (with_parts({"functionCall": {}}), "contents[0].parts[0].functionCall"),
        (
            with_parts({"functionCall": {"name": "f", "id": 1}}),
            "contents[0].parts[0].functionCall.id",
        ),
        (with_parts({"functionResponse": []}), "contents[0].parts[0].functionResponse"),
        ({**HI, "systemInstruction": "Be brief."}, "systemInstruction"),
        ({**HI, "tools": "x"}, "tools"),
        (
            {**HI, "tools": [{"functionDeclarations": [{}]}]},
            "tools[0].functionDeclarations[0].name",
        ),
        ({**HI, "toolConfig": []}, "toolConfig"),
        ({**HI, "generationConfig": []}, "generationConfig"),
        (with_config(maxOutputTokens=0), "generationConfig.maxOutputTokens"),
        (with_config(max_output_tokens=True), "generationConfig.maxOutputTokens"),
        (with_config(temperature=3), "generationConfig.temperature"),
        (with_config(stopSequences="x"), "generationConfig.stopSequences"),
        (with_config(responseLogprobs=1), "generationConfig.responseLogprobs"),
        (with_config(responseMimeType=1), "generationConfig.responseMimeType"),
        (with_config(responseSchema=[]), "generationConfig.responseSchema"),
        (with_config(thinkingConfig=1), "generationConfig.thinkingConfig"),
        (
            with_config(thinkingConfig={"thinking_budget": -2}),
            "generationConfig.thinkingConfig.thinkingBudget",
        ),
        (with_config(topK=1, top_k=2), "generationConfig.topK"),
        ({**HI, "generationConfig": {}, "generation_config": {}}, "generationConfig"),
    ],
)
def test_a_wrong_field_is_named(body, param):
    with pytest.raises(BadRequest) as caught:
        read(body)

    assert caught.value.param == param


@pytest.mark.parametrize("model", ["", "x" * 257, "a\nb"])
def test_a_wrong_model_is_refused(model):
    with pytest.raises(BadRequest) as caught:
        read(model=model)

    assert caught.value.param == "model"


def test_a_body_must_be_an_object():
    with pytest.raises(BadRequest):
        read([])

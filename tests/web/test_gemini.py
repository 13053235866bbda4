"""Gemini's endpoints over the whole app, with Google's own client and without."""

import json

import httpx
import pytest
from google import genai
from google.genai import errors, types

from tests.clouds.faults import cut_midstream, error_event, malformed_chunk
from tests.clouds.gemini import GeminiCloud
from tests.provider import TEXT

HI = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
CUSTOM = "/v1beta/models/custom/plain"
WEATHER = {
    "name": "weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
}


@pytest.fixture
def cloud():
    with GeminiCloud() as cloud:
        yield cloud


@pytest.fixture
def house(open_house, provider, cloud):
    return open_house(
        LAROUTER_CUSTOM_URL=provider.url,
        GOOGLE_API_KEY=cloud.key,
        GOOGLE_GEMINI_BASE_URL=cloud.url,
    )


@pytest.fixture(params=["v1beta", "v1"])
def sdk(request, house):
    """Google's client, inside this process: nobody listens."""
    transport = httpx.WSGITransport(house.client.application)
    options = types.HttpOptions(
        base_url="http://127.0.0.1:1",
        api_version=request.param,
        client_args={"transport": transport},
    )
    sdk = genai.Client(api_key=house.bearer, http_options=options)
    yield sdk
    sdk.close()


def texts(parts):
    return "".join(part["text"] for part in parts if "text" in part)


def parts_of(chunk):
    return chunk["candidates"][0]["content"]["parts"]


@pytest.mark.parametrize("model", ["google/gemini-4-argon", "custom/plain"])
def test_googles_client_gets_an_answer(sdk, model):
    answer = sdk.models.generate_content(model=model, contents="Hello")

    assert answer.text == ("You said: Hello" if model.startswith("google") else TEXT)
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.total_token_count > 0
    assert answer.response_id


@pytest.mark.parametrize("model", ["google/gemini-4-argon", "custom/plain"])
def test_googles_client_gets_a_stream(sdk, model):
    chunks = list(sdk.models.generate_content_stream(model=model, contents="Hello"))

    text = "".join(chunk.text or "" for chunk in chunks)
    assert text == ("You said: Hello" if model.startswith("google") else TEXT)
    assert len(chunks) > 1
    assert len({chunk.response_id for chunk in chunks}) == 1
    assert [bool(chunk.candidates[0].finish_reason) for chunk in chunks].count(True) == 1


def test_googles_client_calls_a_tool_and_brings_its_result(sdk, cloud):
    config = types.GenerateContentConfig.model_validate(
        {
            "tools": [{"function_declarations": [WEATHER]}],
            "automatic_function_calling": {"disable": True},
        }
    )
    chat = sdk.chats.create(model="google/gemini-4-argon", config=config)

    (call,) = chat.send_message('call weather {"city": "Rome"}').function_calls
    result = types.Part(
        function_response=types.FunctionResponse(
            id=call.id, name=call.name, response={"output": "sunny"}
        )
    )
    answer = chat.send_message(result)

    assert call.args == {"city": "Rome"}
    assert answer.text == "Results: sunny"
    assert "thoughtSignature" in cloud.last.json["contents"][1]["parts"][0]


def test_googles_client_lists_the_models(sdk):
    names = [model.name for model in sdk.models.list()]

    assert names[0] == "models/auto"
    assert "models/frontier" in names
    assert "models/gemini-4-argon" in names


def test_googles_client_counts_tokens(sdk):
    for model in ("google/gemini-4-argon", "custom/plain"):
        assert sdk.models.count_tokens(model=model, contents="Hello").total_tokens > 0


def test_a_model_is_described(house, sdk):
    assert sdk.models.get(model="gemini-4-argon").input_token_limit == 1_048_576
    model = house.ask("GET", "/v1beta/models/gemini-4-argon").json

    assert model["name"] == "models/gemini-4-argon"
    assert model["outputTokenLimit"] == 65_536
    assert house.ask("GET", "/v1beta/models/auto").json["displayName"] == "auto"
    assert house.ask("GET", "/v1beta/models/frontier").status_code == 200


def test_an_unknown_model_is_googles_404(house, sdk):
    missing = house.ask("GET", "/v1beta/models/nobody")

    assert missing.status_code == 404
    assert missing.json["error"]["status"] == "NOT_FOUND"
    with pytest.raises(errors.ClientError) as caught:
        sdk.models.generate_content(model="nobody", contents="Hello")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_a_wrong_body_is_googles_400(house):
    answer = house.ask("POST", f"{CUSTOM}:generateContent", {"contents": []})

    assert answer.status_code == 400
    assert answer.json["error"]["status"] == "INVALID_ARGUMENT"
    assert answer.json["error"]["details"][1]["fieldViolations"][0]["field"] == "contents"


@pytest.mark.parametrize("path", ["generateContent", "streamGenerateContent", "countTokens"])
def test_nobody_is_answered_without_a_bearer(house, path):
    answer = house.ask("POST", f"{CUSTOM}:{path}", HI, bearer=False)

    assert answer.status_code == 401
    assert answer.json["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("path", ["/v1beta/models", "/v1beta/models/auto"])
def test_nobody_sees_the_models_without_a_bearer(house, path):
    assert house.ask("GET", path, bearer=False).status_code == 401


@pytest.mark.parametrize("model", ["google/gemini-4-argon", "custom/plain"])
def test_a_stream_is_events_or_an_array(house, model):
    path = f"/v1beta/models/{model}:streamGenerateContent"

    events = house.ask("POST", f"{path}?alt=sse", HI)
    array = house.ask("POST", path, HI)

    assert events.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert array.headers["Content-Type"] == "application/json; charset=utf-8"
    chunks = [json.loads(line[6:]) for line in events.data.split(b"\n") if line.strip()]
    assert texts(part for chunk in array.json for part in parts_of(chunk)) == texts(
        part for chunk in chunks for part in parts_of(chunk)
    )


def test_an_answer_says_who_gave_it(house):
    answer = house.ask("POST", f"{CUSTOM}:generateContent", HI)

    assert answer.headers["x-larouter-model"] == "custom/plain"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("body", [HI, {"generateContentRequest": HI}])
def test_tokens_are_counted(house, body):
    answer = house.ask("POST", f"{CUSTOM}:countTokens", body)

    assert answer.status_code == 200
    assert answer.json["totalTokens"] > 0


@pytest.mark.parametrize("fault", [cut_midstream, error_event, malformed_chunk])
def test_googles_client_learns_that_a_stream_broke(sdk, cloud, fault):
    cloud.will(fault)
    stream = sdk.models.generate_content_stream(model="google/gemini-4-argon", contents="Hello")
    heard: list[str | None] = []

    with pytest.raises(errors.ServerError) as caught:
        heard += (chunk.text for chunk in stream)

    assert (caught.value.code, caught.value.status) == (502, "UNAVAILABLE")


@pytest.mark.parametrize("alt", ["?alt=sse", ""])
def test_a_broken_stream_stays_readable(house, cloud, alt):
    cloud.will(cut_midstream)

    answer = house.ask(
        "POST", f"/v1beta/models/google/gemini-4-argon:streamGenerateContent{alt}", HI
    )

    chunks = answer.json if not alt else [
        json.loads(line[6:]) for line in answer.data.split(b"\n") if line.strip()
    ]  # fmt: skip
    assert texts([parts_of(chunk)[0] for chunk in chunks[:-1]])
    assert chunks[-1]["error"]["code"] == 502

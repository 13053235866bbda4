"""Legacy completions over the whole app: passed on where a provider has them, else translated."""

import json

import pytest

from tests.clouds.server import Cloud, Stream, Whole, event
from tests.provider import TEXT

PATH = "/v1/completions"
_USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


class TextCloud(Cloud):
    """A server that has legacy completions (as vLLM and llama.cpp do)."""

    def authorise(self, seen):
        """It wants no key."""

    def complete(self, seen, _):
        body = seen.json
        text = f"<{body['prompt']}|{body.get('suffix', '')}>"
        answer = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "base"}
        choice = {"index": 0, "logprobs": None, "text": text, "finish_reason": "stop"}
        if not body.get("stream"):
            return Whole({**answer, "choices": [choice], "usage": _USAGE})
        said = event({**answer, "choices": [{**choice, "finish_reason": None}]})
        end = event({**answer, "choices": [{**choice, "text": ""}], "usage": _USAGE})
        return Stream((said, end, event("[DONE]")))

    routes = (("POST", "/(?:v1|beta)/completions", complete),)


@pytest.fixture
def cloud():
    with TextCloud() as running:
        yield running


@pytest.fixture
def house(open_house, cloud, provider):
    # Anthropic's format has no such thing: an address of ours keeps it from the real one.
    return open_house(LAROUTER_CUSTOM_URL=cloud.url, LAROUTER_OLLAMA_URL=provider.url)


def test_a_provider_that_has_them_gets_the_clients_body(house, cloud):
    body = {"model": "custom/base", "prompt": "def f():", "suffix": "return 1", "echo": True}

    answer = house.ask("POST", PATH, body)

    assert answer.status_code == 200
    assert answer.json["choices"][0]["text"] == "<def f():|return 1>"
    assert cloud.last.json == {**body, "model": "base"}
    assert answer.headers["x-larouter-model"] == "custom/base"


@pytest.mark.parametrize("usage", [True, False])
def test_a_stream_passes_with_usage_for_those_who_ask(house, cloud, usage):
    options = {"stream_options": {"include_usage": True}} if usage else {}

    answer = house.ask(
        "POST", PATH, {"model": "custom/base", "prompt": "Hi", "stream": True, **options}
    )

    assert answer.mimetype == "text/event-stream"
    assert b'"text": "<Hi|>"' in answer.data
    assert answer.data.endswith(b"data: [DONE]\n\n")
    assert (b"completion_tokens" in answer.data) is usage
    assert cloud.last.json["stream_options"] == {"include_usage": True}


def test_a_wrong_request_is_a_400(house):
    answer = house.ask("POST", PATH, {"model": "custom/base"})

    assert answer.status_code == 400
    assert answer.json["error"]["param"] == "prompt"


def test_without_a_bearer_nothing_is_asked(house, cloud):
    answer = house.ask("POST", PATH, {"model": "custom/base", "prompt": "Hi"}, bearer=False)

    assert answer.status_code == 401
    assert cloud.seen == []


@pytest.fixture
def chat_only(open_house, provider):
    """A provider of chats alone: DeepSeek's, at an address of ours."""
    return open_house(DEEPSEEK_API_KEY="sk-test", DEEPSEEK_BASE_URL=provider.url)


def test_elsewhere_a_prompt_is_a_turn(chat_only, provider):
    body = {"model": "deepseek/plain", "prompt": "Once", "max_tokens": 9}

    answer = chat_only.ask("POST", PATH, body)

    assert answer.status_code == 200
    assert answer.json["object"] == "text_completion"
    assert answer.json["choices"][0]["text"] == TEXT
    sent = provider.last["body"]
    assert sent["messages"] == [{"role": "user", "content": "Once"}]
    assert sent["max_tokens"] == 9


def test_elsewhere_a_stream_is_of_texts(chat_only):
    body = {"model": "deepseek/plain", "prompt": "Once", "stream": True}

    answer = chat_only.ask("POST", PATH, body)
    events = answer.data.decode().strip().split("\n\n")
    # Comments say that the provider lives.
    said = [one.removeprefix("data: ") for one in events if one.startswith("data: ")]
    chunks = [json.loads(one) for one in said[:-1]]

    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == TEXT
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_deepseek_fills_a_gap_at_a_path_of_its_own(open_house, cloud):
    house = open_house(DEEPSEEK_API_KEY="sk-test", DEEPSEEK_BASE_URL=cloud.url)
    body = {"model": "deepseek/plain", "prompt": "a", "suffix": "b"}

    answer = house.ask("POST", PATH, body)

    assert answer.json["choices"][0]["text"] == "<a|b>"
    assert cloud.last.path == "/beta/completions"


@pytest.mark.parametrize("model", ["llamacpp/base", "google/gemini-4-argon"])
def test_elsewhere_a_gap_cannot_be_filled(open_house, cloud, model):
    house = open_house(
        LAROUTER_LLAMACPP_URL=cloud.url, GOOGLE_API_KEY="k", GOOGLE_GEMINI_BASE_URL=cloud.url
    )

    answer = house.ask("POST", PATH, {"model": model, "prompt": "a", "suffix": "b"})

    assert answer.status_code == 400
    assert answer.json["error"]["param"] == "suffix"
    assert cloud.seen == []

"""Ollama's native API over the whole app."""

import json

import pytest

from larouter.wire.ollama.models import VERSION
from tests.provider import PIECES, TEXT, USAGE

MESSAGES = [{"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


@pytest.fixture
def house(open_house, provider):
    return open_house(LAROUTER_CUSTOM_URL=provider.url)


def _chat(house, model="custom/plain", **fields):
    return house.ask("POST", "/api/chat", {"model": model, "messages": MESSAGES, **fields})


def _lines(answer):
    return [json.loads(line) for line in answer.data.splitlines()]


def test_a_chat_streams_lines_unless_it_says_no(house):
    answer = _chat(house)
    *said, last = _lines(answer)

    assert answer.mimetype == "application/x-ndjson"
    assert [line["message"]["content"] for line in said if line["message"]["content"]] == PIECES
    assert not any(line["done"] for line in said)
    assert (last["done"], last["done_reason"]) == (True, "stop")
    assert last["prompt_eval_count"] == USAGE["prompt_tokens"]
    assert last["eval_count"] == USAGE["completion_tokens"]
    assert last["total_duration"] >= last["eval_duration"] > 0


def test_a_whole_chat_is_one_object(house):
    answer = _chat(house, stream=False)

    assert answer.mimetype == "application/json"
    assert answer.json["message"] == {"role": "assistant", "content": TEXT}
    assert answer.headers["x-larouter-model"] == "custom/plain"


def test_a_prompt_is_answered(house, provider):
    fields = {"model": "custom/plain:latest", "prompt": "Hi", "system": "Be kind."}
    whole = house.ask("POST", "/api/generate", {**fields, "stream": False})
    lines = _lines(house.ask("POST", "/api/generate", fields))

    assert whole.json["response"] == TEXT
    assert "".join(line["response"] for line in lines) == TEXT
    assert provider.last["body"]["model"] == "plain"
    assert [message["role"] for message in provider.last["body"]["messages"]] == ["system", "user"]


@pytest.mark.parametrize("stream", [True, False])
def test_calls_have_objects_for_arguments(house, stream):
    lines = _lines(_chat(house, "custom/tools", tools=TOOLS, stream=stream))

    calls = [call for line in lines for call in line["message"].get("tool_calls", ())]

    assert [call["function"]["arguments"] for call in calls] == [{"city": "Rome"}, {"city": "Oslo"}]


def test_options_reach_the_provider(house, provider):
    options = {"num_predict": 9, "temperature": 0, "num_ctx": 4096, "stop": ["x"]}

    _chat(house, options=options, format={"type": "object"}, keep_alive="5m")

    sent = provider.last["body"]
    assert (sent["max_tokens"], sent["temperature"], sent["stop"]) == (9, 0, ["x"])
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert not {"num_ctx", "keep_alive", "options"} & set(sent)


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("chat", {"messages": []}, "load"),
        ("chat", {"messages": [], "keep_alive": 0}, "unload"),
        ("generate", {}, "load"),
        ("generate", {"prompt": "", "keep_alive": "0"}, "unload"),
    ],
)
def test_nothing_to_answer_only_loads_a_model(house, provider, path, body, reason):
    seen = len(provider.seen)

    answer = house.ask("POST", f"/api/{path}", {"model": "custom/plain", **body})

    assert (answer.json["done"], answer.json["done_reason"]) == (True, reason)
    assert len(provider.seen) == seen


def test_a_model_that_nobody_knows_is_not_loaded(house):
    answer = house.ask("POST", "/api/generate", {"model": "llama9"})

    assert answer.status_code == 404
    assert "llama9" in answer.json["error"]


def test_an_unknown_model_may_mean_auto(open_house):
    house = open_house(LAROUTER_UNKNOWN_MODEL="auto")

    assert house.ask("POST", "/api/show", {"model": "llama9"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/chat", {"model": "custom/plain", "messages": [{"role": "bot"}]}),
        ("/api/generate", {"model": "custom/plain", "prompt": "Hi", "template": "{{ .Prompt }}"}),
        ("/api/show", {}),
    ],
)
def test_errors_have_ollamas_shape(house, path, body):
    answer = house.ask("POST", path, body)

    assert answer.status_code == 400
    assert isinstance(answer.json["error"], str)


def test_a_stream_that_breaks_ends_with_an_error_line(house):
    *_, last = _lines(_chat(house, "custom/breaks"))

    assert "the GPU is on fire" in last["error"]


def test_a_providers_refusal_is_told(house):
    answer = _chat(house, "custom/status-429")

    assert answer.status_code == 429
    assert answer.json == {"error": "no, with 429"}


def test_tags_list_what_may_be_asked_for(house):
    models = house.ask("GET", "/api/tags").json["models"]
    names = [model["name"] for model in models]

    assert names[0] == "auto:latest"
    assert "simple:latest" in names
    assert all(set(model) >= {"model", "digest", "size", "details"} for model in models)


@pytest.mark.parametrize("name", ["auto:latest", "auto", "simple", "FRONTIER", "custom/plain"])
def test_a_name_of_the_list_is_shown(house, name):
    answer = house.ask("POST", "/api/show", {"model": name})

    assert answer.status_code == 200
    assert answer.json["capabilities"][0] == "completion"
    assert answer.json["model_info"]["general.architecture"]
    assert house.ask("POST", "/api/show", {"name": name}).json == answer.json


def test_nothing_runs_yet(house):
    assert house.ask("GET", "/api/ps").json == {"models": []}


def test_a_running_model_is_told(house):
    class Running:
        def state(self, model):
            return "ready"

        def stop_all(self):
            """Nothing runs in truth."""

    house.services.runner = Running()

    models = house.ask("GET", "/api/ps").json["models"]

    assert "gemma-4-e4b:latest" in [model["name"] for model in models]


def test_the_version_is_told(house):
    assert house.ask("GET", "/api/version").json == {"version": VERSION}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/pull"), ("POST", "/api/create"), ("POST", "/api/copy"),
        ("POST", "/api/push"), ("DELETE", "/api/delete"), ("POST", "/api/blobs/sha256:ab"),
    ],
)  # fmt: skip
def test_models_are_managed_elsewhere(house, method, path):
    answer = house.ask(method, path, {"model": "gemma-4-e4b"})

    assert answer.status_code == 501
    assert "GET /api/tags" in answer.json["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/chat"), ("POST", "/api/generate"), ("POST", "/api/embed"),
        ("POST", "/api/embeddings"), ("GET", "/api/tags"), ("POST", "/api/show"),
        ("GET", "/api/ps"), ("GET", "/api/version"), ("POST", "/api/pull"),
    ],
)  # fmt: skip
def test_each_path_wants_a_bearer(house, method, path):
    answer = house.ask(method, path, {"model": "auto"} if method == "POST" else None, bearer=False)

    assert answer.status_code == 401
    assert isinstance(answer.json["error"], str)

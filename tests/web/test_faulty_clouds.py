"""What becomes of a cloud's faults, in every dialect: an error in the caller's shape, never a 500.

Before the first byte it is an HTTP error that keeps the cloud's status and words; after it the
stream ends with the dialect's own error and without its clean end.
"""

import json

import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from tests.clouds import faults
from tests.clouds.four import four, settings_of
from tests.web.conftest import House

MODELS = {
    "openai": "openai/gpt-6.1-terra",
    "anthropic": "anthropic/claude-opus-5-5",
    "google": "google/gemini-4-argon",
    "deepseek": "deepseek/deepseek-v4-pro",
}
TEXT = "Grüße an é🙂 und alle anderen. " * 8
# By dialect: what ends a good stream, and a broken one.
ENDS = {
    "chat": ("[DONE]", '"error":{'),
    "completions": ("[DONE]", '"error":{'),
    "responses": ('"response.completed"', "event: response.failed"),
    "anthropic": ("message_stop", "event: error"),
    "gemini": ('"finishReason"', '"error":{'),
    "gemini-array": ('"finishReason"', '"error":{'),
    "ollama": ('"done":true', '{"error":"'),
}
# 404 may be about the path, and is tried by another then: tests/providers/test_http_wires.py.
KEPT = (400, 401, 403, 413, 422, 429, 503, 529)
LONG_S = 60
"""A wait that LARouter does not take upon itself: there is no second try."""


@pytest.fixture(scope="module")
def clouds():
    with four() as clouds:
        yield clouds


@pytest.fixture(scope="module")
def house(clouds, tmp_path_factory):
    home = str(tmp_path_factory.mktemp("house"))
    services = bootstrap(read_settings({"LAROUTER_HOME": home, **settings_of(clouds)}))
    yield House(services)
    services.close()


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture(params=ENDS)
def dialect(request):
    return request.param


@pytest.fixture
def ask(house, clouds, name, dialect):
    """Ask once while the cloud fails like this, and then until it has answered well more often."""

    def ask(fault, *, stream):
        clouds[name].will(fault)
        answer = _ask(house, dialect, MODELS[name], stream)
        for _ in range(2):
            assert _ask(house, dialect, MODELS[name], stream=False)[0].status_code == 200
        return answer

    return ask


def _ask(house, dialect, model, stream):
    if dialect.startswith("gemini"):
        alt = "" if dialect == "gemini-array" else "?alt=sse"
        method = f"streamGenerateContent{alt}" if stream else "generateContent"
        path = f"/v1beta/models/{model}:{method}"
        body = {"contents": [{"role": "user", "parts": [{"text": TEXT}]}]}
    else:
        path, said = {
            "chat": ("/v1/chat/completions", {"messages": _user()}),
            "completions": ("/v1/completions", {"prompt": TEXT}),
            "responses": ("/v1/responses", {"input": TEXT}),
            "anthropic": ("/v1/messages", {"messages": _user(), "max_tokens": 500}),
            "ollama": ("/api/chat", {"messages": _user()}),
        }[dialect]
        body = {"model": model, "stream": stream, **said}
    answer = house.ask("POST", path, body)
    return answer, answer.get_data(as_text=True)


def _user():
    return [{"role": "user", "content": TEXT}]


def _error(dialect, text):
    """The error in an answer that is nothing else: its message."""
    said = json.loads(text)
    if dialect == "ollama":
        assert set(said) == {"error"}
        return said["error"]
    error = said["error"]
    if dialect == "anthropic":
        assert said["type"] == "error"
        assert set(error) == {"type", "message"}
    elif dialect.startswith("gemini"):
        assert {"code", "message", "status"} <= set(error)
    else:
        assert set(error) == {"message", "type", "param", "code"}
    return error["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_keeps_its_status_its_words_and_its_wait(ask, clouds, name, dialect, stream):
    for status in KEPT:
        answer, text = ask(faults.status(status, LONG_S, "Some words."), stream=stream)

        assert answer.status_code == status, text
        assert "Some words." in _error(dialect, text)
        assert answer.headers["x-request-id"].startswith("req_")
        assert clouds[name].key not in text
        if status in (429, 503, 529):
            assert answer.headers["retry-after"] == str(LONG_S)


@pytest.mark.parametrize("fault", ["cut_midstream", "error_event", "malformed_chunk"])
def test_a_stream_that_breaks_ends_with_an_error_and_not_well(ask, dialect, fault):
    answer, text = ask(getattr(faults, fault), stream=True)

    good, bad = ENDS[dialect]
    assert good not in text
    if answer.status_code == 200:
        assert bad in text
    else:
        # What went wrong came along with the first event: there was still time to say so.
        assert answer.status_code >= 500
        assert _error(dialect, text)


@pytest.mark.parametrize("fault", ["cut_midstream", "malformed_chunk"])
def test_a_whole_answer_that_is_broken_is_a_502(ask, dialect, fault):
    answer, text = ask(getattr(faults, fault), stream=False)

    assert answer.status_code == 502
    assert _error(dialect, text)

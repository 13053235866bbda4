"""Odd bodies at every door: answered, or refused in the caller's own shape before anything is sent.

The provider here takes everything, so whatever is refused was refused by us. Nothing may be a 500.
"""

import json
import logging
from typing import Any

import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from tests import odd_requests
from tests.clouds.server import Cloud, Stream, Whole
from tests.odd import some
from tests.odd_answers import STREAMS, WHOLE, as_stream
from tests.web.conftest import House

OWN = {
    "chat": "custom/m",
    "responses": "openai/gpt-6.1-terra",
    "completions": "custom/m",
    "anthropic": "anthropic/claude-opus-5-5",
    "gemini": "google/gemini-4-argon",
    "ollama": "deepseek/deepseek-v4-pro",
}
OTHER = {
    "chat": "anthropic/claude-opus-5-5",
    "responses": "custom/m",
    "completions": "google/gemini-4-argon",
    "anthropic": "google/gemini-4-argon",
    "gemini": "openai/gpt-6.1-terra",
    "ollama": "anthropic/claude-opus-5-5",
}
DOORS: dict[str, tuple[str, Any]] = {
    "/v1/chat/completions": ("chat", odd_requests.CHAT),
    "/v1/responses": ("responses", odd_requests.RESPONSES),
    "/v1/completions": ("completions", odd_requests.COMPLETIONS),
    "/v1/messages": ("anthropic", odd_requests.ANTHROPIC),
    "/v1beta/models/{model}:generateContent": ("gemini", odd_requests.GEMINI),
    "/v1beta/models/{model}:streamGenerateContent?alt=sse": ("gemini", odd_requests.GEMINI),
    "/api/chat": ("ollama", odd_requests.OLLAMA),
    "/api/generate": ("ollama", odd_requests.GENERATE),
}
COUNTERS: dict[str, tuple[str, Any]] = {
    "/v1/messages/count_tokens": ("anthropic", odd_requests.ANTHROPIC),
    "/v1beta/models/{model}:countTokens": ("gemini", odd_requests.GEMINI),
    "/v1/responses/input_tokens": ("responses", odd_requests.RESPONSES),
    "/v1/route": ("chat", odd_requests.CHAT),
}
EMBEDDERS: dict[str, tuple[str, Any]] = {
    "/v1/embeddings": ("embeddings", {"input": ["a", "b"], "dimensions": 2, "user": "u"}),
    "/api/embed": ("embeddings", {"input": ["a", "b"], "options": {"a": 1}}),
    "/api/embeddings": ("embeddings", {"prompt": "a"}),
    "/v1beta/models/{model}:embedContent": (
        "embeddings",
        {"content": {"parts": [{"text": "a"}]}, "taskType": "X", "outputDimensionality": 2},
    ),
    "/v1beta/models/{model}:batchEmbedContents": (
        "embeddings",
        {"requests": [{"content": {"parts": [{"text": "a"}]}}]},
    ),
}
ODD: tuple[Any, ...] = (None, -1, "", [], {}, True, [None], [{}], {"type": []}, 2**70, "\x00")
NO_OBJECTS = (b"", b"[]", b"[{}]", b"null", b"1", b'"x"', b"{", b"\xff{}", b'{"a":NaN}', b"{}{}")


class Yes(Cloud):
    """Answers whatever it is asked, in the format of the path."""

    def answer(self, seen):
        wire = _wire(seen.path)
        if wire is None:
            # A count, or vectors: some of these fields are what every such answer has.
            counts = {"input_tokens": 3, "totalTokens": 3}
            vectors = [{"embedding": [0.5, 1], "values": [0.5, 1]}] * _texts(seen.json)
            one = {"embedding": vectors[0]} if seen.path.endswith(":embedContent") else {}
            return Whole({**counts, **one, "data": vectors, "embeddings": vectors})
        if b'"stream":true' in seen.raw or "stream" in seen.path:
            return Stream((as_stream(wire, STREAMS[wire]),))
        return Whole(WHOLE[wire])


def _texts(given):
    """How many there are to be embedded; a list of numbers is one."""
    texts = given.get("requests", given.get("input"))
    return len(texts) if type(texts) is list and type(texts[0]) is not int else 1


def _wire(path):
    known = {
        "/chat/completions": "chat",
        "/completions": "completions",
        "/messages": "anthropic",
        "/responses": "responses",
        "enerateContent": "gemini",
    }
    return next((wire for end, wire in known.items() if path.endswith(end)), None)


@pytest.fixture(scope="module")
def cloud():
    with Yes() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def house(cloud, tmp_path_factory):
    """One for all: opening it takes longer than most tests here."""
    settings = {
        "LAROUTER_HOME": str(tmp_path_factory.mktemp("house")),
        "LAROUTER_CUSTOM_URL": f"{cloud.url}/v1",
        "OPENAI_API_KEY": "sk-canary-openai",
        "OPENAI_BASE_URL": f"{cloud.url}/v1",
        "ANTHROPIC_API_KEY": "sk-canary-anthropic",
        "ANTHROPIC_BASE_URL": cloud.url,
        "GOOGLE_API_KEY": "canary-google",
        "GOOGLE_GEMINI_BASE_URL": cloud.url,
        "DEEPSEEK_API_KEY": "sk-canary-deepseek",
        "DEEPSEEK_BASE_URL": cloud.url,
    }
    services = bootstrap(read_settings(settings))
    yield House(services)
    services.close()


def _ask(house, path, model, body):
    """The answer, read to its end: status, and body as text."""
    path = path.format(model=model)
    if "/models/" not in path:
        body = {"model": model, **body}
    answer = house.ask("POST", path, body)
    return answer.status_code, answer.get_data(as_text=True)


def _check(house, cloud, caplog, path, model, body):
    """Raises `AssertionError` unless the answer is one, or a refusal before anything was sent."""
    sent = len(cloud.seen)
    caplog.clear()
    status, said = _ask(house, path, model, body)
    assert status in (200, 400, 404), said
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR], said
    assert "canary" not in said
    if status == 200:
        assert said
        return
    assert len(cloud.seen) == sent, "refused, and sent nevertheless"
    _check_shape(path, status, json.loads(said))


def _check_shape(path, status, said):
    error = said["error"]
    if path.startswith("/api/"):
        assert type(error) is str
    elif path.startswith("/v1beta/"):
        assert error["code"] == status
        assert error["status"]
    elif path.startswith("/v1/messages"):
        assert said["type"] == "error"
        assert set(error) == {"type", "message"}
    else:
        assert set(error) == {"message", "type", "param", "code"}


def _everything(house, cloud, caplog, path, model, body, each):
    for where, one, changed in some(body, each, ODD):
        try:
            _check(house, cloud, caplog, path, model, changed)
        except Exception as error:
            raise AssertionError(f"{where} as {one!r}") from error


@pytest.mark.parametrize("models", [OWN, OTHER], ids=["own", "other"])
@pytest.mark.parametrize(
    ("path", "stream"),
    [
        (path, stream)
        for path, (dialect, _) in DOORS.items()
        for stream in (False, True)
        # Gemini says it by the path.
        if dialect != "gemini" or stream == ("stream" in path)
    ],
)
def test_an_odd_body_is_answered_or_refused(house, cloud, caplog, path, stream, models):
    dialect, body = DOORS[path]
    if dialect != "gemini":
        body = {**body, "stream": stream}

    _everything(house, cloud, caplog, path, models[dialect], body, 1)


@pytest.mark.parametrize("path", COUNTERS)
def test_an_odd_body_is_counted_or_refused(house, cloud, caplog, path):
    dialect, body = COUNTERS[path]

    _everything(house, cloud, caplog, path, OWN[dialect], body, 1)


@pytest.mark.parametrize("model", ["openai/text-embedding-3-small", "google/gemini-embedding-001"])
@pytest.mark.parametrize("path", EMBEDDERS)
def test_an_odd_body_is_embedded_or_refused(house, cloud, caplog, path, model):
    for where, one, changed in some(EMBEDDERS[path][1], len(ODD), ODD):
        caplog.clear()
        status, said = _ask(house, path, model, changed)
        assert status in (200, 400), (where, one, said)
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("path", [*DOORS, *COUNTERS, *EMBEDDERS])
def test_what_is_no_object_is_a_400(house, cloud, path):
    sent = len(cloud.seen)

    for body in NO_OBJECTS:
        url = path.format(model="custom/m")
        answer = house.ask("POST", url, data=body, content_type="application/json")

        assert answer.status_code == 400, (body, answer.data)
        _check_shape(path, 400, answer.json)
    assert len(cloud.seen) == sent

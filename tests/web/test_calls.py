"""One call over HTTP: what the door adds to a request, and what an answer carries."""

import json

import pytest

from larouter.core.account import Project
from larouter.core.errors import BadRequest, UnsupportedMedia
from larouter.web.calls import completed, read_body
from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.deepseek import DeepSeekCloud
from tests.clouds.faults import status
from tests.fakes import a_request
from tests.provider import TEXT

CHAT = "/v1/chat/completions"
BODY = {"model": "custom/plain", "messages": [{"role": "user", "content": "Hi"}]}


class Input:
    """A body that has come."""

    def __init__(self, body):
        self.read = lambda: body


@pytest.fixture
def house(open_house, provider):
    return open_house(LAROUTER_CUSTOM_URL=provider.url)


def _completed(asked=None, *, project=None, **environ):
    return completed(asked or a_request(), project or Project(id="p", name="mine"), environ)


# What the door adds.


@pytest.mark.parametrize("encoding", [{}, {"HTTP_CONTENT_ENCODING": "Identity"}])
def test_a_body_is_read_as_it_came(encoding):
    assert read_body({"wsgi.input": Input(b"{}"), **encoding}) == b"{}"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", ""])
def test_a_compressed_body_is_refused(encoding):
    with pytest.raises(UnsupportedMedia):
        read_body({"wsgi.input": Input(b"..."), "HTTP_CONTENT_ENCODING": encoding})


def test_a_request_belongs_to_its_project():
    project = Project(id="p", name="mine", unknown_model="auto")

    asked = _completed(project=project)

    assert (asked.project, asked.unknown_model) == ("p", "auto")


@pytest.mark.parametrize(
    ("model", "meant"), [("gpt-4o", "auto"), ("auto", "auto"), ("best", "gpt-4o")]
)
def test_an_alias_is_one_step(model, meant):
    project = Project(id="p", name="mine", aliases={"gpt-4o": "auto", "best": "gpt-4o"})

    assert _completed(a_request(model=model), project=project).model == meant


def test_the_headers_that_mean_something_are_kept():
    asked = _completed(
        HTTP_X_LAROUTER_TIER="complex",
        HTTP_X_REQUEST_ID="mine-1",
        HTTP_ANTHROPIC_BETA="a,b",
        HTTP_ANTHROPIC_VERSION="2023-06-01",
        HTTP_X_API_KEY="lr_secret",
        HTTP_COOKIE="a=b",
    )

    assert (asked.tier, asked.rid) == ("complex", "mine-1")
    assert asked.headers == {"anthropic-beta": "a,b", "anthropic-version": "2023-06-01"}


def test_without_headers_nothing_is_added():
    asked = _completed()

    assert (asked.tier, asked.rid, asked.headers) == (None, None, {})


def test_an_id_may_have_200_characters():
    assert _completed(HTTP_X_REQUEST_ID="x" * 200).rid == "x" * 200


@pytest.mark.parametrize("rid", ["x" * 201, "tab\there"])
def test_an_id_that_is_no_id_is_refused(rid):
    with pytest.raises(BadRequest, match="200 printable characters"):
        _completed(HTTP_X_REQUEST_ID=rid)


# What an answer carries.


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        (CHAT, BODY, "text/event-stream; charset=utf-8"),
        ("/v1/messages", {**BODY, "max_tokens": 9}, "text/event-stream; charset=utf-8"),
        ("/api/chat", BODY, "application/x-ndjson"),
    ],
)
def test_a_stream_has_the_type_of_its_dialect(house, path, body, kind):
    answer = house.ask("POST", path, {**body, "stream": True})

    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert "x-larouter-cost-usd" not in answer.headers


def test_a_whole_answer_has_its_length_and_its_cost(house):
    answer = house.chat("custom/plain")

    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["x-larouter-cost-usd"] == "unknown"
    assert json.loads(answer.data)["choices"][0]["message"]["content"] == TEXT


def test_a_cost_that_is_known_is_a_decimal(open_house, provider):
    house = open_house(LAROUTER_OLLAMA_URL=provider.url)

    assert house.chat("ollama/plain").headers["x-larouter-cost-usd"] == "0"


def test_an_answer_of_another_model_says_why(open_house):
    with AnthropicCloud() as busy, DeepSeekCloud() as other:
        house = open_house(
            ANTHROPIC_API_KEY=busy.key, ANTHROPIC_BASE_URL=busy.url,
            DEEPSEEK_API_KEY=other.key, DEEPSEEK_BASE_URL=other.url,
        )  # fmt: skip
        busy.will(status(404))

        answer = house.chat("frontier")

    assert answer.headers["x-larouter-model"].startswith("deepseek/")
    assert answer.headers["x-larouter-degraded"] == "provider-down"


# A client that leaves.


class Watch:
    """What our own server offers: learn of a leave, or take the wish back."""

    def __init__(self):
        self.callbacks = []
        self.forgotten = 0

    def __call__(self, callback):
        self.callbacks.append(callback)
        return self._forget

    def _forget(self):
        self.forgotten += 1


def test_the_server_is_told_whom_to_wake(house):
    watch = Watch()

    answer = house.ask("POST", CHAT, BODY, environ_overrides={"larouter.on_leave": watch})

    assert answer.status_code == 200
    assert len(watch.callbacks) == 1


def test_after_a_refusal_nobody_is_woken(house):
    watch = Watch()

    answer = house.ask(
        "POST", CHAT, {**BODY, "model": "nobody"}, environ_overrides={"larouter.on_leave": watch}
    )

    assert (answer.status_code, watch.forgotten) == (404, 1)

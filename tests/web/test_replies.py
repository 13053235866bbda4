"""Request ids, money as text, header lines, and errors that say nothing about our inside."""

import logging

import pytest
from flask import Flask, request
from werkzeug.exceptions import ImATeapot

from larouter.core.errors import TooManyRequests, Unauthorized, UpstreamError
from larouter.web import replies
from larouter.web.request_id import request_id


@pytest.fixture
def client():
    app = Flask("larouter", static_folder=None)
    replies.install(app)

    def fail(error):
        raise error

    views = {
        "/id": lambda: replies.json_response({"id": request_id(request.environ)}),
        "/busy": lambda: fail(TooManyRequests("Wait.", retry_after_s=7)),
        "/secret": lambda: fail(Unauthorized("Who?")),
        "/key": lambda: fail(UpstreamError("Its key.", code="provider_key_refused")),
        "/tea": lambda: fail(ImATeapot()),
        "/bug": lambda: fail(KeyError("/etc/passwd")),
    }
    for path, view in views.items():
        app.add_url_rule(path, endpoint=path, view_func=view)
    return app.test_client()


def test_an_answer_carries_its_request_id(client):
    answer = client.get("/id")

    assert answer.headers["x-request-id"] == answer.json["id"]


@pytest.mark.parametrize("path", ["/nothing", "/busy", "/secret", "/tea", "/bug"])
def test_every_error_has_the_shape_and_an_id(client, path):
    answer = client.get(path)

    assert answer.headers["x-request-id"].startswith("req_")
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert answer.json["error"]["message"]


def test_an_error_says_when_to_come_back(client):
    answer = client.get("/busy")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert answer.json["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("path", "said"), [("/secret", "false"), ("/key", "false"), ("/busy", None), ("/bug", None)]
)
def test_an_error_says_when_a_repetition_is_in_vain(client, path, said):
    assert client.get(path).headers.get("x-should-retry") == said


def test_a_401_says_how_to_sign_in(client):
    assert client.get("/secret").headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_method_says_which_is_right(client):
    answer = client.post("/id")

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.json["error"]["code"] == "method_not_allowed"


def test_a_surprise_is_logged_and_not_told(client, caplog):
    with caplog.at_level(logging.ERROR):
        answer = client.get("/bug")

    assert answer.status_code == 500
    assert "passwd" not in answer.text
    assert "passwd" in caplog.text


def test_other_refusals_of_flask_keep_their_status(client):
    assert client.get("/tea").status_code == 418


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a plain line", "a plain line"),
        ("two\r\nlines", "two  lines"),
        ("naïve – 模型", "na?ve ? ??"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_header_is_one_short_line_of_ascii(text, line):
    assert replies.ascii_line(text) == line

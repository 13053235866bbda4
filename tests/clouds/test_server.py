"""What the fakes share: what they record, what they may be told to do, what they say."""

import gzip
import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from tests.clouds import faults
from tests.clouds.mind import Ask, say
from tests.clouds.posting import request
from tests.clouds.schemas import example, strict_problem

PATH = "/v1/chat/completions"
BODY = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hi é🙂"}]}
STREAM = {**BODY, "stream": True}


@pytest.fixture
def post(openai_cloud):
    def send(body=BODY):
        bearer = f"Bearer {openai_cloud.key}"
        return request(openai_cloud, "POST", PATH, body, Authorization=bearer)

    return send


def test_a_request_is_recorded_as_it_came(openai_cloud):
    request(openai_cloud, "GET", "/v1/models?a=b&c=", X_Extra="1")

    seen = openai_cloud.last
    assert (seen.method, seen.path, seen.query) == ("GET", "/v1/models", {"a": "b", "c": ""})
    assert seen.headers["x-extra"] == "1"
    assert (seen.raw, seen.json) == (b"", None)


def test_a_connection_is_kept(openai_cloud):
    connection = http.client.HTTPConnection(urlsplit(openai_cloud.url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {openai_cloud.key}"}
    sockets = set()
    for body in (BODY, STREAM, BODY):
        connection.request("POST", PATH, json.dumps(body), headers)
        sockets.add(connection.sock)
        connection.getresponse().read()
    connection.close()

    assert len(sockets) == 1
    assert len(openai_cloud.seen) == 3


def test_a_chunked_request_is_read(openai_cloud):
    connection = http.client.HTTPConnection(urlsplit(openai_cloud.url).netloc, timeout=20)
    data = iter([json.dumps(BODY)[:9].encode(), json.dumps(BODY)[9:].encode()])
    headers = {"Authorization": f"Bearer {openai_cloud.key}"}
    connection.request("POST", PATH, data, headers, encode_chunked=True)
    status = connection.getresponse().status
    connection.close()

    assert (status, openai_cloud.last.json) == (200, BODY)


def test_a_stream_is_raw_text_in_events(post):
    status, headers, raw = post(STREAM)

    assert status == 200
    assert headers["Transfer-Encoding"] == "chunked"
    assert "é🙂".encode() in raw
    assert raw.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("GET", PATH, 405)],
)
def test_another_path_is_refused_in_the_services_shape(openai_cloud, method, path, status):
    bearer = f"Bearer {openai_cloud.key}"
    got, _, answer = request(openai_cloud, method, path, Authorization=bearer)

    assert (got, set(answer["error"])) == (status, {"message", "type", "param", "code"})


def test_steps_follow_each_other_and_then_all_is_well(post, openai_cloud):
    openai_cloud.will(faults.status(500), faults.fine, faults.status(503, retry_after=0.5))

    assert [post()[0] for _ in range(4)] == [500, 200, 503, 200]


def test_steps_are_for_posts_unless_they_say_otherwise(openai_cloud):
    openai_cloud.will(faults.status(500))
    bearer = f"Bearer {openai_cloud.key}"

    assert request(openai_cloud, "GET", "/v1/models", Authorization=bearer)[0] == 200
    openai_cloud.will(faults.status(503), method="GET")
    assert request(openai_cloud, "GET", "/v1/models", Authorization=bearer)[0] == 503


@pytest.mark.parametrize("body", [BODY, STREAM])
@pytest.mark.parametrize("step", [faults.cut_midstream, faults.reset, faults.huge(200_000)])
def test_an_answer_that_is_cut(post, openai_cloud, step, body):
    openai_cloud.will(step)

    with pytest.raises(http.client.HTTPException):
        post(body)


def test_an_answer_that_is_malformed(post, openai_cloud):
    openai_cloud.will(faults.malformed_chunk, faults.malformed_chunk)

    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        post()
    assert b'"cont\n\n' in post(STREAM)[2]


def test_an_error_within_a_stream(post, openai_cloud):
    openai_cloud.will(faults.error_event, faults.error_event)

    assert post()[0] == 500
    raw = post(STREAM)[2]
    assert raw.count(b'"error": {"message"') == 1
    assert b"[DONE]" not in raw


def test_an_answer_of_another_kind(post, openai_cloud):
    openai_cloud.will(faults.html, faults.wrong_type, faults.gzip, faults.gzip)

    status, _, page = post()
    assert (status, page[:6]) == (502, b"<html>")
    assert json.loads(post()[2])["object"] == "chat.completion"
    bearer = f"Bearer {openai_cloud.key}"
    connection = http.client.HTTPConnection(urlsplit(openai_cloud.url).netloc, timeout=20)
    connection.request("POST", PATH, json.dumps(BODY), {"Authorization": bearer})
    response = connection.getresponse()
    packed = response.read()
    connection.close()
    assert response.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed))["object"] == "chat.completion"


@pytest.mark.parametrize("step", [faults.slow_first_byte(0.2), faults.paced(0.05)])
def test_an_answer_that_is_slow(post, openai_cloud, step):
    openai_cloud.will(step)
    begun = time.monotonic()

    assert post(STREAM)[0] == 200
    assert time.monotonic() - begun > 0.2


def test_the_cloud_sees_a_client_leave(openai_cloud):
    openai_cloud.will(faults.hang)
    connection = http.client.HTTPConnection(urlsplit(openai_cloud.url).netloc, timeout=0.2)
    connection.request("POST", PATH, json.dumps(BODY))
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()

    assert openai_cloud.saw_leave()


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "items": {"type": "number"}, "minItems": 2}, [0, 0]),
        ({"type": ["string", "null"], "minLength": 2}, "xx"),
        ({"anyOf": [{"const": 7}, {}]}, 7),
        ({"type": "integer", "exclusiveMinimum": 4}, 5),
        ({"type": "integer", "maximum": -4}, -4),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "BOOLEAN"}, False),
        ({"type": "null"}, None),
        ({}, {}),
    ],
)
def test_the_smallest_value_that_fits(schema, value):
    assert example(schema) == value


def test_strict_mode_looks_inside():
    inner = {"type": "object", "properties": {}}
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": inner}},
        "required": ["a"],
        "additionalProperties": False,
    }

    assert strict_problem(schema)
    assert not strict_problem({**schema, "properties": {}, "required": []})


def test_an_answer_is_the_same_each_time():
    ask = Ask(text="cached words", everything="cached words", thinks=True)

    assert say(ask) == say(ask)

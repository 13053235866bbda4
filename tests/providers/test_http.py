"""One call of a provider: what is sent, what comes back, what is made of every answer."""

import json

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import UpstreamError, UpstreamRefused
from larouter.wire.chat.writer import DONE
from tests.providers.conftest import KEY
from tests.upstream import (
    ANSWER,
    FINISH,
    FIRST,
    STREAM,
    USAGE,
    WORD,
    raw,
    stream,
    whole,
)


def _failed(cloud, **fields):
    with pytest.raises(UpstreamError) as caught:
        cloud.ask(**fields)
    shown = repr(caught.value) + str(vars(caught.value))
    assert KEY not in shown
    return caught.value


# What is sent.


def test_the_request_goes_where_the_address_says(cloud, upstream):
    cloud.ask("Grüße", temperature=0.5)

    assert upstream.last.line == "POST /v1/chat/completions HTTP/1.1"
    assert upstream.last.headers == {
        "host": f"127.0.0.1:{upstream.port}",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {KEY}",
        "accept": "application/json",
        "content-length": str(len(upstream.last.body)),
    }
    assert json.loads(upstream.last.body) == {
        "model": "m", "messages": [{"role": "user", "content": "Grüße"}], "temperature": 0.5,
    }  # fmt: skip


def test_a_stream_is_asked_for_as_one(cloud, upstream):
    list(cloud.ask(stream=True))

    assert upstream.last.headers["accept"] == "text/event-stream"
    assert json.loads(upstream.last.body)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("path", "line"), [("", "/"), ("/", "/"), ("/v1/", "/v1/"), ("/a/b", "/a/b/")]
)
def test_the_path_of_the_address_is_kept(make_cloud, upstream, path, line):
    make_cloud(url=f"http://127.0.0.1:{upstream.port}{path}").ask()

    assert upstream.last.line == f"POST {line}chat/completions HTTP/1.1"


def test_without_a_key_no_bearer_is_sent(make_cloud, upstream):
    make_cloud(key=None).ask()

    assert "authorization" not in upstream.last.headers


def test_what_is_missing_is_said(make_cloud):
    cloud = make_cloud()

    assert cloud.provider.missing(None) is None
    assert make_cloud(key=None).provider.missing(None) == "no-key"
    assert make_cloud(key="").provider.missing(None) == "no-key"


def test_the_key_is_in_no_repr(cloud):
    reply = cloud.ask(stream=True)

    for thing in (cloud.provider, cloud.provider._line, cloud.pool, reply, reply._connection):
        assert KEY not in repr(thing)


# A whole answer.


def test_a_whole_answer_is_the_same_bytes(cloud, upstream):
    odd = ANSWER.replace(b", ", b" ,\n  ").replace(b"Hello", b"Gr\\u00fc\xc3\x9fe")
    upstream.will(whole(odd))

    reply = cloud.ask()

    assert reply.end == odd
    assert list(reply) == []
    assert reply.usage == Usage(input=9, output=3)
    assert reply.provider_id == "chatcmpl-1"


def test_a_whole_answer_without_usage_is_estimated(cloud, upstream):
    body = json.dumps({"choices": [{"message": {"content": "x" * 40}}]}).encode()
    upstream.will(whole(body))

    reply = cloud.ask("hello")

    assert reply.usage is None
    assert reply.delivered().output == 10
    assert reply.delivered().input > 0


@pytest.mark.parametrize(
    "step",
    [
        whole(ANSWER, close=True),
        raw(b"HTTP/1.1 200 OK\r\n\r\n" + ANSWER),
        raw(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + ANSWER),
        stream(ANSWER[:1], ANSWER[1:50], ANSWER[50:], kind="application/json"),
        raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX: y\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)),
        raw(*(bytes([byte]) for byte in
              b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER))),
        whole(ANSWER, Set_Cookie="a=b", X_Odd="\xe9"),
    ],
    ids=["close", "until-close", "http-1.0", "chunked", "informational", "bytewise", "cookies"],
)  # fmt: skip
def test_every_framing_is_read(cloud, upstream, step):
    upstream.will(step)

    assert cloud.ask().end == ANSWER


# A stream.


def test_a_stream_arrives_without_its_usage(cloud, upstream):
    reply = cloud.ask(stream=True)

    assert b"".join(reply) == FIRST + WORD + WORD + FINISH
    assert reply.end == DONE
    assert reply.usage == Usage(input=9, output=3)
    assert reply.provider_id == "chatcmpl-1"


def test_usage_that_was_asked_for_comes_with_the_end(cloud):
    reply = cloud.ask(stream=True, stream_options={"include_usage": True})

    assert b"".join(reply) == FIRST + WORD + WORD + FINISH
    assert reply.end.endswith(b"\n\n" + DONE)
    assert json.loads(reply.end.split(b"\n")[0][6:])["usage"]["prompt_tokens"] == 9


def test_usage_that_did_not_come_is_estimated_alike_for_client_and_ledger(cloud, upstream):
    upstream.will(stream(FIRST, WORD, FINISH, DONE))

    reply = cloud.ask(stream=True, stream_options={"include_usage": True})
    list(reply)

    usage = json.loads(reply.end.split(b"\n")[0][6:])["usage"]
    assert reply.usage is None
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (reply.delivered().input, 1)
    assert usage["prompt_tokens"] > 5


def test_a_frame_leaves_when_it_arrives(cloud, upstream):
    upstream.will(stream(FIRST, WORD, hanging=True))

    reply = cloud.ask(stream=True)
    frames = iter(reply)
    came = next(frames)
    while came != FIRST + WORD:
        came += next(frames)

    reply.close()
    assert upstream.saw_the_client_leave()


def test_the_call_waits_for_the_first_event(cloud, upstream):
    upstream.will(stream(b": ping\n\n", FIRST[:9], FIRST[9:], WORD, DONE, pause_s=0.02))

    assert b"".join(cloud.ask(stream=True)) == FIRST + WORD


def test_usage_may_come_first(cloud, upstream):
    upstream.will(stream(USAGE, FIRST, FINISH, DONE, pause_s=0.05))

    reply = cloud.ask(stream=True)

    assert b"".join(reply) == FIRST + FINISH
    assert reply.usage == Usage(input=9, output=3)


def test_a_stream_in_one_piece_is_a_stream(cloud, upstream):
    upstream.will(stream(b"".join(STREAM)))

    assert b"".join(cloud.ask(stream=True)) == FIRST + WORD + WORD + FINISH


@pytest.mark.parametrize("kind", ["", "text/event-stream; charset=utf-8", "text/plain"])
def test_a_streams_type_does_not_matter(cloud, upstream, kind):
    upstream.will(stream(*STREAM, kind=kind))

    assert b"".join(cloud.ask(stream=True)).startswith(FIRST)


@pytest.mark.parametrize(
    "step",
    [
        stream(FIRST, WORD, cut=True),
        stream(FIRST, WORD),
        raw(b"HTTP/1.1 200 OK\r\n\r\n" + FIRST + WORD),
        stream(FIRST, b'data: {"error": {"message": "overloaded"}}\n\n', pause_s=0.1),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n"
            % (len(FIRST), FIRST), b"XYZ\r\n", pause_s=0.1, keep=True),
    ],
    ids=["cut", "no-end", "until-close", "error-event", "malformed-chunk"],
)  # fmt: skip
def test_a_stream_that_breaks_raises_and_never_ends_well(cloud, upstream, step):
    upstream.will(step)
    reply = cloud.ask(stream=True)
    frames = []

    with pytest.raises(UpstreamError) as caught:
        frames.extend(reply)

    assert DONE not in b"".join(frames)
    assert reply.end == b""
    assert caught.value.sent


def test_what_was_delivered_is_counted_when_it_breaks(cloud, upstream):
    upstream.will(stream(FIRST, WORD, WORD, cut=True))
    reply = cloud.ask(stream=True)

    with pytest.raises(UpstreamError):
        list(reply)

    assert reply.delivered().output == 2


def test_the_key_in_an_error_event_is_not_passed_on(cloud, upstream):
    event = b'data: {"error": {"message": "bad key %b"}}\n\n' % KEY.encode()
    upstream.will(stream(FIRST, event, pause_s=0.1))

    with pytest.raises(UpstreamError, match="bad key …") as caught:
        list(cloud.ask(stream=True))

    assert KEY not in str(caught.value) + caught.value.message


# Refusals.


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("status", [400, 404, 409, 413, 415, 422, 429])
def test_a_4xx_keeps_its_status_and_words(cloud, upstream, status, streams):
    error = {"message": "n is too large", "type": "their_type", "param": "n", "code": "their_code"}
    upstream.will(whole(json.dumps({"error": error}).encode(), status))

    refusal = _failed(cloud, stream=streams)

    assert isinstance(refusal, UpstreamRefused)
    assert (refusal.status, refusal.message) == (status, "n is too large")
    assert (refusal.type, refusal.param, refusal.code) == ("their_type", "n", "their_code")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": "out of range"}', "out of range"),
        (b'{"message": "bad", "object": "error"}', "bad"),
        (b'{"error": {"code": 7}}', "7"),
        (b'{"error": {"message": ["a"], "type": 1, "param": {}, "code": []}}', "a"),
        (b'{"error": null}', "no message"),
        (b'"no"', "no"),
        (b"[1]", "1"),
        (b"{}", "HTTP 400 without an explanation"),
        (b"", "HTTP 400 without an explanation"),
        (b"<html>nginx</html>", "HTTP 400 without an explanation"),
        (b"\xff\xfe", "HTTP 400 without an explanation"),
        (b'{"error":' * 9999, "HTTP 400 without an explanation"),
        (b"x" * (1024 * 1024 + 1), "HTTP 400 without an explanation"),
        (b'{"error": {"message": "%b"}}' % (b"m" * 9999), "m" * 500),
    ],
)
def test_a_400_is_one_whatever_its_body_is(cloud, upstream, body, said):
    upstream.will(whole(body, 400))

    refusal = _failed(cloud)

    assert isinstance(refusal, UpstreamRefused)
    assert refusal.status == 400
    assert said in refusal.message
    assert len(refusal.message) <= 500
    assert isinstance(refusal.type, str)
    assert isinstance(refusal.code, str)


def test_a_400_that_is_cut_is_one_too(cloud, upstream):
    upstream.will(whole(b'{"error": {"mess', 400, announced=99))

    assert isinstance(_failed(cloud), UpstreamRefused)


def test_their_words_are_not_too_long(cloud, upstream):
    error = {"message": "m", "type": "t" * 201, "param": "p" * 201, "code": "c" * 201}
    upstream.will(whole(json.dumps({"error": error}).encode(), 400))

    refusal = _failed(cloud)

    assert (refusal.type, refusal.param) == ("invalid_request_error", None)
    assert refusal.code == UpstreamError.code


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 0), ("1.5", None), ("-1", None), ("soon", None), ("", None), ("²", None),
     ("9" * 5000, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)  # fmt: skip
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_passed_on(cloud, upstream, status, header, seconds):
    upstream.will(whole(b"{}", status, Retry_After=header))

    assert _failed(cloud).retry_after_s == seconds


@pytest.mark.parametrize("status", [401, 403])
def test_our_key_that_is_refused_is_ours_to_explain(cloud, upstream, status):
    upstream.will(whole(b'{"error": {"message": "Incorrect key: %b"}}' % KEY.encode(), status))

    error = _failed(cloud)

    assert not isinstance(error, UpstreamRefused)
    assert (error.status, error.code, error.sent) == (status, "provider_key_refused", False)
    assert "Incorrect key" in error.message
    assert KEY not in error.message


def test_without_a_key_there_is_none_to_hide(make_cloud, upstream):
    upstream.will(whole(b'{"error": {"message": "no"}}', 400))

    assert _failed(make_cloud(key=None)).message == "no"


@pytest.mark.parametrize("name", ["message", "type", "param", "code"])
def test_the_key_in_a_refusal_is_not_passed_on(cloud, upstream, name):
    upstream.will(whole(json.dumps({"error": {"message": "m", name: f"<{KEY}>"}}).encode(), 400))

    assert getattr(_failed(cloud), name) == "<…>"


@pytest.mark.parametrize(
    ("status", "ours", "code"),
    [(500, 502, "upstream_error"), (501, 502, "upstream_error"), (502, 502, "upstream_error"),
     (503, 503, "upstream_error"), (504, 504, "upstream_timeout"), (408, 504, "upstream_timeout"),
     (529, 529, "overloaded"), (402, 502, "upstream_error"), (204, 502, "upstream_error"),
     (301, 502, "upstream_error"), (307, 502, "upstream_error")],
)  # fmt: skip
def test_a_failure_of_the_provider_is_mapped(cloud, upstream, status, ours, code):
    body = b"" if status == 204 else b'{"error": {"message": "oh"}}'
    upstream.will(whole(body, status, Location="http://127.0.0.1:1/"))

    error = _failed(cloud)

    assert (error.status, error.code, error.sent) == (ours, code, False)
    assert not isinstance(error, UpstreamRefused)
    assert len(upstream.requests) == 1


def test_an_engines_full_context_has_openais_code(cloud, upstream):
    body = {"error": {"message": "too many tokens", "type": "exceed_context_size_error",
                      "code": 400}}  # fmt: skip
    upstream.will(whole(json.dumps(body).encode(), 400))

    refusal = _failed(cloud)

    assert (refusal.status, refusal.code) == (400, "context_length_exceeded")
    assert (refusal.param, refusal.type) == ("messages", "invalid_request_error")

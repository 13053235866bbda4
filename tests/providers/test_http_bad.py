"""A 200 that is no answer, an answer that does not come, and a client that does not wait."""

import gzip
import socket
import zlib
from contextlib import suppress

import pytest

from larouter.core.catalog import Model
from larouter.core.errors import UpstreamError, UpstreamTimeout
from larouter.core.ports import Leaving
from tests.fakes import a_request
from tests.upstream import (
    ANSWER,
    DONE,
    FIRST,
    WORD,
    hang,
    raw,
    reset,
    stream,
    whole,
)


def _failed(cloud, **fields):
    with pytest.raises(UpstreamError) as caught:
        cloud.ask(**fields)
    return caught.value


@pytest.mark.parametrize(
    "body",
    [b"<html><body>Log in</body></html>", b"", b"{}", b'{"choices": []}', b'{"choices": [{}]',
     b'{"error": {"message": "busy"}}', b"\xff\xfe{}", b"[" * 9999, b"null"],
)  # fmt: skip
def test_a_200_that_is_no_answer_is_a_failure(cloud, upstream, body):
    upstream.will(whole(body, kind="text/html"), whole(body), whole(body), stream(body))

    for streams in (False, False, True, True):
        error = _failed(cloud, stream=streams)
        assert (error.status, error.sent) == (502, True)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (whole(ANSWER), "did not stream"),
        (whole(b'{"error": {"message": "busy"}}'), "busy"),
        (whole(b"<p>a\n\nb</p>", kind="text/html"), "no events"),
        (stream(), "no events"),
        (stream(b": ping\n\n"), "no events"),
        (stream(DONE), "no events"),
        (stream(DONE, hanging=True), "no events"),
        (stream(b'data: {"error": {"message": "busy"}}\n\n'), "busy"),
        (stream(b"data: oops\n\n"), "not JSON"),
        (stream(FIRST, Content_Encoding="gzip"), "compressed"),
    ],
    ids=["json", "error", "html", "empty", "comment", "done", "done-open", "event", "bad", "gzip"],
)
def test_a_stream_that_is_none_fails_before_the_first_event(cloud, upstream, step, said):
    upstream.will(step)

    error = _failed(cloud, stream=True)

    assert error.status == 502
    assert said in error.message


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_a_compression_that_was_not_asked_for_is_undone(cloud, upstream, compress):
    name = "gzip" if compress is gzip.compress else "deflate"
    upstream.will(whole(compress(ANSWER), Content_Encoding=name))

    assert cloud.ask().end == ANSWER


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (gzip.compress(b'{"choices":[{}],"x":"%b"}' % (b" " * 10**6)), "gzip", "absurdly large"),
        (b"not gzip", "gzip", "damaged"),
        (gzip.compress(ANSWER)[:-20], "gzip", "not a JSON completion"),
        (ANSWER, "br", "not asked for: br"),
        (b"", "gzip", "not a JSON completion"),
    ],
    ids=["bomb", "damaged", "cut", "strange", "empty"],
)
def test_a_bad_compression_is_a_failure(cloud, upstream, body, encoding, said):
    upstream.will(whole(body, Content_Encoding=encoding))

    error = _failed(cloud)

    assert error.status == 502
    assert said in error.message


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    "step",
    [
        reset,
        raw(),
        raw(b"HTTP/1.1 200"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}oops"),
        raw(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nxx"),
        raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
        raw(b"\x15\x03\x01\x00\x02\x02\x46"),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X: %b\r\n" % (b"y" * 1000) * 70 + b"\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"),
    ],
    ids=["reset", "silent-close", "cut-head", "cut-body", "length", "smuggled", "chunk-size",
         "chunk-end", "upgrade", "ssh", "tls", "many-headers", "long-header"],
)  # fmt: skip
def test_what_is_not_http_is_a_failure_of_unknown_outcome(cloud, upstream, step, streams):
    upstream.will(step)

    error = _failed(cloud, stream=streams)

    assert (error.status, error.sent) == (502, True)


@pytest.mark.parametrize("streams", [False, True])
def test_a_provider_that_hangs_is_a_timeout(make_cloud, upstream, streams):
    upstream.will(hang)

    error = _failed(make_cloud(first_byte=0.2), stream=streams)

    assert isinstance(error, UpstreamTimeout)
    assert (error.status, error.code, error.sent) == (504, "upstream_timeout", True)
    assert upstream.saw_the_client_leave()


@pytest.mark.parametrize(
    "step",
    [stream(hanging=True), stream(b": ping\n\n", hanging=True), stream(FIRST[:9], hanging=True)],
)
def test_a_stream_whose_first_event_does_not_come_is_a_timeout(make_cloud, upstream, step):
    upstream.will(step)

    assert isinstance(_failed(make_cloud(idle=0.2), stream=True), UpstreamTimeout)


def test_a_stream_that_stops_is_a_timeout(make_cloud, upstream):
    upstream.will(stream(FIRST, WORD, hanging=True))
    reply = make_cloud(idle=0.2).ask(stream=True)

    with pytest.raises(UpstreamTimeout, match="in the middle"):
        list(reply)

    assert upstream.saw_the_client_leave()


def test_a_stream_that_trickles_for_ever_ends(make_cloud, upstream):
    upstream.will(stream(FIRST, *[WORD] * 60, pause_s=0.02, hanging=True))
    reply = make_cloud(total=0.3).ask(stream=True)

    with pytest.raises(UpstreamTimeout):
        list(reply)


def test_a_slow_first_byte_is_waited_for(cloud, upstream):
    upstream.will(whole(after_s=0.3))

    assert cloud.ask().end == ANSWER


def test_nobody_there_is_not_sent(make_cloud, upstream):
    upstream.close()

    error = _failed(make_cloud())

    assert (error.status, error.code, error.sent) == (502, "upstream_unreachable", False)
    assert error.message == "127.0.0.1 cannot be reached (nobody answers at that address)."


def leave_at_the_first_byte(listener, leaving):
    listener.settimeout(10)
    connected, _ = listener.accept()
    with connected:
        connected.recv(1)
        leaving.fire()
        with suppress(ConnectionError):
            while connected.recv(65536):
                pass


def test_a_provider_that_takes_no_request_is_given_up(make_cloud, after):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        cloud = make_cloud(url=f"http://127.0.0.1:{deaf.getsockname()[1]}/v1")
        after(0, lambda: leave_at_the_first_byte(deaf, cloud.leaving))

        error = _failed(cloud, text="x" * 16_000_000, stream=True)

    assert error.sent
    assert "while the request was sent" in error.message


# A client that leaves.


@pytest.mark.parametrize("step", [hang, stream(hanging=True), stream(b": x\n\n", hanging=True)])
def test_a_stream_is_given_up_at_once(cloud, upstream, after, step):
    upstream.will(step)
    after(0.1, cloud.leaving.fire)

    assert _failed(cloud, stream=True).sent
    assert upstream.saw_the_client_leave()
    assert cloud.waiting == []


def test_a_stream_under_way_is_given_up_at_once(cloud, upstream, after):
    upstream.will(stream(FIRST, WORD, hanging=True))
    reply = cloud.ask(stream=True)
    after(0.1, cloud.leaving.fire)

    with pytest.raises(UpstreamError):
        list(reply)

    assert upstream.saw_the_client_leave()


def test_a_whole_answer_is_waited_for_although_the_client_left(cloud, upstream, after):
    upstream.will(whole(after_s=0.3))
    after(0.1, cloud.leaving.fire)

    assert cloud.ask().end == ANSWER
    assert [seconds for seconds, _ in cloud.waiting] == [30]


def test_after_its_grace_a_whole_answer_is_given_up(cloud, upstream, after):
    upstream.will(hang)
    after(0.1, cloud.leaving.fire)
    after(0.3, lambda: cloud.waiting[0][1]())

    assert _failed(cloud).sent
    assert upstream.saw_the_client_leave()


def test_the_end_of_a_grace_does_not_hit_the_next_call(cloud, upstream, after):
    upstream.will(whole(after_s=0.2))
    after(0.1, cloud.leaving.fire)
    cloud.ask()
    upstream.will(stream(FIRST, WORD, DONE, pause_s=0.1))
    model = Model(id="m", name="m", provider="cloud")
    another = cloud.provider.call(model, a_request(stream=True), Leaving())

    cloud.waiting[0][1]()

    assert upstream.last.connection == 1
    assert b"".join(another) == FIRST + WORD


def test_for_a_client_that_left_before_nothing_is_sent(cloud, upstream):
    cloud.leaving.fire()

    for streams in (False, True):
        error = _failed(cloud, stream=streams)
        assert not error.sent

    assert upstream.requests == []

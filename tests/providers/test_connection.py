"""One connection: bytes out, an answer in, and every way in which that can end."""

import socket
import threading
import time

import pytest

from larouter.core.errors import UpstreamError
from larouter.providers.connection import MAX_HEADERS, Connection, Origin, Timeouts
from tests.upstream import ANSWER, hang, raw, reset, stream, whole

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def connect(upstream):
    made = []

    def make(*steps, **timeouts):
        upstream.will(*steps)
        made.append(Connection(socket.create_connection(("127.0.0.1", upstream.port)),
                               Timeouts(**timeouts)))  # fmt: skip
        return made[-1]

    yield make
    for connection in made:
        connection.close()


def _asked(connection):
    connection.send(REQUEST)
    return connection.read_head(5)


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "authority"),
    [
        ("http://a.example", "http", "a.example", 80, "a.example"),
        ("https://a.example/v1", "https", "a.example", 443, "a.example"),
        ("https://A.example:8443/v1", "https", "a.example", 8443, "a.example:8443"),
        ("http://a.example:443", "http", "a.example", 443, "a.example:443"),
        ("http://[::1]:8080/v1", "http", "::1", 8080, "[::1]:8080"),
        ("http://[::1]", "http", "::1", 80, "[::1]"),
        ("http://user:pass@a.example", "http", "a.example", 80, "a.example"),
    ],
)
def test_an_origin(url, scheme, host, port, authority):
    origin = Origin.of(url)

    assert (origin.scheme, origin.host, origin.port) == (scheme, host, port)
    assert origin.authority == authority


def test_a_request_and_its_answer(connect, upstream):
    connection = connect(whole(ANSWER, 202, X_Some="Thing"))

    assert _asked(connection) == 202
    assert connection.headers["x-some"] == "Thing"
    assert connection.read_body() == ANSWER
    assert connection.is_reusable
    assert upstream.last.body == b"{}"


def test_the_body_is_handed_out_as_it_arrives(connect):
    connection = connect(stream(b"one", b"two", b"three", pause_s=0.1))
    _asked(connection)

    assert list(connection.pieces()) == [b"one", b"two", b"three"]


def test_one_connection_serves_many_requests(connect, upstream):
    connection = connect(whole(b"1"), stream(b"2"), whole(b"", 500), whole(b"4"))

    bodies = []
    for _ in range(4):
        _asked(connection)
        bodies.append(connection.read_body())

    assert bodies == [b"1", b"2", b"", b"4"]
    assert {request.connection for request in upstream.requests} == {1}


def test_a_large_request_and_a_large_answer(connect, upstream):
    large = b"x" * (8 * 1024 * 1024)
    connection = connect(whole(large))

    connection.send(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(large), large))
    connection.read_head(5)

    assert connection.read_body() == large
    assert upstream.last.body == large


@pytest.mark.parametrize("step", [whole(b"x" * 101), stream(*[b"x"] * 101)])
def test_a_body_over_the_cap_is_refused(connect, step):
    connection = connect(step)
    _asked(connection)

    with pytest.raises(UpstreamError, match="larger than 100 bytes"):
        connection.read_body(100)

    assert not connection.is_reusable


def test_a_body_of_the_cap_is_read(connect):
    connection = connect(whole(b"x" * 100))
    _asked(connection)

    assert connection.read_body(100) == b"x" * 100


@pytest.mark.parametrize(
    ("step", "reusable"),
    [
        (whole(), True),
        (stream(b"x"), True),
        (whole(close=True), False),
        (raw(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"), False),
        (raw(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", keep=True), False),
    ],
)
def test_what_may_be_used_again(connect, step, reusable):
    connection = connect(step)
    _asked(connection)
    connection.read_body()

    assert connection.is_reusable is reusable


def test_a_head_of_headers_without_end_is_refused(connect):
    line = b"X: %b\r\n" % (b"y" * 1000)
    connection = connect(raw(b"HTTP/1.1 200 OK\r\n", line * 70, keep=True))

    with pytest.raises(UpstreamError, match="64 KiB"):
        _asked(connection)


def test_a_header_without_end_is_refused(connect):
    connection = connect(raw(b"HTTP/1.1 200 OK\r\nX: ", *[b"y" * MAX_HEADERS] * 4))

    with pytest.raises(UpstreamError, match="64 KiB"):
        _asked(connection)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(_HEAD % 4 + b"evil", id="answer"),
        pytest.param(b"HTTP/1.1 500 No\r\n\r\n", id="head"),
        pytest.param(b"garbage", id="garbage"),
        pytest.param(b"\r\n", id="line-end"),
    ],
)
def test_what_follows_an_answer_is_no_part_of_it(connect, more):
    connection = connect(raw(_HEAD % 4 + b"good" + more, keep=True))

    try:
        status, body = _asked(connection), connection.read_body()
    except UpstreamError:
        pass
    else:
        assert (status, body) == (200, b"good")
    assert not connection.is_reusable or more == b"\r\n"


def test_a_cut_is_noticed(connect):
    connection = connect(whole(ANSWER, announced=9999))
    _asked(connection)

    with pytest.raises(UpstreamError, match="before the end"):
        connection.read_body()

    assert connection.broken


def test_a_reset_is_noticed(connect):
    connection = connect(reset)

    with pytest.raises(UpstreamError):
        _asked(connection)

    assert connection.broken


def test_sending_on_what_is_cut_is_an_os_error(connect):
    connection = connect(hang)
    connection.abort()

    with pytest.raises(OSError, match=r"[Bb]roken pipe|shut ?down|[Cc]onnection"):
        connection.send(REQUEST)


def test_an_abort_from_another_thread_wakes_the_reader(connect, upstream, after):
    connection = connect(hang)
    after(0.1, connection.abort)
    started = time.monotonic()

    with pytest.raises(UpstreamError):
        _asked(connection)

    assert time.monotonic() - started < 2
    assert upstream.saw_the_client_leave()
    assert not connection.is_alive()


def test_an_abort_in_a_body_without_length_is_no_end_of_an_answer(connect, upstream, after):
    def endless(talk):
        talk.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        return hang(talk)

    connection = connect(endless)
    _asked(connection)
    after(0.1, connection.abort)

    with pytest.raises(UpstreamError):
        connection.read_body()


def test_aborting_and_closing_again_is_harmless(connect):
    connection = connect()

    connection.abort()
    connection.close()
    connection.abort()
    connection.close()

    assert connection.broken


def test_an_idle_connection_is_alive_until_the_other_side_speaks_or_leaves(connect, upstream):
    connection = connect(whole(ANSWER))
    _asked(connection)
    connection.read_body()
    assert connection.is_alive()

    upstream.talks[0].send(b"HTTP/1.1 408 Late\r\n\r\n")

    assert _soon(lambda: not connection.is_alive())


def test_a_connection_that_the_other_side_closed_is_not_alive(connect, upstream):
    connection = connect(whole(ANSWER))
    _asked(connection)
    connection.read_body()

    upstream.talks[0].socket.shutdown(socket.SHUT_RDWR)

    assert _soon(lambda: not connection.is_alive())


def test_the_end_is_seen_without_waiting(connect):
    parts = threading.Event()

    def two(talk):
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        parts.wait(5)
        talk.send(b"0\r\n\r\n")
        return True

    connection = connect(two)
    _asked(connection)
    assert next(connection.pieces()) == b"x"
    assert not connection.is_complete_without_waiting()

    parts.set()

    assert _soon(connection.is_complete_without_waiting)
    assert connection.is_reusable


def _soon(happens, within_s=2.0):
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if happens():
            return True
        time.sleep(0.01)
    return False

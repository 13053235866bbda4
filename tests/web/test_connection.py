import time

import gevent
import pytest
from flask import Flask, Response, request

from larouter.core.errors import Forbidden, LARouterError
from tests.web.doors import QUICK, echo, eventually, running


@pytest.fixture(scope="module")
def door():
    with running(app) as server:
        yield server


def app(environ, start_response):
    return APPS[environ["PATH_INFO"]](environ, start_response)


def environ_of(environ, start_response):
    wanted = environ["QUERY_STRING"]
    start_response("200 OK", [])
    return [str(environ.get(wanted)).encode("latin-1")]


def stream(_environ, start_response):
    start_response("200 OK", [])
    for piece in (b"one", b"two"):
        yield piece
        gevent.sleep(0.05)


def unread(_environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def fails(_environ, _start_response):
    raise KeyError("a secret")


def fails_in_the_middle(_environ, start_response):
    start_response("200 OK", [])
    yield b"one"
    raise KeyError("a secret")


def refuses(_environ, _start_response):
    raise Forbidden("Not you.")


def writes(_environ, start_response):
    write = start_response("200 OK", [])
    write(b"written ")
    return [b"returned", b"."]


def injects(_environ, start_response):
    start_response("200 OK", [("X", "a\r\nSet-Cookie: b=c")])
    return [b"ok"]


def texts(_environ, start_response):
    start_response("200 OK", [])
    return ["text"]


def catches(environ, start_response):
    try:
        environ["wsgi.input"].read()
    except LARouterError as error:
        start_response(f"{error.status} Refused", [("Content-Length", "0")])
    return []


def complains(environ, start_response):
    environ["wsgi.errors"].writelines(["a complaint\n", "\n"])
    environ["wsgi.errors"].flush()
    return unread(environ, start_response)


APPS = {
    "/echo": echo,
    "/environ": environ_of,
    "/stream": stream,
    "/unread": unread,
    "/fails": fails,
    "/middle": fails_in_the_middle,
    "/refuses": refuses,
    "/writes": writes,
    "/injects": injects,
    "/texts": texts,
    "/catches": catches,
    "/complains": complains,
}


def ask(door, path, *fields, method="GET", version="1.1", body=b""):
    lines = [f"{method} {path} HTTP/{version}", f"Host: 127.0.0.1:{door.port}", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", ""),
        ("PATH_INFO", "/environ"),
        ("QUERY_STRING", "QUERY_STRING"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_NAME", "127.0.0.1"),
        ("SERVER_PORT", "@"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("HTTP_HOST", "127.0.0.1:@"),
        ("HTTP_X_LATIN", "\xe9"),
        ("HTTP_X_UNDER", "None"),
        ("wsgi.version", "(1, 0)"),
        ("wsgi.url_scheme", "http"),
        ("wsgi.input_terminated", "True"),
        ("wsgi.run_once", "False"),
    ],
)
def test_the_environ_is_as_pep_3333_says(door, name, value):
    reply = door.exchange(ask(door, f"/environ?{name}", "X-Latin: \xe9", "X_Under: 1"))

    assert reply.body.decode("latin-1") == value.replace("@", str(door.port))


def test_an_ordinary_answer_is_one_segment(door):
    with door.client() as client:
        client.send(ask(door, "/unread"))

        assert client.more().endswith(b"\r\n\r\nok")


def test_names_no_server(door):
    assert "server" not in door.exchange(ask(door, "/unread")).headers


def test_a_stream_leaves_piece_by_piece(door):
    with door.client() as client:
        client.send(ask(door, "/stream"))

        assert client.more().endswith(b"\r\n\r\n3\r\none\r\n")
        assert client.more() == b"3\r\ntwo\r\n"
        assert client.more() == b"0\r\n\r\n"


def test_an_old_client_gets_a_plain_stream(door):
    with door.client() as client:
        answer = client.send(ask(door, "/stream", version="1.0")).rest()

    assert answer.endswith(b"\r\n\r\nonetwo")


def test_requests_on_one_connection_are_served_in_order(door):
    with door.client() as client:
        bodies = []
        for text in (b"a", b"bb"):
            client.send(ask(door, "/echo", f"Content-Length: {len(text)}", body=text))
            bodies.append(client.reply().body)

    assert bodies == [b"a", b"bb"]


def test_pipelined_requests_are_served_in_order(door):
    chunked = ask(door, "/echo", "Transfer-Encoding: chunked", body=b"2\r\nbb\r\n0\r\n\r\n")
    plain = ask(door, "/echo", "Content-Length: 1", body=b"a")
    with door.client() as client:
        client.send(plain + chunked + plain)

        assert [client.reply().body for _ in range(3)] == [b"a", b"bb", b"a"]


def test_a_request_may_come_byte_by_byte(door):
    raw = ask(door, "/echo", "Transfer-Encoding: chunked", body=b"2\r\nbb\r\n0\r\n\r\n")
    with door.client() as client:
        for byte in raw:
            client.send(bytes([byte]))

        assert client.reply().body == b"bb"


def test_a_large_body_makes_the_round_trip(door):
    body = bytes(range(256)) * 8192
    with door.client() as client:
        client.send(ask(door, "/echo", f"Content-Length: {len(body)}", body=body))

        assert client.reply().body == body


@pytest.mark.parametrize(
    ("fields", "version"), [(["Connection: close"], "1.1"), ([], "1.0")], ids=["asked", "old"]
)
def test_closes_when_the_client_wants_it(door, fields, version):
    with door.client() as client:
        reply = client.send(ask(door, "/unread", *fields, version=version)).reply()

        assert reply.headers["connection"] == "close"
        assert client.is_closed()


def test_continues_only_when_the_app_reads(door):
    fields = ("Content-Length: 2", "Expect: 100-continue")
    with door.client() as client:
        client.send(ask(door, "/echo", *fields))
        assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

        assert client.send(b"ab").reply().body == b"ab"


def test_an_app_that_does_not_read_never_says_continue(door):
    fields = ("Content-Length: 2", "Expect: 100-continue")
    with door.client() as client:
        reply = client.send(ask(door, "/unread", *fields)).reply()

        assert (reply.status, reply.headers["connection"]) == (200, "close")


def test_a_short_unread_body_is_skipped(door):
    with door.client() as client:
        client.send(ask(door, "/unread", "Content-Length: 60000", body=b"x" * 100))
        first = client.reply()
        client.send(b"x" * 59900 + ask(door, "/unread"))

        assert (first.status, client.reply().status) == (200, 200)


def test_a_long_unread_body_costs_the_connection(door):
    with door.client() as client:
        client.send(ask(door, "/unread", "Content-Length: 100000"))

        assert client.reply().headers["connection"] == "close"
        assert client.is_closed()


def test_what_never_comes_is_not_waited_for_long():
    with running(app, limits=QUICK) as server, server.client() as client:
        client.send(ask(server, "/unread", "Content-Length: 100"))
        client.reply()

        assert client.is_closed()


def test_a_bad_body_is_the_app_s_to_answer(door):
    with door.client() as client:
        client.send(ask(door, "/catches", "Transfer-Encoding: chunked", body=b"zz\r\n"))
        reply = client.reply()

        assert (reply.status, reply.headers["connection"]) == (400, "close")
        assert client.is_closed()


@pytest.mark.parametrize("path", ["/fails", "/injects", "/texts"])
def test_a_surprise_is_a_500_without_a_detail(door, path):
    with door.client() as client:
        reply = client.send(ask(door, path)).reply()

        assert (reply.status, reply.error["code"]) == (500, "internal_error")
        assert reply.error["message"] == "The server had an internal error."
        assert client.is_closed()


@pytest.mark.parametrize(
    ("path", "field", "shape"),
    [
        ("/v1/chat/completions", "X: y", {"message", "type", "param", "code"}),
        ("/v1/messages", "X: y", {"type", "message"}),
        ("/v1/models", "anthropic-version: 2023-06-01", {"type", "message"}),
        ("/v1beta/models/auto:generateContent", "X: y", {"code", "message", "status", "details"}),
        ("/v1/models", "x-goog-api-key: k", {"code", "message", "status", "details"}),
    ],
)
@pytest.mark.parametrize(
    ("why", "status"),
    [("Origin: http://evil.example", 403), ("Content-Length: 99999999", 413), ("Y: z", 500)],
    ids=["guard", "room", "surprise"],
)
def test_what_the_door_itself_says_has_the_callers_shape(door, path, field, shape, why, status):
    reply = door.exchange(ask(door, path, field, why, method="POST"))

    assert reply.status == status
    assert set(reply.error) == shape


def test_a_head_that_cannot_be_read_is_refused_in_openais_shape(door):
    reply = door.exchange(b"GET /v1/messages\r\n\r\n")

    assert reply.status == 400
    assert set(reply.error) == {"message", "type", "param", "code"}


def test_an_error_for_a_head_request_has_no_body(door):
    with door.client() as client:
        answer = client.send(
            ask(door, "/v1/messages", "Origin: http://evil.example", method="HEAD")
        )
        assert answer.rest().endswith(b"\r\n\r\n")


def test_an_error_of_ours_keeps_its_status(door):
    assert door.exchange(ask(door, "/refuses")).status == 403


def test_a_surprise_in_a_stream_breaks_it(door):
    with door.client() as client:
        answer = client.send(ask(door, "/middle")).rest()

    assert answer.endswith(b"3\r\none\r\n")


def test_surprises_are_logged():
    with running(app) as server:
        server.exchange(ask(server, "/fails"))

        assert [record.getMessage() for record in server.records] == ["The app failed."]


def test_complaints_of_the_app_are_logged():
    with running(app) as server:
        server.exchange(ask(server, "/complains"))

        assert [record.getMessage() for record in server.records] == ["a complaint"]


def test_write_is_served(door):
    assert door.exchange(ask(door, "/writes")).body == b"written returned."


def test_an_answer_is_closed_even_if_closing_fails():
    class Pieces(list):
        def close(self):
            raise KeyError("in close")

    def closing_fails(_environ, start_response):
        start_response("200 OK", [])
        return Pieces([b"ok"])

    with running(closing_fails) as server, server.client() as client:
        replies = [client.send(ask(server, "/")).reply().body for _ in range(2)]

        assert replies == [b"ok", b"ok"]
        assert server.records[0].getMessage() == "Closing an answer failed."


def test_a_client_that_goes_while_sending_its_body_is_no_news():
    seen = []

    def reads(environ, start_response):
        try:
            return echo(environ, start_response)
        except LARouterError as error:
            seen.append(error.status)
            raise

    with running(reads) as server:
        with server.client() as client:
            client.send(ask(server, "/", "Content-Length: 10", body=b"abc"))
        eventually(lambda: seen)

        assert (seen, server.records) == ([400], [])


def test_serves_flask():
    flask = Flask("door")

    @flask.post("/json")
    def answer():
        return {"got": request.get_json()}

    @flask.get("/stream")
    def pieces():
        return Response((str(number) for number in range(3)), mimetype="text/event-stream")

    with running(flask) as server, server.client() as client:
        body = b'{"a": [1]}'
        fields = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        posted = client.send(ask(server, "/json", *fields, method="POST", body=body)).reply()
        streamed = client.send(ask(server, "/stream")).reply()
        client.send(ask(server, "/json", method="HEAD"))
        headed = client.reply(bodyless=True)

        assert (posted.status, streamed.body, headed.status) == (200, b"012", 405)
        assert client.send(ask(server, "/nowhere")).reply().status == 404


def test_requests_do_not_wait_for_each_other():
    def slow(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            gevent.sleep(1)
        return unread(environ, start_response)

    with running(slow) as server, server.client() as waiting:
        waiting.send(ask(server, "/slow"))
        started = time.monotonic()
        server.exchange(ask(server, "/"))

        assert time.monotonic() - started < 0.8
        assert waiting.reply().status == 200

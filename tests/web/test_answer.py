import sys

import pytest

from larouter.core.errors import TooManyRequests
from larouter.web.answer import Answer, DateLine, write_error
from larouter.web.http11 import Head


def answer(method="GET", protocol="HTTP/1.1", *, cors=(), closes=False):
    sent: list[bytes] = []
    head = Head(method, "/", "", protocol, {}, 0, False, True, False)
    made = Answer(head, sent.append, date=DateLine(), cors=cors, must_close=lambda: closes)
    return made, sent


def fields(sent):
    head = sent[0].partition(b"\r\n\r\n")[0].decode("latin-1")
    return dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])


def test_a_known_length_leaves_in_one_send():
    made, sent = answer()

    made.start("200 OK", [("Content-Length", "3")])
    made.write(b"abc")
    made.finish()

    assert [sent[0].partition(b"\r\n\r\n")[2]] == [b"abc"]
    assert len(sent) == 1
    assert not made.closing


def test_a_whole_body_gets_its_length():
    made, sent = answer()

    made.start("200 OK", [])
    made.write_whole(b"abc")
    made.finish()

    assert (fields(sent)["content-length"], len(sent)) == ("3", 1)


def test_a_stream_is_one_send_a_piece():
    made, sent = answer()

    made.start("200 OK", [])
    for piece in (b"", b"a", b"", b"bc"):
        made.write(piece)
    made.finish()

    assert sent[0].endswith(b"\r\n\r\n1\r\na\r\n")
    assert sent[1:] == [b"2\r\nbc\r\n", b"0\r\n\r\n"]
    assert fields(sent)["transfer-encoding"] == "chunked"


def test_a_stream_for_an_old_client_ends_by_closing():
    made, sent = answer(protocol="HTTP/1.0")

    made.start("200 OK", [])
    made.write(b"a")
    made.write(b"b")
    made.finish()

    assert sent[0].endswith(b"\r\n\r\na")
    assert sent[1:] == [b"b"]
    assert made.closing
    assert fields(sent)["connection"] == "close"


def test_an_empty_stream_has_length_zero():
    made, sent = answer()

    made.start("200 OK", [])
    made.finish()

    assert (fields(sent)["content-length"], len(sent)) == ("0", 1)


@pytest.mark.parametrize(
    ("method", "status", "given", "length"),
    [
        ("HEAD", "200 OK", [("Content-Length", "3")], "3"),
        ("HEAD", "200 OK", [], None),
        ("GET", "204 No Content", [], None),
        ("GET", "204 No Content", [("Content-Length", "3")], None),
        ("GET", "304 Not Modified", [], None),
        ("GET", "304 Not Modified", [("Content-Length", "3")], "3"),
    ],
)
@pytest.mark.parametrize("how", ["write", "write_whole"])
def test_some_answers_have_no_body(method, status, given, length, how):
    made, sent = answer(method)

    made.start(status, given)
    getattr(made, how)(b"abc")
    made.finish()

    assert b"".join(sent).endswith(b"\r\n\r\n")
    assert fields(sent).get("content-length") == length
    assert "transfer-encoding" not in fields(sent)
    assert not made.closing


@pytest.mark.parametrize(
    "name", ["Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Trailer", "TE", "Server"]
)
def test_the_app_does_not_speak_for_the_connection(name):
    made, sent = answer()

    made.start("200 OK", [(name, "app")])
    made.finish()

    assert "app" not in fields(sent).values()


def test_the_app_may_set_the_date():
    made, sent = answer()

    made.start("200 OK", [("date", "then")])
    made.finish()

    assert sent[0].count(b"ate: ") == 1


def test_says_when_it_closes():
    made, sent = answer(closes=True)

    made.start("200 OK", [])
    made.finish()

    assert fields(sent)["connection"] == "close"
    assert made.closing


def test_carries_cors():
    made, sent = answer(cors=[("Vary", "Origin")])

    made.start("200 OK", [("Vary", "Accept")])
    made.finish()

    assert sent[0].count(b"Vary: ") == 2


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\0", "\u20ac"])
def test_nothing_leaves_when_a_field_is_malformed(value):
    made, sent = answer()

    made.start("200 OK", [("X", value)])
    with pytest.raises(ValueError, match="malformed"):
        made.write(b"a")

    assert (sent, made.begun) == ([], False)


@pytest.mark.parametrize("said", [b"", b"ab"])
def test_never_says_more_than_announced(said):
    made, sent = answer()

    made.start("200 OK", [("Content-Length", "3")])
    made.write(said)
    with pytest.raises(ValueError, match="longer"):
        made.write(b"cdef")

    assert b"cd" not in b"".join(sent)


def test_saying_less_than_announced_is_an_error():
    made, _ = answer()

    made.start("200 OK", [("Content-Length", "3")])
    made.write(b"a")
    with pytest.raises(ValueError, match="shorter"):
        made.finish()


@pytest.mark.parametrize(("announced", "whole"), [("3", b"ab"), ("3", b"abcd")])
def test_a_whole_body_must_be_what_was_announced(announced, whole):
    made, sent = answer()

    made.start("200 OK", [("Content-Length", announced)])
    with pytest.raises(ValueError, match="disagree"):
        made.write_whole(whole)

    assert sent == []


def test_needs_a_start():
    made, _ = answer()

    with pytest.raises(RuntimeError):
        made.write(b"a")


def test_starts_once():
    made, _ = answer()
    made.start("200 OK", [])

    with pytest.raises(RuntimeError):
        made.start("200 OK", [])


def test_starts_anew_for_an_error_before_the_first_byte():
    made, sent = answer()
    made.start("200 OK", [])

    made.start("500 No", [], (ValueError, ValueError("x"), None))
    made.finish()

    assert sent[0].startswith(b"HTTP/1.1 500 No")


def test_raises_the_error_after_the_first_byte():
    made, _ = answer()
    made.start("200 OK", [])
    made.write(b"a")

    with pytest.raises(ValueError, match="mine"):
        _fail_and_start(made)


def _fail_and_start(made):
    try:
        raise ValueError("mine")
    except ValueError:
        made.start("500 No", [], sys.exc_info())


def test_an_error_of_the_door_closes_and_says_when_to_come_back():
    error = TooManyRequests("Slow down.", code="too_many_in_flight", retry_after_s=2)

    answer = write_error(error, b"{}", date=DateLine(), cors=[("Vary", "Origin")], with_body=True)

    assert answer.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert answer.endswith(b"\r\n\r\n{}")
    assert fields([answer]).items() >= {
        "content-type": "application/json", "content-length": "2", "retry-after": "2",
        "connection": "close", "vary": "origin", "cache-control": "no-store",
    }.items()  # fmt: skip


def test_an_error_that_answers_a_head_has_no_body_and_its_length():
    answer = write_error(
        TooManyRequests("Slow down."), b"{}", date=DateLine(), cors=(), with_body=False
    )

    assert answer.endswith(b"\r\n\r\n")
    assert fields([answer])["content-length"] == "2"
    assert "retry-after" not in fields([answer])

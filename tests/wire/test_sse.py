"""Events out of bytes, however these are cut."""

import pytest

from larouter.core.errors import UpstreamError
from larouter.wire import sse

EVENTS = (
    b'data: {"a":1}\n\n: a comment\n\nevent: x\ndata: {"b":\ndata: "\xc3\xbc"}\n\ndata:[DONE]\n\n'
)
CRLF = EVENTS.replace(b"\n", b"\r\n")
BOTH = b"data: 1\r\n\r\ndata: 2\n\ndata: 3\r\n\r\n"


def _fed(*pieces):
    splitter = sse.EventSplitter()
    return [splitter.feed(piece) for piece in pieces]


@pytest.mark.parametrize("data", [EVENTS, CRLF, BOTH])
def test_two_pieces_are_the_same_events_wherever_the_cut_is(data):
    for cut in range(len(data) + 1):
        assert b"".join(_fed(data[:cut], data[cut:])) == data


@pytest.mark.parametrize("data", [EVENTS, CRLF, BOTH])
def test_every_piece_handed_out_is_whole_events(data):
    pieces = _fed(*(data[at : at + 1] for at in range(len(data))))

    assert [piece for piece in pieces if piece] == sse.split(data)


@pytest.mark.parametrize("data", [EVENTS, CRLF, BOTH, b"data: 1\n\n\n\ndata: 2\n\n", b"\n\n\n"])
def test_split_loses_no_byte(data):
    assert b"".join(sse.split(data)) == data


def test_an_event_is_handed_out_when_its_last_byte_comes():
    splitter = sse.EventSplitter()

    assert splitter.feed(b"data: 1\n") == b""
    assert splitter.feed(b"\nda") == b"data: 1\n\n"
    assert splitter.feed(b"ta: 2\r\n\r") == b""
    assert splitter.feed(b"\n") == b"data: 2\r\n\r\n"


def test_an_event_without_its_end_is_kept_back():
    assert _fed(b"data: 1\n\ndata: 2", b"\n") == [b"data: 1\n\n", b""]


def test_an_event_without_an_end_is_refused_when_it_is_too_large():
    splitter = sse.EventSplitter()
    splitter.feed(b"x" * sse.MAX_EVENT)

    with pytest.raises(UpstreamError, match="more than 8388608 bytes"):
        splitter.feed(b"x")


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: 1\n\n", b"1"),
        (b"data:1\n\n", b"1"),
        (b"data:  1\n\n", b" 1"),
        (b"data: 1\r\n\r\n", b"1"),
        (b"event: delta\nid: 7\ndata: 1\n\n", b"1"),
        (b"data: 1\ndata: 2\n\n", b"1\n2"),
        (b"\ndata: 1\n\n", b"1"),
        (b": ping\n\n", b""),
        (b"event: ping\n\n", b""),
        (b"data:\n\n", b""),
        (b"database: 1\n\n", b""),
    ],
)
def test_the_data_of_an_event(event, data):
    assert sse.data_of(event) == data


def test_what_is_written_is_read_again():
    event = sse.write(b'{"a": "\xc3\xbc"}')

    assert _fed(event) == [event]
    assert sse.data_of(event) == b'{"a": "\xc3\xbc"}'


@pytest.mark.parametrize(
    ("events", "whole"),
    [
        (b'data: {"a":1}\n\n', True),
        (b'event: x\ndata: {"a":1}\n\ndata: {"b":{}}\n\n', True),
        (b'data: {"a":1}\n\ndata: {"b":\n\n', False),
        (b"data: <html>\n\n", False),
        (b"data: [DONE]\n\n", False),
        (b": ping\n\n", False),
        (b'data: {"a":\r\n\r\n', False),
    ],
)
def test_a_glance_tells_whether_an_event_was_cut(events, whole):
    assert sse.look_whole(events) is whole

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from larouter.core.errors import LARouterError
from larouter.web.http11 import (
    Dechunker,
    HeadReader,
    Limits,
    head_start,
    write_chunk,
    write_head,
)

GET = b"GET / HTTP/1.1\r\n"
POST = b"POST / HTTP/1.1\r\n"


def read(raw, reader=None):
    """Read a head from the whole of its bytes; None while it is incomplete."""
    reader = reader or HeadReader()
    end = reader.find(raw)
    return None if end < 0 else reader.read(raw[head_start(raw) : end])


def outcome(raw, cuts=()):
    """What a connection that gets `raw` in pieces ends with: a head, a refusal or neither."""
    reader = HeadReader()
    buffer, seen = b"", 0
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    try:
        for start, end in pairwise(edges):
            buffer += raw[start:end]
            found = reader.find(buffer, seen) if buffer else -1
            if found >= 0:
                return reader.read(buffer[head_start(buffer) : found])
            seen = len(buffer)
    except LARouterError:
        return "refused"
    return None


@pytest.mark.parametrize(
    ("raw", "method", "path", "query"),
    [
        (b"GET / HTTP/1.1\r\nHost: a", "GET", "/", ""),
        (b"GET /a/b?c=d&e HTTP/1.0\r\nHost: a", "GET", "/a/b", "c=d&e"),
        (b"GET /?a?b HTTP/1.1\r\nHost: a", "GET", "/", "a?b"),
        (b"GET /%41%2F%c3%a9 HTTP/1.1\r\nHost: a", "GET", "/A/\xc3\xa9", ""),
        (b"GET /%zz HTTP/1.1\r\nHost: a", "GET", "/%zz", ""),
        (b"OPTIONS * HTTP/1.1\r\nHost: a", "OPTIONS", "*", ""),
        (b"GET http://A:1/p?q HTTP/1.1\r\nHost: a:1", "GET", "/p", "q"),
        (b"GET http://a HTTP/1.1\r\nHost: a", "GET", "/", ""),
        (b"GET http://a?q HTTP/1.1\r\nHost: a", "GET", "/", "q"),
        (b"PATCH //x HTTP/1.1\r\nHost: a", "PATCH", "//x", ""),
        (b"\r\nGET / HTTP/1.1\r\nHost: a", "GET", "/", ""),
        (b"G!#$%&'*+-.^_`|~ET / HTTP/1.1", "G!#$%&'*+-.^_`|~ET", "/", ""),
    ],
)
def test_reads_a_request_line(raw, method, path, query):
    head = read(raw + b"\r\n\r\n")

    assert (head.method, head.path, head.query) == (method, path, query)


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        (b"Host: a:1", "HTTP_HOST", "a:1"),
        (b"hOsT:a", "HTTP_HOST", "a"),
        (b"X-One: \t a b \t ", "HTTP_X_ONE", "a b"),
        (b"X-Empty:", "HTTP_X_EMPTY", ""),
        (b"X-Latin: \xe9\xff", "HTTP_X_LATIN", "\xe9\xff"),
        (b"Content-Type: application/json", "CONTENT_TYPE", "application/json"),
        (b"Content-Length: 5", "CONTENT_LENGTH", "5"),
        (b"X-A: 1\r\nx-a: 2", "HTTP_X_A", "1, 2"),
        (b"Cookie: a=1\r\nCookie: b=2", "HTTP_COOKIE", "a=1; b=2"),
        (b"X-Colon: a:b: c", "HTTP_X_COLON", "a:b: c"),
    ],
)
def test_reads_a_field(field, name, value):
    assert read(GET + field + b"\r\n\r\n").variables == {name: value}


@pytest.mark.parametrize("name", [b"X_Api_Key", b"Content_Length", b"_", b"Transfer_Encoding"])
def test_drops_a_field_whose_name_could_impersonate_another(name):
    assert read(GET + name + b": 1\r\nHost: a\r\n\r\n").variables == {"HTTP_HOST": "a"}


REFUSED = [
    # the request line
    ("no version", 400, b"GET /\r\n\r\n"),
    ("two spaces", 400, b"GET  / HTTP/1.1\r\n\r\n"),
    ("a tab", 400, b"GET\t/ HTTP/1.1\r\n\r\n"),
    ("a space before", 400, b" GET / HTTP/1.1\r\n\r\n"),
    ("a space after", 400, b"GET / HTTP/1.1 \r\n\r\n"),
    ("a space in the target", 400, b"GET /a b HTTP/1.1\r\n\r\n"),
    ("an empty method", 400, b" / HTTP/1.1\r\n\r\n"),
    ("a method that is no token", 400, b"G(T / HTTP/1.1\r\n\r\n"),
    ("a target that is not ASCII", 400, b"GET /\xe9 HTTP/1.1\r\n\r\n"),
    ("a fragment", 400, b"GET /#a HTTP/1.1\r\n\r\n"),
    ("an encoded NUL", 400, b"GET /%00 HTTP/1.1\r\n\r\n"),
    ("a bare name", 400, b"GET a HTTP/1.1\r\n\r\n"),
    ("an asterisk", 400, b"GET * HTTP/1.1\r\n\r\n"),
    ("CONNECT", 400, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
    ("CONNECT with a path", 400, b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("another authority", 400, b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("an authority without a host", 400, b"GET http://b/ HTTP/1.1\r\n\r\n"),
    ("a user in the authority", 400, b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("an empty authority", 400, b"GET http:/// HTTP/1.1\r\nHost:\r\n\r\n"),
    ("another scheme", 400, b"GET file://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a lower case protocol", 400, b"GET / http/1.1\r\n\r\n"),
    ("HTTP/1.2", 505, b"GET / HTTP/1.2\r\n\r\n"),
    ("HTTP/0.9", 505, b"GET / HTTP/0.9\r\n\r\n"),
    ("HTTP/2", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("HTTP/1.10", 400, b"GET / HTTP/1.10\r\n\r\n"),
    ("HTTP/11", 400, b"GET / HTTP/11\r\n\r\n"),
    ("two empty lines before", 400, b"\r\n\r\n" + GET + b"\r\n"),
    ("TLS", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    # line ends and control characters
    ("bare line feeds", 400, b"GET / HTTP/1.1\nHost: a\n\n"),
    ("one bare line feed", 400, GET + b"Host: a\nX: b\r\n\r\n"),
    ("a bare carriage return", 400, GET + b"Host: a\rX: b\r\n\r\n"),
    ("a doubled carriage return", 400, GET + b"Host: a\r\r\n\r\n"),
    ("NUL in a value", 400, GET + b"X: a\0b\r\n\r\n"),
    ("NUL in a name", 400, GET + b"X\0: a\r\n\r\n"),
    ("a control character", 400, GET + b"X: a\x0bb\r\n\r\n"),
    ("DEL", 400, GET + b"X: a\x7f\r\n\r\n"),
    # fields
    ("a space before the colon", 400, GET + b"Host : a\r\n\r\n"),
    ("a tab before the colon", 400, GET + b"Host\t: a\r\n\r\n"),
    ("an empty name", 400, GET + b": a\r\n\r\n"),
    ("no colon", 400, GET + b"Host\r\n\r\n"),
    ("a folded line", 400, GET + b"X: a\r\n b\r\n\r\n"),
    ("a line folded by a tab", 400, GET + b"X: a\r\n\tb\r\n\r\n"),
    ("a first line folded", 400, GET + b" Host: a\r\n\r\n"),
    ("a name that is not ASCII", 400, GET + b"\xe9: a\r\n\r\n"),
    ("a name with a bracket", 400, GET + b"a[b]: a\r\n\r\n"),
    ("two hosts", 400, GET + b"Host: a\r\nHost: a\r\n\r\n"),
    ("two authorizations", 400, GET + b"Authorization: a\r\nAuthorization: b\r\n\r\n"),
    ("two keys", 400, GET + b"x-api-key: a\r\nX-Api-Key: b\r\n\r\n"),
    ("two types", 400, GET + b"Content-Type: a\r\nContent-Type: a\r\n\r\n"),
    ("two origins", 400, GET + b"Origin: a\r\nOrigin: a\r\n\r\n"),
    # framing
    ("equal lengths", 400, POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
    ("differing lengths", 400, POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    ("a list of lengths", 400, POST + b"Content-Length: 1, 1\r\n\r\n"),
    ("a signed length", 400, POST + b"Content-Length: +1\r\n\r\n"),
    ("a negative length", 400, POST + b"Content-Length: -1\r\n\r\n"),
    ("a length with _", 400, POST + b"Content-Length: 1_0\r\n\r\n"),
    ("a hexadecimal length", 400, POST + b"Content-Length: 0x1\r\n\r\n"),
    ("a superscript length", 400, POST + b"Content-Length: \xb2\r\n\r\n"),
    ("an empty length", 400, POST + b"Content-Length:\r\n\r\n"),
    ("an endless length", 413, POST + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n"),
    (
        "a length and chunks",
        400,
        POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    ("gzip", 400, POST + b"Transfer-Encoding: gzip\r\n\r\n"),
    ("gzip, chunked", 400, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    ("chunked, identity", 400, POST + b"Transfer-Encoding: chunked, identity\r\n\r\n"),
    ("chunked twice", 400, POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n"),
    ("chunked quoted", 400, POST + b'Transfer-Encoding: "chunked"\r\n\r\n'),
    ("chunked with a form feed", 400, POST + b"Transfer-Encoding: \x0cchunked\r\n\r\n"),
    ("an empty coding", 400, POST + b"Transfer-Encoding:\r\n\r\n"),
    (
        "two codings",
        400,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
    ("chunks in 1.0", 400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    # sizes
    ("a long target", 414, b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n\r\n"),
    ("an endless line", 414, b"GET /" + b"a" * 8300),
    ("a long field", 431, GET + b"X: " + b"a" * 8192 + b"\r\n\r\n"),
    ("too many fields", 431, GET + b"X: 1\r\n" * 201 + b"\r\n"),
    ("too much", 431, GET + (b"X: " + b"a" * 1000 + b"\r\n") * 70 + b"\r\n"),
    ("too much, without an end", 431, GET + (b"X: " + b"a" * 1000 + b"\r\n") * 80),
]


@pytest.mark.parametrize(
    ("status", "raw"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refuses(status, raw):
    with pytest.raises(LARouterError) as refusal:
        read(raw)

    assert refusal.value.status == status


@pytest.mark.parametrize("raw", [row[2] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refuses_byte_by_byte_too(raw):
    cuts = range(0, len(raw), max(1, len(raw) // 500))

    assert outcome(raw, cuts) == "refused"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r",
        b"\r\n",
        b"G",
        b"GET / HTTP/1.1\r",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r",
    ],
)
def test_waits_for_the_rest(raw):
    assert outcome(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /" + b"a" * (8192 - 14) + b" HTTP/1.1\r\n\r\n",
        GET + b"X: " + b"a" * (8192 - 3) + b"\r\n\r\n",
        GET + b"X: 1\r\n" * 200 + b"\r\n",
    ],
)
def test_takes_what_is_just_within_the_limits(raw):
    assert read(raw) is not None


@pytest.mark.parametrize(
    ("raw", "keep_alive"),
    [
        (GET, True),
        (GET + b"Connection: keep-alive\r\n", True),
        (GET + b"Connection: close\r\n", False),
        (GET + b"Connection: foo, Close\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n", False),
    ],
)
def test_knows_whether_the_connection_stays(raw, keep_alive):
    assert read(raw + b"\r\n").keep_alive is keep_alive


@pytest.mark.parametrize(
    ("raw", "expects"),
    [
        (POST + b"Expect: 100-Continue\r\n", True),
        (POST + b"Expect: something\r\n", False),
        (b"POST / HTTP/1.0\r\nExpect: 100-continue\r\n", False),
    ],
)
def test_knows_whether_the_client_waits(raw, expects):
    assert read(raw + b"\r\n").expects_continue is expects


def test_never_remembers_a_secret_or_a_query():
    reader = HeadReader()

    read(b"GET /?key=lr_q HTTP/1.1\r\nAuthorization: lr_a\r\nCookie: lr_c\r\n\r\n", reader)

    assert b"lr_" not in repr(vars(reader)).encode()


def test_reads_the_same_from_memory():
    reader = HeadReader()
    raw = POST + b"Host: a\r\nX_Y: 1\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n"

    assert read(raw, reader) == read(raw, reader) == read(raw)


def test_memory_stays_bounded():
    reader = HeadReader()

    for number in range(3000):
        read(b"GET /%d HTTP/1.1\r\nX: %d\r\n\r\n" % (number, number), reader)

    assert len(reader._fields) <= 1024
    assert len(reader._lines) <= 1024


LIKELY = st.lists(
    st.sampled_from(
        [
            b"GET / HTTP/1.1",
            b"POST http://a/ HTTP/1.1",
            b"\r\n",
            b"\r\n\r\n",
            b"\n",
            b"\r",
            b"\0",
            b" ",
            b":",
            b"Host: a",
            b"Transfer-Encoding: chunked",
            b"Content-Length: 1",
            b"X: y",
            b"\xff",
        ]
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(raw=LIKELY | st.binary(max_size=60), cuts=st.lists(st.integers(0, 120), max_size=8))
@example(raw=b"\r\nGET / HTTP/1.1\r\n\r\n", cuts=[1])
def test_cutting_the_bytes_anywhere_changes_nothing(raw, cuts):
    assert outcome(raw, cuts) == outcome(raw)


def dechunk(raw, cuts=(), limits=None):
    dechunker = Dechunker(limits or Limits())
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    out = b"".join(
        dechunker.feed(raw[start:end])
        for start, end in pairwise(edges)
        if not dechunker.done or not start
    )
    return out, dechunker


@pytest.mark.parametrize(
    ("raw", "body", "rest"),
    [
        (b"0\r\n\r\n", b"", b""),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc", b""),
        (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", b"abcde", b"GET"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", b""),
        (b"0a\r\n0123456789\r\n00\r\n\r\n", b"0123456789", b""),
        (b'3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n', b"abc", b""),
        (b"3\r\na\r\n\r\n0\r\nX: y\r\nZ: w\r\n\r\n", b"a\r\n", b""),
    ],
)
def test_undoes_chunks(raw, body, rest):
    out, dechunker = dechunk(raw)

    assert (out, dechunker.rest, dechunker.done) == (body, rest, True)


BAD_CHUNKS = [
    (400, b"\r\n"),
    (400, b"x\r\n"),
    (400, b"-1\r\n"),
    (400, b"+1\r\n"),
    (400, b"0x1\r\n"),
    (400, b"1_0\r\n"),
    (400, b" 1\r\na\r\n"),
    (400, b"1 \r\na\r\n"),
    (400, b"1 ;a\r\na\r\n"),
    (400, b"1\na\r\n"),
    (400, b"\xb2\r\n"),
    (400, b"000000001\r\na\r\n"),
    (413, b"ffffffff\r\n"),
    (400, b"fffffffff\r\n"),
    (400, b"1;" + b"a" * 1024 + b"\r\na\r\n"),
    (400, b"1;" + b"a" * 2000),
    (400, b"1;a\0\r\na\r\n"),
    (400, b"1;a\nb\r\na\r\n"),
    (400, b"1;a\rb\r\na\r\n"),
    (400, (b"1;" + b"a" * 1000 + b"\r\na\r\n") * 70),
    (400, b"1\r\nab\r\n"),
    (400, b"1\r\na\n"),
    (400, b"1\r\na\r\r"),
    (400, b"0\r\nX\r\n\r\n"),
    (400, b"0\r\nX : y\r\n\r\n"),
    (400, b"0\r\n: y\r\n\r\n"),
    (400, b"0\r\nX: y\n\r\n\r\n"),
    (400, b"0\r\nX: " + b"a" * 9000),
    (431, b"0\r\n" + b"X: y\r\n" * 201),
    (431, b"0\r\n" + (b"X: " + b"a" * 8000 + b"\r\n") * 9),
]


@pytest.mark.parametrize(("status", "raw"), BAD_CHUNKS)
def test_refuses_bad_chunks(status, raw):
    with pytest.raises(LARouterError) as refusal:
        dechunk(raw)

    assert refusal.value.status == status


def test_refuses_a_body_as_soon_as_its_size_is_said():
    with pytest.raises(LARouterError) as refusal:
        dechunk(b"6\r\nabcdef\r\n5\r\n", limits=Limits(body=10))

    assert refusal.value.status == 413


def chunked_outcome(raw, cuts=()):
    try:
        out, dechunker = dechunk(raw, cuts)
    except LARouterError:
        return "refused"
    # After the end, what was not fed any more belongs to the next request.
    return out, dechunker.done, dechunker.done or dechunker.rest


CHUNKS = st.lists(
    st.sampled_from([b"3", b"0", b"\r\n", b"abc", b"\n", b"\r", b";x", b"X: y", b"3\r\nabc\r\n"]),
    max_size=12,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(raw=CHUNKS | st.binary(max_size=40), cuts=st.lists(st.integers(1, 60), max_size=8))
def test_cutting_the_chunks_anywhere_changes_nothing(raw, cuts):
    assert chunked_outcome(raw, cuts) == chunked_outcome(raw)


@given(pieces=st.lists(st.binary(min_size=1, max_size=50)))
def test_chunks_make_a_round_trip(pieces):
    raw = b"".join(map(write_chunk, pieces)) + b"0\r\n\r\n"

    assert dechunk(raw)[0] == b"".join(pieces)


def test_writes_a_head():
    assert write_head("200 OK", [("A", "b"), ("C", "\xe9")]) == (
        b"HTTP/1.1 200 OK\r\nA: b\r\nC: \xe9\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("status", "name", "value"),
    [
        ("200 OK", "A", "b\r\nC: d"),
        ("200 OK", "A", "b\nC: d"),
        ("200 OK", "A", "b\rC"),
        ("200 OK", "A", "b\0"),
        ("200 OK", "A", "b\u2028"),
        ("200 OK", "A\r\nB", "c"),
        ("200 OK", "A B", "c"),
        ("200 OK", "", "c"),
        ("200 OK\r\nA: b", "C", "d"),
        ("OK", "A", "b"),
        ("200", "A", "b"),
        ("101 Switching Protocols", "A", "b"),
    ],
)
def test_never_writes_what_breaks_out_of_its_line(status, name, value):
    with pytest.raises(ValueError, match="malformed"):
        write_head(status, [(name, value)])

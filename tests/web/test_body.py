import pytest

from larouter.core.errors import BadRequest, LARouterError, RequestTimeout, TooLarge
from larouter.web.body import Body
from larouter.web.http11 import Head, Limits


def body(*pieces, length=0, chunked=False, waits=False, limits=None):
    """A body of which the first piece came with the head, and the rest is still to come."""
    first, *later = pieces or (b"",)
    arriving = iter([*later, b""])
    asked = []

    def receive(awaited):
        asked.append(awaited)
        piece = next(arriving)
        if isinstance(piece, LARouterError):
            raise piece
        return piece

    head = Head("POST", "/", "", "HTTP/1.1", {}, length, chunked, True, waits)
    made = Body(head, first, receive, limits or Limits())
    return made, asked


def test_a_body_that_is_here_asks_for_nothing():
    made, asked = body(b"abcGET", length=3)

    assert (made.read(), made.rest, made.finished, asked) == (b"abc", b"GET", True, [])


@pytest.mark.parametrize("pieces", [(b"abcdef",), (b"", b"abcdef"), (b"ab", b"cd", b"ef")])
@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([-1], [b"abcdef"]),
        ([None], [b"abcdef"]),
        ([0, -1, -1], [b"", b"abcdef", b""]),
        ([1, 4, 4, 4], [b"a", b"bcde", b"f", b""]),
        ([100], [b"abcdef"]),
    ],
)
def test_read_is_file_like(pieces, sizes, expected):
    made, _ = body(*pieces, length=6)

    assert [made.read(size) for size in sizes] == expected


@pytest.mark.parametrize(
    "pieces", [(b"a\nbb\nc",), (b"a", b"\nb", b"b\nc"), (b"", b"a\nbb\n", b"c")]
)
def test_reads_lines(pieces):
    made, _ = body(*pieces, length=6)

    assert (made.readline(), made.readline(1), made.readlines()) == (b"a\n", b"b", [b"b\n", b"c"])


def test_iterates_over_lines():
    made, _ = body(b"a\nb", length=3)

    assert list(made) == [b"a\n", b"b"]


def test_undoes_chunks():
    made, _ = body(b"3\r\nab", b"c\r\n0\r\n", b"\r\nGET", chunked=True)

    assert (made.read(), made.finished, made.rest) == (b"abc", True, b"GET")


def test_without_a_body_there_is_nothing_to_read():
    made, asked = body(b"GET")

    assert (made.read(), made.rest, made.finished, asked) == (b"", b"GET", True, [])


@pytest.mark.parametrize(
    ("pieces", "options", "error"),
    [
        ((b"a",), {"length": 3}, BadRequest),
        ((b"x\r\n",), {"chunked": True}, BadRequest),
        ((b"3\r\nabc", b"x"), {"chunked": True}, BadRequest),
        ((b"3\r\nabc",), {"chunked": True}, BadRequest),
        ((b"b\r\n",), {"chunked": True, "limits": Limits(body=10)}, TooLarge),
        ((b"", RequestTimeout("late")), {"length": 3}, RequestTimeout),
    ],
)
def test_what_goes_wrong_comes_out_of_read_again_and_again(pieces, options, error):
    made, _ = body(*pieces, **options)

    for _ in range(2):
        with pytest.raises(error):
            made.read()
    assert not made.finished
    assert not made.discardable


@pytest.mark.parametrize(
    ("pieces", "waits", "asked"),
    [
        ((b"", b"a", b"b"), True, [True, False]),
        ((b"", b"ab"), False, [False]),
        ((b"a", b"b"), True, [False]),
    ],
)
def test_asks_to_continue_only_once_and_only_if_awaited(pieces, waits, asked):
    made, asks = body(*pieces, length=2, waits=waits)

    made.read()

    assert asks == asked


@pytest.mark.parametrize(
    ("pieces", "options", "discardable"),
    [
        ((b"abc",), {"length": 3}, True),
        ((b"",), {"length": 65536}, True),
        ((b"",), {"length": 65537}, False),
        ((b"a",), {"length": 65537}, True),
        ((b"",), {"length": 3, "waits": True}, False),
        ((b"",), {"chunked": True}, False),
        ((b"0\r\n\r\n",), {"chunked": True}, True),
    ],
)
def test_knows_what_is_worth_discarding(pieces, options, discardable):
    made, _ = body(*pieces, **options)

    assert made.discardable is discardable


def test_discards():
    made, _ = body(b"a", b"b", b"cGET", length=3)

    made.discard()

    assert (made.read(), made.rest) == (b"", b"GET")

"""What may become of a cloud's next answers: steps for `cloud.will`."""

import gzip as gzip_format
import time

from tests.clouds.server import Exchange, Step, Stream, Whole, fine

__all__ = [
    "cut_midstream", "error_event", "fine", "gzip", "hang", "html", "huge", "malformed_chunk",
    "paced", "reset", "slow_first_byte", "status", "wrong_type",
]  # fmt: skip


def status(code: int, retry_after: float | None = None, message: str = "") -> Step:
    """Refuse with this status, in the service's own shape."""

    def step(exchange: Exchange) -> None:
        whole = exchange.cloud.refused(exchange.seen, exchange.cloud.refusal(code, message).whole)
        wait = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        exchange.send(Whole(whole.body, code, {**whole.headers, **wait}))

    return step


def hang(exchange: Exchange) -> None:
    """Never answer."""
    exchange.wait_until_left()


def reset(exchange: Exchange) -> None:
    """Close the connection without a word."""
    exchange.cut()


def slow_first_byte(seconds: float) -> Step:
    def step(exchange: Exchange) -> None:
        time.sleep(seconds)
        fine(exchange)

    return step


def paced(pause_s: float) -> Step:
    """Answer slowly, piece by piece."""

    def step(exchange: Exchange) -> None:
        reply = exchange.reply()
        if isinstance(reply, Whole):
            exchange.send(reply)
            return
        exchange.begin(reply)
        for piece in reply.pieces:
            exchange.chunk(piece)
            time.sleep(pause_s)
        exchange.end()

    return step


def cut_midstream(exchange: Exchange) -> None:
    """Half of the answer, then the end of the connection."""
    reply = exchange.reply()
    if isinstance(reply, Whole):
        half = reply.data[: len(reply.data) // 2]
        exchange.send_bytes(half, reply.status, announced=len(reply.data))
    else:
        _begin_half(exchange, reply)
    exchange.cut()


def malformed_chunk(exchange: Exchange) -> None:
    """An answer whose JSON is broken in the middle, though HTTP is not."""
    reply = exchange.reply()
    if isinstance(reply, Whole):
        exchange.send_bytes(reply.data[: len(reply.data) // 2])
        return
    _begin_half(exchange, reply)
    exchange.chunk(b'data: {"choices": [{"delta": {"cont\n\n')
    for piece in _second_half(reply):
        exchange.chunk(piece)
    exchange.end()


def error_event(exchange: Exchange) -> None:
    """Half of a stream, then the service's own error, then the end as if all were well."""
    reply = exchange.reply()
    if isinstance(reply, Whole):
        status(500)(exchange)
        return
    _begin_half(exchange, reply)
    exchange.chunk(exchange.cloud.error_event(exchange.seen))
    exchange.end()


def html(exchange: Exchange) -> None:
    """A page of somebody in between."""
    page = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    exchange.send_bytes(page, 502, "text/html")


def gzip(exchange: Exchange) -> None:
    """The answer compressed, asked for or not."""
    reply = exchange.reply()
    whole = isinstance(reply, Whole)
    data = reply.data if isinstance(reply, Whole) else b"".join(reply.pieces)
    kind = "application/json" if whole else "text/event-stream"
    code = reply.status if isinstance(reply, Whole) else 200
    exchange.send_bytes(gzip_format.compress(data), code, kind, {"Content-Encoding": "gzip"})


def wrong_type(exchange: Exchange) -> None:
    """The right answer under a Content-Type that is not its own."""
    reply = exchange.reply()
    if isinstance(reply, Whole):
        exchange.send_bytes(reply.data, reply.status, "text/plain")
    else:
        exchange.send(Stream(reply.pieces, "application/octet-stream", reply.headers))


def huge(size: int = 64 * 1024 * 1024) -> Step:
    """An answer, or one event of a stream, of that many bytes."""
    block = b"x" * 65536

    def step(exchange: Exchange) -> None:
        reply = exchange.reply()
        if isinstance(reply, Whole):
            exchange.send_bytes(b'{"padding": "', announced=size)
            exchange.cut()
        else:
            _begin_half(exchange, reply)
            exchange.chunk(b'data: {"padding": "')
        for _ in range(size // len(block)):
            if isinstance(reply, Whole):
                exchange.raw(block)
            else:
                exchange.chunk(block)
        exchange.cut()

    return step


def _begin_half(exchange: Exchange, stream: Stream) -> None:
    exchange.begin(stream)
    for piece in stream.pieces[: len(stream.pieces) // 2]:
        exchange.chunk(piece)


def _second_half(stream: Stream) -> tuple[bytes, ...]:
    return stream.pieces[len(stream.pieces) // 2 :]

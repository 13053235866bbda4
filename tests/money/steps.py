"""What a cloud may do to an answer and to its usage: steps for `cloud.will`."""

from __future__ import annotations

import json
import threading

from tests.clouds.server import Stream, Whole

_USAGE = {"usage", "usageMetadata"}


def counted(counts):
    """Answer well; tell how many pieces the answer had."""

    def step(exchange):
        reply = exchange.reply()
        counts.append(len(reply.pieces))
        exchange.send(reply)

    return step


def cut_after(pieces):
    """The end of the connection after so many pieces of a stream."""

    def step(exchange):
        reply = exchange.reply()
        exchange.begin(reply)
        for piece in reply.pieces[:pieces]:
            exchange.chunk(piece)
        exchange.cut()

    return step


class Held:
    """A stream that says nothing more after so many pieces, until the other side leaves."""

    def __init__(self, pieces):
        self.sent = threading.Event()
        self.left = threading.Event()
        self._pieces = pieces

    def __call__(self, exchange):
        reply = exchange.reply()
        exchange.begin(reply)
        for piece in reply.pieces[: self._pieces]:
            exchange.chunk(piece)
        self.sent.set()
        exchange.wait_until_left()
        self.left.set()  # with an end or with a reset, as the system likes


def lying(lie):
    """Answer well, with another usage: `lie` gets each and returns what is told instead."""

    def step(exchange):
        reply = exchange.reply()
        if isinstance(reply, Whole):
            exchange.send(Whole(_told(reply.body, lie), reply.status, reply.headers))
        else:
            pieces = tuple(_told_piece(piece, lie) for piece in reply.pieces)
            exchange.send(Stream(pieces, reply.kind, reply.headers))

    return step


def numbers(change):
    """A lie that changes every number by its name."""

    def lie(usage, name=""):
        if isinstance(usage, dict):
            return {key: lie(value, key) for key, value in usage.items()}
        return change(name, usage) if type(usage) is int else usage

    return lie


def _told_piece(piece, lie):
    lines = [
        b"data: " + json.dumps(_told(json.loads(line[6:]), lie)).encode()
        if line.startswith(b"data: {")
        else line
        for line in piece.split(b"\n")
    ]
    return b"\n".join(lines)


def _told(value, lie):
    if not isinstance(value, dict):
        return value
    return {
        key: lie(inner) if key in _USAGE and inner is not None else _told(inner, lie)
        for key, inner in value.items()
    }

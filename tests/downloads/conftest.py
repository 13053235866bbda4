"""A hub with one file, an order for it, and the parts that a worker puts together."""

import hashlib
import random
from types import SimpleNamespace

import pytest

from larouter.downloads.order import Order, Piece
from larouter.downloads.orders import Orders
from larouter.downloads.part import Part
from larouter.downloads.source import Hub, Source
from larouter.downloads.transfer import Transfer
from tests.hub import COMMIT
from tests.hub import Hub as FakeHub

REPO = "owner/repo"
NAME = "model.gguf"
DATA = random.Random(1).randbytes(3_000_000)  # noqa: S311


@pytest.fixture
def hub():
    with FakeHub() as running:
        running.put(REPO, NAME, DATA)
        yield running


@pytest.fixture
def orders(tmp_path):
    orders = Orders(tmp_path / "models")
    orders.prepare()
    return orders


def piece_of(data=DATA, name=NAME, **facts):
    """A file as the catalogue pins it."""
    known = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "pinned": True}
    return Piece(name=name, **{"repo": REPO, "revision": COMMIT, **known, **facts})


def order_for(*pieces, order_id="some-model", **facts):
    return Order(id=order_id, title="Some model", files=pieces or (piece_of(),), **facts)


class Heard:
    """What a transfer says."""

    def __init__(self):
        self.bytes, self.waits = [], []

    def on_bytes(self, phase, size):
        self.bytes.append((phase, size))

    def on_wait(self, why, wait_s):
        self.waits.append((why, wait_s))


@pytest.fixture
def house(hub, orders):
    """One transfer after the other into the same part."""
    heard = Heard()
    slept: list[float] = []

    def part_of(piece, *, free=10**12, reserve=0):
        paths = orders.part(piece.name), orders.state(piece.name)
        return Part(*paths, piece, free=lambda folder: free, reserve=reserve)

    def fill(piece=None, *, token=None, stalled_s=5.0, endpoint=None, sleep=slept.append, **room):
        piece = piece or piece_of()
        part = part_of(piece, **room)
        source = Source(Hub(endpoint=endpoint or hub.url, token=token, stalled_s=stalled_s))
        try:
            Transfer(source, heard, sleep=sleep).fill(piece, part)
        finally:
            part.close()
            source.close()
        return orders.part(piece.name).read_bytes()

    return SimpleNamespace(fill=fill, part_of=part_of, heard=heard, slept=slept, orders=orders)

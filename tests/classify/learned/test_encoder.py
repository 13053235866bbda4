"""The encoder."""

import numpy as np
import pytest

from larouter.classify.learned.encoder import Encoder
from tests.classify.learned.weights import WIDTH, small


@pytest.fixture
def encoder():
    return Encoder(small())


def test_nothing_is_noughts(encoder):
    for text in (encoder.read(""), encoder.read("zzz")):
        assert encoder.encoded(text).tolist() == [0.0] * (2 * WIDTH)


def test_one_piece(encoder):
    stored = small()
    vector = stored["pieces"][0] * np.float32(stored["pieces_scale"][0])
    kernel = stored["kernel"].astype(np.float32)[WIDTH : 2 * WIDTH]

    found = encoder.encoded(encoder.read("hello"))

    assert found[:WIDTH] == pytest.approx(vector / np.sqrt(2), rel=1e-4)
    assert found[WIDTH:] == pytest.approx(np.maximum(vector @ kernel, 0) / np.sqrt(2), rel=1e-4)


def test_the_order_of_pieces_counts(encoder):
    first, second = (encoder.encoded(encoder.read(text)) for text in ("hello world", "world hello"))

    assert first[:WIDTH] == pytest.approx(second[:WIDTH])
    assert first[WIDTH:] != pytest.approx(second[WIDTH:])


def test_an_important_piece_counts_more():
    stored = small() | {"importance": np.array([5, 0, 0], np.float16)}
    loud, plain = Encoder(stored), Encoder(small())
    texts = ("hello", "hello world")
    ratio = [
        np.dot(*(row.encoded(row.read(text))[:WIDTH] for text in texts))
        / np.prod([np.linalg.norm(row.encoded(row.read(text))[:WIDTH]) for text in texts])
        for row in (loud, plain)
    ]

    assert ratio[0] > ratio[1]

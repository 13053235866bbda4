"""A small network with known weights, for tests that look at one part of the way."""

import numpy as np

from larouter.classify.learned import wish
from larouter.classify.learned.network import FAMILIES
from larouter.classify.learned.pieces import LONGEST
from larouter.classify.learned.scalars import NAMES
from larouter.classify.learned.text import read
from training.characters import table

CLASSES = table()
WIDTH = 4
TAGS = ("code", "math")
LANGUAGES = ("de", "en", "other")


def key(piece):
    """The hash of a piece; a space at its start belongs to it."""
    assert len(piece) <= LONGEST
    text = read(piece, CLASSES)
    begin = 0 if piece.startswith(" ") else 1
    return int(text.hashes(np.array([begin]), np.array([len(text.classes) - 1]))[0])


def small(pieces=(" hello", " wor", "ld"), seed=1):
    """Arrays as `data/learned.npz` holds them."""
    random = np.random.default_rng(seed)
    inputs = len(NAMES) + 10 * WIDTH + 2 * len(FAMILIES)
    outputs = 6 + len(TAGS) + len(LANGUAGES)
    arrays = {
        "classes": CLASSES,
        "piece_keys": np.array([key(piece) for piece in pieces], np.uint64),
        "pieces": random.integers(-127, 127, (len(pieces), WIDTH)).astype(np.int8),
        "pieces_scale": np.full(len(pieces), 0.01, np.float16),
        "importance": np.zeros(len(pieces), np.float16),
        "kernel": random.normal(size=(3 * WIDTH, WIDTH)).astype(np.float16),
        "kernel_bias": np.zeros(WIDTH, np.float16),
        "wishes": np.full(1 << wish.BITS, wish.NOTHING, np.uint8),
        "mean": np.zeros(len(NAMES), np.float32),
        "spread": np.ones(len(NAMES), np.float32),
        "first": random.normal(size=(inputs, 3)).astype(np.float16),
        "first_bias": np.zeros(3, np.float32),
        "last": random.normal(size=(3, outputs)).astype(np.float16),
        "last_bias": np.zeros(outputs, np.float32),
        "straight": np.zeros((inputs, outputs), np.float16),
        "tags": np.array(TAGS),
        "languages": np.array(LANGUAGES),
        "heat": np.float64(1.0),
        "border": np.float64(0.4),
        "need": np.array([1.0, 0.0]),
    }
    for name in FAMILIES:
        arrays[f"{name}_buckets"] = np.arange(0, 1 << 18, 2, dtype=np.int32)
        arrays[f"{name}_grams"] = random.integers(-127, 127, (1 << 17, 2)).astype(np.int8)
        arrays[f"{name}_scale"] = np.full(2, 0.01, np.float32)
    return arrays

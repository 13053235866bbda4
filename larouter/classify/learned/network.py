"""The network: the encoder's numbers, sums over n-grams, and counts; a small layer on top.

    the text, and what was said before ─► encoder ─────────────┐
    their n-grams ─► a vector each ─► sums, one a family ───────┼► hidden numbers ─► what is said
    what can be counted ───────────────────────────────────────┘

All weights are in `data/learned.npz`, which `training/` makes; no other code reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from larouter.classify.learned.encoder import Encoder, Floats
from larouter.classify.learned.grams import BITS, letter_grams, word_grams
from larouter.classify.learned.scalars import scalars
from larouter.classify.learned.text import Places, Text
from larouter.classify.learned.wish import parted
from larouter.classify.question import Asked

_WHOLE, _START, _END = 520, 280, 200
"""Characters. A wish up to the first is read whole; of a longer one only its start and end are."""
_MATTER = (170, 90)
"""Characters of the start and the end of what the wish is about."""
_WORDS, _LETTERS, _SIZES = 150, 400, (2, 3, 4, 5)
"""Of that: how many words and letters are looked at."""
_ASIDE = {
    "matter": (400, (4,)),
    "before": (100, (3, 4)),
    "answer": (200, (4,)),
    "system": (300, (4,)),
}
"""By what stands beside the wish: the seed of its n-grams, and how long its runs of letters are."""
FAMILIES = ("words", "letters", *_ASIDE)
"""The groups of n-grams; each has a sum of its own."""
_PIECES_ASIDE, _WORDS_ASIDE, _LETTERS_ASIDE = 32, 40, 80
_NONE: Places = np.zeros(0, np.int64)


class Parts(NamedTuple):
    """What is seen of a request, before any weight."""

    counts: tuple[float, ...]
    codes: tuple[Floats | None, ...]
    """The encoder's numbers of the wish, and of each of what stands beside it, if it is there."""
    grams: tuple[Places, ...]
    """The buckets of each of `FAMILIES`."""


def parts_of(asked: Asked, encoder: Encoder, wishes: bytes) -> Parts:
    """Read a request; `wishes` is the table of `wish.parted`."""
    wish, matter = parts = parted(asked.text, wishes)
    if len(wish) > _WHOLE:
        wish = f"{wish[:_START]}\n{wish[-_END:]}"
    text = encoder.read(wish)
    if len(matter) > sum(_MATTER):
        matter = f"{matter[: _MATTER[0]]}\n{matter[-_MATTER[1] :]}"
    beside = (matter, asked.before, asked.answer, asked.system)
    aside = {
        name: encoder.read(part) if part else None
        for name, part in zip(_ASIDE, beside, strict=True)
    }
    codes: list[Floats | None] = [encoder.encoded(text)]
    codes += [
        None if part is None else encoder.encoded(part, _PIECES_ASIDE) for part in aside.values()
    ]
    grams = [word_grams(text, 0, _WORDS), letter_grams(text, 0, _LETTERS, _SIZES)]
    grams += [_grams_aside(part, *_ASIDE[name]) for name, part in aside.items()]
    return Parts(scalars(asked, parts, text), tuple(codes), tuple(grams))


def _grams_aside(text: Text | None, family: int, sizes: tuple[int, ...]) -> Places:
    if text is None:
        return _NONE
    words = word_grams(text, family, _WORDS_ASIDE)
    return np.concatenate((words, letter_grams(text, family, _LETTERS_ASIDE, sizes)))


class Said(NamedTuple):
    """What the network says of a request, before calibration: log-odds."""

    tiers: Floats
    """Shape (5,), cheapest first."""
    need_strong: float
    tags: Floats
    languages: Floats


class Network:
    """The weights, and what follows from them for a request."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.encoder = Encoder(stored)
        self.wishes = stored["wishes"].tobytes()
        self._columns = tuple(_places(stored[f"{name}_buckets"]) for name in FAMILIES)
        self._grams = tuple(_with_nobody(stored[f"{name}_grams"]) for name in FAMILIES)
        self._scales = tuple(stored[f"{name}_scale"].astype(np.float32) for name in FAMILIES)
        self._mean: Floats = stored["mean"]
        self._spread: Floats = stored["spread"]
        self._first: Floats = stored["first"].astype(np.float32)
        self._first_bias: Floats = stored["first_bias"]
        self._last: Floats = stored["last"].astype(np.float32)
        self._last_bias: Floats = stored["last_bias"]
        self._straight: Floats = stored["straight"].astype(np.float32)
        self._languages_at = 6 + len(stored["tags"])

    def says(self, parts: Parts) -> Said:
        """The whole way from what is seen to what is said."""
        hidden, said = self._first_bias, self._last_bias
        for begin, features in self.features(parts):
            rows = slice(begin, begin + len(features))
            hidden = hidden + features @ self._first[rows]
            said = said + features @ self._straight[rows]
        said = said + gelu(hidden) @ self._last
        at = self._languages_at
        return Said(said[:5], float(said[5]), said[6:at], said[at:])

    def features(self, parts: Parts) -> Iterator[tuple[int, Floats]]:
        """What the first layer sees: where it begins, and the numbers. Most requests have neither
        a matter nor a conversation, and what is not there is not multiplied."""
        yield 0, (np.array(parts.counts, np.float32) - self._mean) / self._spread
        begin = len(parts.counts)
        for codes in parts.codes:
            if codes is not None:
                yield begin, codes
            begin += self.encoder.size
        for grams, columns, vectors, scale in zip(
            parts.grams, self._columns, self._grams, self._scales, strict=True
        ):
            if len(grams):
                summed = vectors[columns[grams]].sum(0, dtype=np.int32)
                yield begin, summed * (scale * np.float32(2 / len(grams) ** 0.5))
            begin += len(scale)


def gelu(values: Floats) -> Floats:
    """The bend between the two layers (Hendrycks and Gimpel, arXiv 1606.08415, by tanh)."""
    bent: Floats = 0.5 * values * (1 + np.tanh(0.7978845608 * (values + 0.044715 * values**3)))
    return bent


def _places(buckets: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Where the vector of each bucket is; those that were never learnt share the last one."""
    places = np.full(1 << BITS, len(buckets), np.int32)
    places[buckets] = np.arange(len(buckets), dtype=np.int32)
    return places


def _with_nobody(vectors: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    return np.vstack((vectors, np.zeros((1, vectors.shape[1]), np.int8)))

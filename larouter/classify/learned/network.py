"""The network: the encoder's numbers, sums over n-grams, and counts; a small layer on top.

    the text, and what was said before ─► encoder ─────────────┐
    their n-grams ─► a vector each ─► sums, one a family ───────┼► hidden numbers ─► what is said
    what can be counted ───────────────────────────────────────┘

All weights are in `data/learned.npz`, which `training/` makes; no other code reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from larouter.classify.learned.encoder import Encoder, Floats
from larouter.classify.learned.grams import BITS, letter_grams, word_grams
from larouter.classify.learned.scalars import scalars
from larouter.classify.learned.text import Places, Text
from larouter.classify.question import Asked

FAMILIES = ("words", "letters", "before", "answer", "system")
"""The groups of n-grams; each has a sum of its own."""
_WHOLE, _START, _END = 520, 280, 200
"""Characters. A text up to the first is read whole. Of a longer one, most is what the request is
about, not what is asked: only its start and end are read, where people put their wish."""
_WORDS, _LETTERS, _SIZES = 150, 400, (2, 3, 4, 5)
"""Of that: how many words and letters are looked at."""
_ASIDE = (("before", 100, (3, 4)), ("answer", 200, (4,)), ("system", 300, (4,)))
_WORDS_ASIDE, _LETTERS_ASIDE = 60, 120


class Parts(NamedTuple):
    """What is seen of a request, before any weight."""

    counts: tuple[float, ...]
    codes: Floats
    """The encoder's numbers of the text and of what was said before."""
    grams: tuple[Places, ...]
    """The buckets of each of `FAMILIES`."""


def parts_of(asked: Asked, encoder: Encoder) -> Parts:
    """Read a request."""
    whole = text = encoder.read(asked.text)
    if len(asked.text) > _WHOLE:
        text = encoder.read(f"{asked.text[:_START]}\n{asked.text[-_END:]}")
    said = f"{asked.before}\n{asked.answer}" if asked.turns else ""
    codes = (encoder.encoded(text), encoder.encoded(encoder.read(said) if said else None))
    grams = [word_grams(text, 0, _WORDS), letter_grams(text, 0, _LETTERS, _SIZES)]
    for name, family, sizes in _ASIDE:
        part = getattr(asked, name)
        grams.append(_grams_aside(encoder.read(part), family, sizes) if part else grams[0][:0])
    return Parts(scalars(asked, whole), np.concatenate(codes), tuple(grams))


def _grams_aside(text: Text, family: int, sizes: tuple[int, ...]) -> Places:
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
        features = self.features(parts)
        hidden = gelu(features @ self._first + self._first_bias)
        said = hidden @ self._last + self._last_bias + features @ self._straight
        at = self._languages_at
        return Said(said[:5], float(said[5]), said[6:at], said[at:])

    def features(self, parts: Parts) -> Floats:
        """What the first layer sees. Shape (number of features,)."""
        counts = (np.array(parts.counts, np.float32) - self._mean) / self._spread
        seen = [counts, parts.codes]
        for grams, columns, vectors, scale in zip(
            parts.grams, self._columns, self._grams, self._scales, strict=True
        ):
            summed = vectors[columns[grams]].sum(0, dtype=np.int32)
            seen.append(summed * scale * (2 / max(1.0, len(grams) ** 0.5)))
        return np.concatenate(seen, dtype=np.float32)


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

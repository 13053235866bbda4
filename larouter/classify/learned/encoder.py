"""The encoder: what a text is about, as a few hundred numbers.

    pieces of words ─► a vector each ─► and one convolution over three ─► two weighted sums

It was taught to predict what a large multilingual encoder says of a text; see `training/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from larouter.classify.learned.pieces import Pieces
from larouter.classify.learned.text import Text, read

Floats = npt.NDArray[np.float32]

MOST = 64
"""Pieces of a text that are looked at, unless less is asked for."""


class Encoder:
    """`stored` holds the arrays of `data/learned.npz`."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.classes: npt.NDArray[np.uint8] = stored["classes"]
        self._pieces = Pieces(stored["piece_keys"])
        self._vectors: npt.NDArray[np.int8] = stored["pieces"]
        self._scales: Floats = stored["pieces_scale"].astype(np.float32)
        self._importance: Floats = np.exp(stored["importance"].astype(np.float32))
        self._kernel: Floats = stored["kernel"].astype(np.float32)
        self._bias: Floats = stored["kernel_bias"].astype(np.float32)
        self.size = 2 * len(self._bias)
        """How many numbers a text gets."""

    def read(self, text: str) -> Text:
        return read(text, self.classes)

    def encoded(self, text: Text, most: int = MOST) -> Floats:
        """The numbers of a text's first and last pieces; zeros for none. Shape (`size`,)."""
        width = self._vectors.shape[1]
        numbers = self._pieces.of(text, most)
        if not len(numbers):
            return np.zeros(self.size, np.float32)
        vectors = np.zeros((len(numbers) + 2, width), np.float32)
        vectors[1:-1] = self._vectors[numbers] * self._scales[numbers, None]
        three = np.concatenate((vectors[:-2], vectors[1:-1], vectors[2:]), axis=1)
        heard = np.maximum(three @ self._kernel + self._bias, 0)
        importance = self._importance[numbers]
        sums = np.concatenate((importance @ vectors[1:-1], importance @ heard))
        encoded: Floats = sums / np.sqrt(importance.sum() + 1)
        return encoded

"""A text as numbers: code points, the words in them, and a hash of every stretch of them at once.

The hash of a stretch is a polynomial over its code points. All of them follow from one running sum,
so the n-grams and word pieces of a text cost a few array operations and no loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

MOST = 1_024
"""Characters of one text that can be read; `question.asked` cuts before that."""
SPACE, LETTER, SIGN, IDEOGRAPH, DIGIT = range(5)
"""Classes of characters. Ideographs and kana are words by themselves; digits are all alike."""

_BASE: Final = 0x9E3779B97F4A7C15
"""Odd, so that it has an inverse modulo 2^64."""
_LAST = 0xFFFF
"""Code points above this plane's last are emoji and rare letters: signs, by themselves."""
_ZERO = ord("0")


def _powers(base: int) -> Codes:
    powers, power = [], 1
    for _ in range(MOST + 2):
        powers.append(power)
        power = power * base % 2**64
    return np.array(powers, np.uint64)


_POWERS = _powers(_BASE)
_INVERSES = _powers(pow(_BASE, -1, 2**64))
_OFFSET = np.uint64(7)
NOWHERE: Final = np.uint64(2**64 - 2)
"""In the place of a hash: no stretch is here."""


@dataclass(frozen=True, slots=True)
class Text:
    """`n` characters in lower case, runs of space made one, one space at each end."""

    classes: npt.NDArray[np.uint8]
    """Shape (n,)."""
    sums: Codes
    """Shape (n + 1,): the running sum that the hashes follow from."""
    starts: Places
    ends: Places
    """Where the words begin and end. A sign or an ideograph is a word by itself."""

    def hashes(self, starts: Places, ends: Places) -> Codes:
        """Of the stretches [start, end)."""
        hashed: Codes = (self.sums[ends] - self.sums[starts]) * _POWERS[starts]
        return hashed

    def windows(self, size: int, begin: int = 0, end: int | None = None) -> Codes:
        """The hashes of all stretches of `size` characters between `begin` and `end`."""
        last = len(self.classes) if end is None else end
        if last - begin < size:
            return _POWERS[:0]
        sums = self.sums[begin : last + 1]
        hashed: Codes = (sums[size:] - sums[:-size]) * _POWERS[begin : last + 1 - size]
        return hashed

    def stretches(self, longest: int, begin: int, end: int) -> Codes:
        """The hashes of all stretches of up to `longest` characters between `begin` and `end`:
        a row for each length, the longest first, a column for each place where one begins. What
        would go beyond the end is `NOWHERE`. Shape (longest, end - begin)."""
        starts = np.arange(begin, end)
        ends = starts + np.arange(longest, 0, -1)[:, None]
        inside = ends <= end
        sums = self.sums[np.where(inside, ends, end)] - self.sums[begin:end]
        hashed: Codes = np.where(inside, sums * _POWERS[begin:end], NOWHERE)
        return hashed


def read(text: str, table: npt.NDArray[np.uint8]) -> Text:
    """`table` gives the class of each code point of the first plane: it is kept with the weights,
    as the Unicode of another Python knows other characters."""
    raw = text[:MOST].lower().encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(raw, np.uint32)[: MOST - 2]
    beyond = codes > _LAST
    classes = table[np.where(beyond, 0, codes)]
    classes[beyond] = SIGN
    is_space = classes == SPACE
    kept = ~is_space
    kept[1:] |= ~is_space[:-1]  # the first of several spaces; none at the start
    codes = np.where(is_space, np.uint32(32), codes)
    codes = np.where(classes == DIGIT, np.uint32(_ZERO), codes)[kept]
    around = np.zeros(len(codes) + 2, np.uint8)
    around[1:-1] = classes[kept]
    padded = np.full(len(codes) + 2, 32, np.uint64)
    padded[1:-1] = codes
    if len(codes) and around[-2] == SPACE:
        around, padded = around[:-1], padded[:-1]
    sums = np.zeros(len(padded) + 1, np.uint64)
    np.cumsum((padded + _OFFSET) * _INVERSES[: len(padded)], out=sums[1:])
    return Text(around, sums, *_words(around))


def _words(classes: npt.NDArray[np.uint8]) -> tuple[Places, Places]:
    classes = np.where(classes == DIGIT, np.uint8(LETTER), classes)
    alone = (classes == SIGN) | (classes == IDEOGRAPH)
    changes = classes[1:] != classes[:-1]
    starts = np.flatnonzero((changes | alone[1:]) & (classes[1:] != SPACE)) + 1
    ends = np.flatnonzero((changes | alone[:-1]) & (classes[:-1] != SPACE)) + 1
    return starts, ends


def mixed(hashes: Codes, seeds: Codes, bits: int) -> Places:
    """`bits` well mixed bits of each hash; another seed gives others."""
    salts = seeds * np.uint64(0x9E3779B1) + np.uint64(0x1234567)
    mixed = (hashes ^ salts) * np.uint64(0xD6E8FEB86659FD93)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    places: Places = (mixed >> np.uint64(64 - bits)).astype(np.int64)
    return places

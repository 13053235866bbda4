"""The words and letters of a text, hashed: what the classifier learnt by heart.

Words alone, in pairs, in threes and with one left out; the first and the last three by their place;
and runs of two to five letters, which know a word in another form and one that is misspelt.
"""

from __future__ import annotations

import numpy as np

from larouter.classify.learned.text import Codes, Places, Text, mixed

BITS = 18
"""Buckets are 2^18; two n-grams seldom share one."""
_LEFT = np.uint64(0xBF58476D1CE4E5B9)
_MIDDLE = np.uint64(0x94D049BB133111EB)
_EDGES = np.array([1, 2], np.uint64)
"""Stand for the start and the end of the text in a pair of words."""
_PLACED = 3


def word_grams(text: Text, family: int, most: int) -> Places:
    """The buckets of the words, at most `most` of them: two thirds from the start, the others from
    the end. `family` keeps the parts of a request apart."""
    starts, ends = text.starts, text.ends
    if len(starts) > most:
        first = most * 2 // 3
        starts = np.concatenate((starts[:first], starts[first - most :]))
        ends = np.concatenate((ends[:first], ends[first - most :]))
    words = text.hashes(starts, ends)
    edged = np.concatenate((_EDGES[:1], words, _EDGES[1:]))
    pairs = words[:-2] * _LEFT
    last = words[2:]
    kinds = {
        1: words,
        2: edged[:-1] * _LEFT + edged[1:],
        3: pairs + last,
        4: (pairs + words[1:-1]) * _MIDDLE + last,
        5: words[:_PLACED],
        6: words[-_PLACED:],
    }
    return _buckets({family + kind: hashes for kind, hashes in kinds.items()})


def letter_grams(text: Text, family: int, most: int, sizes: tuple[int, ...]) -> Places:
    """The buckets of the runs of letters in `most` characters: two thirds from the start, the
    others from the end."""
    length = len(text.classes)
    parts = [(0, length)]
    if length > most:
        parts = [(0, most * 2 // 3), (length - most // 3, length)]
    runs = {
        family + 10 + size: np.concatenate([text.windows(size, *part) for part in parts])
        for size in sizes
    }
    return _buckets(runs)


def _buckets(hashes: dict[int, Codes]) -> Places:
    """All of them mixed at once, each kind by its own seed."""
    sizes = [len(some) for some in hashes.values()]
    seeds = np.repeat(np.array(list(hashes), np.uint64), sizes)
    return mixed(np.concatenate(list(hashes.values())), seeds, BITS)

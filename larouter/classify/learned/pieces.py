"""A text as pieces of words in their order, for the encoder.

The longest piece that is known is taken at each place. Pieces are looked up by their hash, all
places and lengths of a text at once; the words themselves are not in memory.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from larouter.classify.learned.text import SPACE, Codes, Places, Text

LONGEST = 12
"""Characters of a piece, the space before a word counted."""
_CHARACTERS = 8
"""Of a text, as many are read for each piece that is kept; a piece has about four."""
_SLOTS = 20
"""The table has 2^20 places for at most 100,000 pieces."""
_NO_HASH = np.uint64(2**64 - 1)
_SPREAD = np.uint64(0xBF58476D1CE4E5B9)


class Pieces:
    """Which pieces there are: `keys[i]` is the hash of piece `i`."""

    def __init__(self, keys: Codes) -> None:
        self._keys = np.append(keys, _NO_HASH)
        self._at = np.full(1 << _SLOTS, len(keys), np.int32)
        """Who is at a slot; the last one is nobody."""
        # Backwards, as the first pieces are the commonest: of two at one slot the first one stays.
        self._at[slots(keys[::-1])] = np.arange(len(keys) - 1, -1, -1, dtype=np.int32)

    def of(self, text: Text, most: int) -> Places:
        """The numbers of the pieces, at most `most`: five eighths from the start, the others from
        the end. What no piece knows is left out."""
        length = len(text.classes) - 1  # the space at the end begins no word
        first = most * 5 // 8
        if length <= most * _CHARACTERS:
            numbers = self._within(text, 0, length)
        else:
            # Only as much is read as can be kept, from the start of a word on.
            after = length - (most - first) * _CHARACTERS
            spaces = np.flatnonzero(text.classes[after:length] == SPACE)
            begin = after + int(spaces[0]) if len(spaces) else after
            head = self._within(text, 0, first * _CHARACTERS)[:first]
            numbers = np.concatenate((head, self._within(text, begin, length)[first - most :]))
        if len(numbers) > most:
            numbers = np.concatenate((numbers[:first], numbers[first - most :]))
        return numbers

    def _within(self, text: Text, begin: int, end: int) -> Places:
        """The longest known piece at each place in turn, from `begin` on."""
        nobody = len(self._keys) - 1
        # Every place and every length at once: a row for each length, the longest first.
        hashes = text.stretches(LONGEST, begin, end)
        numbers = self._at[slots(hashes)]
        known = self._keys[numbers] == hashes
        row = known.argmax(0)
        columns = np.arange(end - begin)
        is_known = known[row, columns]
        lengths = np.where(is_known, LONGEST - row, 1).tolist()
        found = np.where(is_known, numbers[row, columns], nobody)
        place, places = 0, []
        while place < len(lengths):
            places.append(place)
            place += lengths[place]
        taken = found[places]
        known_ones: Places = taken[taken != nobody].astype(np.int64)
        return known_ones


def slots(hashes: Codes) -> npt.NDArray[np.int64]:
    """The place of each hash in the table."""
    spread = (hashes ^ (hashes >> np.uint64(29))) * _SPREAD
    return (spread >> np.uint64(64 - _SLOTS)).astype(np.int64)

"""The wish in a long turn, apart from the text that it is about.

People paste a contract and ask "how high is the deposit?" below it, or above it, or both. How hard
that is, the wish says; the contract is only its matter. So the first and the last sentences are
looked at one by one, and those that read like something wanted are taken for the wish.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

SHORT = 160
"""Characters up to which a turn is all wish."""
BITS = 14
"""The table has a byte for each of 2^14 marks: how much it speaks for a wish, in `STEP`s over
`NOTHING`."""
_LAST_PLACE = (1 << BITS) - 1
STEP = 1 / 24
NOTHING = 128
_EITHER_END = 3
"""Sentences that are looked at from the start, and as many from the end."""
_SURE = 48
"""In `STEP`s: with so much at the other end as well, it is a wish in two parts."""
_END = re.compile(r"[.!?:;](?=\s)|[。！？：；।؟\n]")  # noqa: RUF001
_FIRST, _LAST = 8, 4
"""Words of a sentence that are looked at."""
_LETTERS = 12
"""Or letters, at each end, where words are not set apart."""
_WIDE = 12
_SIGNS = frozenset("{}()[]=<>|_/\\#*$@%")


class Parted(NamedTuple):
    wish: str
    matter: str
    """What it is about; `""` when all is wish."""


def parted(text: str, table: bytes) -> Parted:
    """Wish and matter are in the order of the text. `table` is as `BITS` tells."""
    if len(text) <= SHORT:
        return Parted(text, "")
    spans = sentences(text)
    last = len(spans)
    scores = {at: _score(marks(text, spans, at), table) for at in either_end(last)}
    starts = range(min(last, _EITHER_END))
    ends = range(last - 1, max(-1, last - 1 - _EITHER_END), -1)
    head, first = _run([scores[at] for at in starts])
    tail, few = _run([scores[at] for at in ends])
    # Most people say what they want at one end only; of the rest, the other end must be sure.
    if head >= tail:
        tail, few = _run([scores[at] for at in ends if at >= first])
        final = last - few if tail > _SURE else last
    else:
        final = last - few
        head, many = _run([scores[at] for at in starts if at < final])
        first = many if head > _SURE else 0
    if first >= final or final - first == last:
        return Parted(text, "")
    wanted = spans[:first] + spans[final:]
    return Parted(_joined(text, wanted), _joined(text, spans[first:final]))


def sentences(text: str) -> list[tuple[int, int]]:
    """Where each begins and ends, without the space around it."""
    found, begin = [], 0
    for end in (*(sign.end() for sign in _END.finditer(text)), len(text)):
        sentence = text[begin:end]
        said = sentence.strip()
        if said:
            left = begin + sentence.index(said[0])
            found.append((left, left + len(said)))
        begin = end
    return found


def marks(text: str, spans: Sequence[tuple[int, int]], at: int) -> list[str]:
    """What may show that a sentence is a wish: where it is and what parts it from its neighbours,
    how it begins and ends, its words."""
    begin, end = spans[at]
    sentence = text[begin:end]
    last = len(spans) - 1
    before = _gap(text[spans[at - 1][1] : begin]) if at else "^"
    after = _gap(text[end : spans[at + 1][0]]) if at < last else "$"
    where = f"{min(at, 2)}{min(last - at, 2)}"
    lowered = sentence.lower()
    words = lowered.split()
    if len(words) > _FIRST + _LAST:
        words = words[:_FIRST] + words[-_LAST:]
    found = [
        f"p{where}",
        f"g{before}{after}",
        f"g{before}{after}{lowered[-1:]}{where}",
        f"e{lowered[-1:]}{where}",
        f"b{'A' if sentence[:1].isupper() else lowered[0] if lowered[0] in _SIGNS else ''}",
        f"l{min(len(sentence) // 30, 6)}{where}",
        f"s{min(sum(map(sentence[:100].count, _SIGNS)), 5)}",
        f"n{min(len(words), 8)}",
    ]
    if not lowered.isascii() and max(map(len, words)) > _WIDE:
        ends = (lowered[:_LETTERS], lowered[-_LETTERS:])
        return found + [
            part[at : at + size] for part in ends for size in (2, 3) for at in range(len(part) - 1)
        ]
    words = [word.strip(".,;!?\"'()") or word for word in words]
    pairs = zip(["^", *words], [*words, "$"], strict=True)
    return found + words + [f"{left} {right}" for left, right in pairs]


def place(mark: str) -> int:
    return crc32(mark.encode("utf-8", "surrogatepass")) & _LAST_PLACE


def _gap(between: str) -> str:
    """A new paragraph, a new line, or neither."""
    return str(min(between.count("\n"), 2))


def _run(scores: Sequence[int]) -> tuple[int, int]:
    """How much the first of them speak for a wish together, as many as speak most, and how many."""
    most = many = total = 0
    for at, score in enumerate(scores, 1):
        total += score
        if total > most:
            most, many = total, at
    return most, many


def _score(marks: Sequence[str], table: bytes) -> int:
    """Above 0: it reads like a wish."""
    return sum([table[place(mark)] for mark in marks]) - NOTHING * len(marks)


def either_end(of: int) -> frozenset[int]:
    """Which of so many sentences are looked at."""
    return frozenset((*range(min(of, _EITHER_END)), *range(max(0, of - _EITHER_END), of)))


def _joined(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Neighbours stay as they were; a gap is a line's end."""
    pieces, begin, end = [], spans[0][0], spans[0][1]
    for left, right in spans[1:]:
        if text[end:left].strip():
            pieces.append(text[begin:end])
            begin = left
        end = right
    pieces.append(text[begin:end])
    return "\n".join(pieces)

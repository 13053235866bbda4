"""A project's own words: `ACME-####`, `Project Falcon`, `*@acme.example`.

`#` stands for a digit, `*` for a run without spaces; letters count the same in capitals, and the
first and the last one stand at the border of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_PATTERNS = 50
MIN_LENGTH, MAX_LENGTH = 3, 100
"""Characters; fewer would stand in every text."""
MAX_RUNS = 5
"""Stars in one pattern, each of which is looked for on its own."""

_RUN = 100
"""Characters that a star stands for, at most: a longer one would let a text be read many times."""
_NO_BORDERS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Scripts that write no space between two words, or hang endings on them."""


def check_pattern(pattern: str) -> None:
    """Raises `ValueError`, with a sentence for people, for one that cannot be looked for."""
    if not (MIN_LENGTH <= len(pattern) <= MAX_LENGTH and pattern.isprintable()):
        raise ValueError(
            f"A pattern has {MIN_LENGTH} to {MAX_LENGTH} printable characters, such as ACME-####."
        )
    if len(pattern.replace("*", "").replace(" ", "")) < MIN_LENGTH:
        raise ValueError(
            f"A pattern has {MIN_LENGTH} characters besides * and spaces, else it would find "
            "everything."
        )
    if pattern.strip("*").count("*") > MAX_RUNS:
        raise ValueError(f"A pattern has at most {MAX_RUNS} stars between other characters.")


class Patterns:
    """Several of them; asked together."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._rows = [(_sure(pattern), _compiled(pattern)) for pattern in map(_normal, patterns)]

    def match(self, text: str) -> bool:
        text = _normal(text)
        return any(sure in text and pattern.search(text) for sure, pattern in self._rows)


def _normal(text: str) -> str:
    return text.casefold() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def _sure(pattern: str) -> str:
    """The longest piece that stands in every text that the pattern finds; `in` is fast."""
    return max(re.split(r"[#*\s]", pattern), key=len)


def _compiled(pattern: str) -> re.Pattern[str]:
    inner = pattern.strip("*")
    first, *others = (_piece(piece) for piece in re.split(r"\*+", inner))
    # The first place at which a piece stands is as good as any later one, so nothing is tried
    # twice: the groups are atomic.
    middle = "".join(rf"(?>\S{{0,{_RUN}}}?{piece})" for piece in others[:-1])
    end = "" if pattern.endswith("*") else _border(inner[-1], r"(?!\w)")
    last = rf"(?>\S{{0,{_RUN}}}?{others[-1]}{end})" if others else end
    begin = "" if pattern.startswith("*") else _border(inner[0], r"(?<!\w)")
    return re.compile(begin + first + middle + last)


def _piece(text: str) -> str:
    return "".join(
        r"[0-9]" if letter == "#" else r"\s{1,20}" if letter == " " else re.escape(letter)
        for letter in text
    )


def _border(letter: str, border: str) -> str:
    is_word = letter == "#" or letter.isalnum() or letter == "_"
    return border if is_word and not _NO_BORDERS.match(letter) else ""

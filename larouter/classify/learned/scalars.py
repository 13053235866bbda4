"""What can be counted of a request without understanding it."""

from __future__ import annotations

from math import log1p

from larouter.classify.learned.text import DIGIT, IDEOGRAPH, Text
from larouter.classify.question import Asked

_CODE_SIGNS = "{}();=<>[]#/_"
_QUESTION = ("?", "\N{FULLWIDTH QUESTION MARK}", "\N{ARABIC QUESTION MARK}")
_FENCE = "```"
_SHORTER = (12, 25, 60, 150, 400, 1_200)

NAMES = (
    "length", "words", "lines", "asks", "has_code", "digits", "signs_of_code", "has_context",
    "turns", "before", "answer", "has_system", "system", "code_before", "not_ascii", "ideographs",
    "capital", "sentences", "numbers", *(f"under_{limit}" for limit in _SHORTER),
)  # fmt: skip


def scalars(asked: Asked, text: Text) -> tuple[float, ...]:
    """As named in `NAMES`. Lengths are logarithms, the rest are shares, counts or 0 and 1."""
    said = asked.text
    length = len(said) or 1
    words = len(text.starts)
    is_digit = text.classes == DIGIT
    digits = int(is_digit.sum())
    return (
        log1p(asked.length),
        log1p(words),
        log1p(said.count("\n")),
        said.rstrip().endswith(_QUESTION),
        _FENCE in said,
        digits / length,
        sum(map(said.count, _CODE_SIGNS)) / length,
        asked.turns > 0,
        log1p(asked.turns),
        log1p(len(asked.before)),
        log1p(len(asked.answer)),
        asked.system != "",
        log1p(len(asked.system)),
        _FENCE in asked.answer or _FENCE in asked.before,
        (len(said) - len(said.encode("ascii", "ignore"))) / length,
        int((text.classes == IDEOGRAPH).sum()) / length,
        said[:1].isupper(),
        said.count(". ") / (words + 1),
        int((is_digit[1:] & (text.classes[:-1] != DIGIT)).sum()) / 10,
        *(asked.length < limit for limit in _SHORTER),
    )

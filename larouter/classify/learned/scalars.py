"""What can be counted of a request without understanding it."""

from __future__ import annotations

from math import log1p

from larouter.classify.learned.text import DIGIT, IDEOGRAPH, Text
from larouter.classify.learned.wish import Parted
from larouter.classify.question import Asked

_CODE_SIGNS = "{}();=<>[]#/_"
_QUESTION = ("?", "\N{FULLWIDTH QUESTION MARK}", "\N{ARABIC QUESTION MARK}")
_FENCE = "```"
_SHORTER = (12, 25, 60, 150, 400, 1_200)
_SHORTER_WISH = _SHORTER[:-1]

NAMES = (
    "length", "words", "lines", "asks", "has_code", "digits", "signs_of_code", "has_context",
    "turns", "before", "answer", "has_system", "system", "code_before", "not_ascii", "ideographs",
    "capital", "sentences", "numbers", "has_matter", "matter", "code_in_matter", "digits_in_matter",
    *(f"under_{limit}" for limit in _SHORTER), *(f"wish_under_{limit}" for limit in _SHORTER_WISH),
)  # fmt: skip


def scalars(asked: Asked, parted: Parted, text: Text) -> tuple[float, ...]:
    """As named in `NAMES`. Lengths are logarithms, the rest are shares, counts or 0 and 1; what is
    not said of something else is said of the wish, which `text` holds as well."""
    wish, matter = parted
    length = len(wish) or 1
    words = len(text.starts)
    is_digit = text.classes == DIGIT
    digits = int(is_digit.sum())
    return (
        log1p(asked.length),
        log1p(words),
        log1p(asked.text.count("\n")),
        wish.rstrip().endswith(_QUESTION),
        _FENCE in asked.text,
        digits / length,
        sum(map(wish.count, _CODE_SIGNS)) / length,
        asked.turns > 0,
        log1p(asked.turns),
        log1p(len(asked.before)),
        log1p(len(asked.answer)),
        asked.system != "",
        log1p(len(asked.system)),
        _FENCE in asked.answer or _FENCE in asked.before,
        (len(wish) - len(wish.encode("ascii", "ignore"))) / length,
        int((text.classes == IDEOGRAPH).sum()) / length,
        wish[:1].isupper(),
        wish.count(". ") / (words + 1),
        int((is_digit[1:] & (text.classes[:-1] != DIGIT)).sum()) / 10,
        matter != "",
        log1p(len(matter)),
        sum(map(matter.count, _CODE_SIGNS)) / (len(matter) or 1),
        sum(map(matter.count, "0123456789")) / (len(matter) or 1),
        *(asked.length < limit for limit in _SHORTER),
        *(length < limit for limit in _SHORTER_WISH),
    )

"""One operation on two numbers: "17 times 23", "12*9?", "15 % of 80"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_DIGITS = 12
"""Of both numbers: with more of them it is no longer one step for a small model."""
_APART = frozenset("-/:x\N{EN DASH}\N{MINUS SIGN}")
"""Between two numbers without a space these may as well be a date, a score or a size."""


class Sums:
    """Knows a table `arithmetic` of `data/rules.toml`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        # One way to read a number, so that no expression tries many: digits, each perhaps after a
        # separator.
        number = rf"(?:[-+\u2212]?\d(?:[.,' \u2019\u00a0]?\d)*|(?:{_either(data['numbers'])})\b)"
        signs, words = _either(data["signs"]), _either(data["words"])
        operation = rf"(?P<between>\s*(?:{signs})\s*|\s*(?:{words})\s*)"
        of = rf"\s?(?:{_either(data['percent'])})\s?(?:{_either(data['of'])})\s?"
        opening = (
            rf"(?P<opening>(?:{_either(data['openings'])})\s+|(?:{_either(data['unspaced'])})\s*)?"
        )
        closing = rf"(?P<closing>\s*(?:{_either(data['closings'])})|\s*=)?"
        roots = _either(data["roots"])
        self._sum = re.compile(
            rf"{opening}(?:{number}(?:{operation}|{of}){number}|(?:{roots})\s?{number}){closing}"
            r"[\s?=.!؟\u3002\uff1f]*"
        )

    def is_one(self, text: str) -> bool:
        """Is this one sum, and nothing else? `text` is short."""
        found = self._sum.fullmatch(text.strip().casefold().replace("'s ", "s "))
        if found is None or sum(map(str.isdigit, text)) > _DIGITS:
            return False
        between = found["between"]
        is_told = found["opening"] or found["closing"] or "=" in text
        return bool(is_told) or between not in _APART


def _either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(map(str.casefold, words), key=len, reverse=True)))

"""One table of a TOML file, read strictly: what is missing, odd or unknown is refused by name."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Set
from decimal import Decimal, InvalidOperation
from typing import Any

_MOST_TOKENS = 10**9
_LONGEST = 1_000
_MOST_DIGITS = 24


class Row:
    """A table with known keys. Each method raises `ValueError` that says what is wrong where."""

    def __init__(self, data: Any, what: str, keys: Set[str]) -> None:
        if not isinstance(data, Mapping):
            raise ValueError(f"{what} is not a table")
        strange = sorted(set(data) - keys)
        if strange:
            raise ValueError(f"{what} has an unknown key: {strange[0]}")
        self.what = what
        self._data = data

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def any(self, name: str, default: Any = None) -> Any:
        return self._data.get(name, default)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._data.get(name, default)
        good = isinstance(value, str) and value.strip() == value and value.isprintable()
        if not good or not 0 < len(value) <= _LONGEST:
            raise ValueError(f"{self.what} has no {name}")
        return str(value)

    def maybe_text(self, name: str) -> str | None:
        return self.text(name) if name in self._data else None

    def number(self, name: str) -> int | None:
        """A count of tokens or bytes."""
        if name not in self._data:
            return None
        return whole_number(self._data[name], f"{name} of {self.what}")

    def day(self, name: str) -> datetime.date:
        day = self._data.get(name)
        if not isinstance(day, datetime.date) or isinstance(day, datetime.datetime):
            raise ValueError(f"{self.what} has no date in {name}")
        return day

    def maybe_day(self, name: str) -> datetime.date | None:
        return self.day(name) if name in self._data else None

    def words(self, name: str) -> tuple[str, ...]:
        values = self._data.get(name, [])
        if not isinstance(values, list) or not all(isinstance(word, str) for word in values):
            raise ValueError(f"{name} of {self.what} is not a list of words")
        if len(set(values)) < len(values):
            raise ValueError(f"{name} of {self.what} says something twice")
        return tuple(values)

    def tables(self, name: str) -> list[Any]:
        """An array of tables; a single one may stand alone."""
        value = self._data.get(name, [])
        if isinstance(value, Mapping):
            return [value]
        if not isinstance(value, list):
            raise ValueError(f"{name} of {self.what} is not a list of tables")
        return value


def whole_number(value: Any, what: str, most: int = _MOST_TOKENS**2) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise ValueError(f"{what} is not a whole number above 0")
    return value


def exact_decimal(value: Any, what: str, most: int) -> Decimal:
    """A decimal in quotes: TOML's own numbers are binary fractions (TRUST B1)."""
    if not isinstance(value, str):
        raise ValueError(f"{what} has a figure that is not a string in quotes")
    try:
        figure = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{what} has a figure that is no number: {value[:40]}") from None
    # Not the value alone: 1E-999999 is a short text and a very long number.
    digits = len(value) <= _MOST_DIGITS and "e" not in value.lower()
    if not digits or not figure.is_finite() or not 0 <= figure <= most:
        raise ValueError(f"{what} has a figure out of range: {value[:40]}")
    return figure

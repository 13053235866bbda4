"""Money: a whole number of nano-dollars, and how people write it (TRUST B1)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

Nanodollars = int
"""One billionth of a US dollar. Money is always this integer, never a float (TRUST B1)."""

MOST_DOLLARS = 1_000_000
"""The largest amount that a person may set; a larger one is a slip of the keyboard."""

_NUSD = 1_000_000_000
_LONGEST = 20
"""Characters of an amount: enough for the largest one with all its places."""


def decimal_text(nusd: Nanodollars) -> str:
    """Nano-dollars as a decimal of dollars, exactly: 1500 is 0.0000015."""
    whole, fraction = divmod(abs(nusd), _NUSD)
    digits = f"{fraction:09d}".rstrip("0")
    return f"{'-' if nusd < 0 else ''}{whole}{'.' + digits if digits else ''}"


def nanodollars(text: str) -> Nanodollars:
    """Read an amount of dollars such as `0.02`, exactly.

    Raises `ValueError` for what is no plain decimal, is negative or above `MOST_DOLLARS`, or has
    more than nine places.
    """
    # Before it is worked out: 1E-999999 is a short text and a very long number.
    if len(text) > _LONGEST or not text.isascii() or text.strip("0123456789."):
        raise ValueError(f"{text[:40]!r} is no amount of dollars")
    try:
        dollars = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount of dollars") from None
    nusd = dollars * _NUSD
    if dollars > MOST_DOLLARS or nusd != int(nusd):
        raise ValueError(f"{text} is above {MOST_DOLLARS} dollars or has more than nine places")
    return int(nusd)

"""Amounts of a bill, written from integers: exact, and rounded to cents in one place only."""

from __future__ import annotations

from collections.abc import Iterable

_NUSD_PLACES = 9
_LEAST_PLACES = 2
_NUSD_IN_A_CENT = 10_000_000


def places_for(amounts: Iterable[int]) -> int:
    """How many places write each of these nano-dollars exactly: as few as that takes."""
    fewest = _LEAST_PLACES
    for nusd in amounts:
        while fewest < _NUSD_PLACES and nusd % 10 ** (_NUSD_PLACES - fewest):
            fewest += 1
    return fewest


def exact(nusd: int, places: int) -> str:
    """Dollars with so many places; none is cut off where `places_for` has said how many."""
    whole, fraction = divmod(abs(nusd), 10**_NUSD_PLACES)
    return f"{'-' if nusd < 0 else ''}${whole:,}.{fraction:09d}"[: places - _NUSD_PLACES or None]


def cents(nusd: int) -> str:
    """Dollars rounded to whole cents, half a cent away from zero."""
    rounded = (abs(nusd) + _NUSD_IN_A_CENT // 2) // _NUSD_IN_A_CENT
    sign = "-" if nusd < 0 and rounded else ""
    return f"{sign}${rounded // 100:,}.{rounded % 100:02d}"

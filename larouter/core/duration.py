"""Lengths of time as people write them: `90s`, `15m`, `12h`, `30d`."""

from __future__ import annotations

import re

DAY_MS = 86_400_000

_DURATION = re.compile(r"([1-9]\d{0,6})([smhd])")
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}


def duration_ms(text: str) -> int | None:
    """What `90s`, `15m`, `12h` or `30d` come to; None: it is none of these."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS_MS[match[2]] if match else None

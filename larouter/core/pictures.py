"""How large a picture is, from the first bytes of its file: PNG, JPEG, GIF and WebP.

Providers bill pictures by their pixels. Nothing is decoded, and nothing is trusted but the numbers.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

_HEAD = 256 * 1024
"""Bytes of base64 that are looked at: a JPEG may have a preview before its size."""
_NO_SIZE = frozenset({0xC4, 0xC8, 0xCC})
"""Of the markers C0 to CF those that do not begin a frame (ITU T.81, table B.1)."""


class Pixels(NamedTuple):
    width: int
    height: int


def pixels_of(data: str) -> Pixels | None:
    """The size of a picture in base64; None: it cannot be read here."""
    head = data[:_HEAD]
    try:
        given = base64.b64decode(head[: len(head) // 4 * 4])
    except (binascii.Error, ValueError):
        return None
    found = _png(given) or _gif(given) or _webp(given) or _jpeg(given)
    return found if found is not None and min(found) > 0 else None


def _png(given: bytes) -> Pixels | None:
    if given[:8] != b"\x89PNG\r\n\x1a\n" or given[12:16] != b"IHDR" or len(given) < 24:
        return None
    return Pixels(int.from_bytes(given[16:20]), int.from_bytes(given[20:24]))


def _gif(given: bytes) -> Pixels | None:
    if given[:4] != b"GIF8" or len(given) < 10:
        return None
    return Pixels(int.from_bytes(given[6:8], "little"), int.from_bytes(given[8:10], "little"))


def _webp(given: bytes) -> Pixels | None:
    """RFC 9649: the extended form, the lossless one and the lossy one."""
    if given[:4] != b"RIFF" or given[8:12] != b"WEBP" or len(given) < 30:
        return None
    kind = given[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(given[24:27], "little") + 1
        return Pixels(width, int.from_bytes(given[27:30], "little") + 1)
    if kind == b"VP8L":
        bits = int.from_bytes(given[21:25], "little")
        return Pixels((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = (int.from_bytes(given[at : at + 2], "little") for at in (26, 28))
        return Pixels(width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(given: bytes) -> Pixels | None:
    if given[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(given) and given[at] == 0xFF:
        marker = given[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE:
            height, width = (int.from_bytes(given[i : i + 2]) for i in (at + 5, at + 7))
            return Pixels(width, height)
        at += 2 + int.from_bytes(given[at + 2 : at + 4])
    return None

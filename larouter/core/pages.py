"""How many pages a PDF has, without understanding it: its page objects are counted.

They stand in the file as they are, or in compressed object streams (ISO 32000, 7.5.7), which are
opened. A file that hides them otherwise, as an encrypted one does, has an unknown number.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib

LONGEST = 8 * 1024 * 1024
"""Bytes of base64: counting in a longer file would hold up everybody else."""
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_STREAM = re.compile(rb"/Type\s*/ObjStm\b[^\0]{0,512}?stream\r?\n")
_OBJECTS = b"/ObjStm"
_MOST_INFLATED = 8 * 1024 * 1024


def pages_of(data: str) -> int | None:
    """Of a file in base64; None: nobody can say."""
    if len(data) > LONGEST:
        return None
    try:
        given = base64.b64decode(data)
    except (binascii.Error, ValueError):
        return None
    found = len(_PAGE.findall(given))
    opened = 0
    for stream in _STREAM.finditer(given):
        inflated = _inflated(given[stream.end() :])
        if inflated is None:
            return None
        opened += 1
        found += len(_PAGE.findall(inflated))
    return found if found and opened == given.count(_OBJECTS) else None


def _inflated(given: bytes) -> bytes | None:
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(given, _MOST_INFLATED)
    except zlib.error:
        return None
    return plain if inflater.eof else None

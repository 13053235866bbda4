"""Embeddings: the same text has the same vector, of length 1."""

import base64
import hashlib
import math
import struct


def vector(text: str, size: int = 8) -> list[float]:
    digest = hashlib.sha256(text.encode()).digest() * (size // 32 + 1)
    raw = [byte - 127.5 for byte in digest[:size]]
    length = math.sqrt(sum(value * value for value in raw))
    return [value / length for value in raw]


def as_base64(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()

"""Carries what one provider made through a dialect of another, and finds it again.

A native opaque part (Anthropic's in Anthropic's dialect) stays as it is. A foreign one is marked
with its maker, so that it comes back byte-exact to the provider that made it, and to no other.
"""

from __future__ import annotations

import base64
import binascii

from larouter.core.conversation import Opaque

_MARK = "lar1."


def seal(opaque: Opaque, native: str) -> str:
    """The text that a client of the dialect `native` keeps for us."""
    return opaque.data if opaque.maker == native else f"{_MARK}{opaque.maker}.{opaque.data}"


def unseal(text: str, native: str) -> Opaque:
    """What a client gave back; without our mark it is the dialect's own."""
    if text.startswith(_MARK):
        maker, dot, data = text.removeprefix(_MARK).partition(".")
        if dot:
            return Opaque(maker, data)
    return Opaque(native, text)


def seal_base64(opaque: Opaque, native: str) -> str:
    """The same where the dialect wants base64 (Gemini's `thoughtSignature`)."""
    if opaque.maker == native:
        return opaque.data
    return base64.b64encode(seal(opaque, native).encode()).decode()


def unseal_base64(text: str, native: str) -> Opaque:
    try:
        plain = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return Opaque(native, text)
    if plain.startswith(_MARK.encode()):
        return unseal(plain.decode("utf-8", "replace"), native)
    return Opaque(native, text)


def own(opaque: Opaque | None, maker: str) -> str | None:
    """The data, if this wire made it."""
    return opaque.data if opaque is not None and opaque.maker == maker else None

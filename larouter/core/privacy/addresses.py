"""E-mail addresses, found by their `@`."""

from __future__ import annotations

import re

_DOMAIN = re.compile(r"@([\w-][\w.-]{2,252})")
"""Bounded, and without `@`: no letter is read for two of them."""
_TOP = re.compile(r"[^\W\d_]{2,24}|xn--[a-z0-9-]{1,59}", re.IGNORECASE)
_LOCAL = frozenset("_+-%'!#$&*/=?^`{|}~")
_NOBODY = re.compile(r"(?<![\w.+-])(?:git|hg|svn|no-?reply)$", re.IGNORECASE)
"""Who is addressed like somebody, and is a program: git@github.com."""
_LONGEST_NOBODY = 9


def has_email(text: str) -> bool:
    at = text.find("@")
    while at >= 0:
        if at and _is_address(text, at):
            return True
        at = text.find("@", at + 1)
    return False


def _is_address(text: str, at: int) -> bool:
    before = text[at - 1]
    if not (before.isalnum() or before in _LOCAL):
        return False
    found = _DOMAIN.match(text, at)
    if found is None:
        return False
    domain = found[1].rstrip(".-_")
    name, dot, top = domain.rpartition(".")
    if not (dot and name and _TOP.fullmatch(top)) or ".." in domain:
        return False
    # In a program `a@b.dot(c)` multiplies two matrices.
    end = at + 1 + len(domain)
    if text[end : end + 1] in ("(", "["):
        return False
    return _NOBODY.search(text[max(0, at - _LONGEST_NOBODY) : at]) is None

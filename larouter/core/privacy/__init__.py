"""Finds what a project wants kept on this machine, and says of which kind it is, never what.

It runs over every text that a request carries, so a text without anything in it must cost next to
nothing: each kind first asks `in`, which compares at the speed of memory, for what it cannot be
without, and looks closer only there. Every look is bounded, so that no text, made for it or not,
costs more than its length (tests/core/privacy measures that).

It works on the text's ASCII: every other letter becomes `?`, and each letter keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from larouter.core.policy import Policy
from larouter.core.privacy.addresses import has_email
from larouter.core.privacy.credentials import has_secret
from larouter.core.privacy.numbers import find_number
from larouter.core.privacy.patterns import Patterns

PATTERN = "pattern"
"""The kind of what one of the project's own patterns found."""
_SPACES = ("\u00a0", "\u2007", "\u2009", "\u202f")
"""What typography puts between the groups of a number."""
_MEDIUM = re.compile(r"(?:data:[^,\s]{1,100},)?[A-Za-z0-9+/=_-]{1024,}")
"""A picture, a recording, or what only its maker can read: base64 to its end, and no text."""
_BETWEEN = "\n\0\n"
"""Keeps the end of one text and the beginning of the next apart, for every finder."""
_SHORT = 200
"""Characters of a value that its name may say something about: {"password": "…"}."""
_KEPT = 64
"""Policies whose finders are kept ready."""


class Finder:
    """Looks for some kinds of `core.policy.PRIVACY`, and for own patterns."""

    def __init__(self, kinds: Collection[str], patterns: Sequence[str] = ()) -> None:
        self._secrets = "secrets" in kinds
        self._email = "email" in kinds
        self._card = "card" in kinds
        self._id = "id" in kinds
        self._patterns = Patterns(patterns) if patterns else None

    def find(self, text: str) -> str | None:
        """The first kind found: secrets, card, id, email or pattern; None: none of them."""
        plain = text
        if not text.isascii():
            for space in _SPACES:
                plain = plain.replace(space, " ")
        data = plain.encode("ascii", "replace")
        if self._secrets and has_secret(data):
            return "secrets"
        if self._card or self._id:
            kind = find_number(data, card=self._card, id=self._id)
            if kind is not None:
                return kind
        if self._email and has_email(plain):
            return "email"
        return PATTERN if self._patterns is not None and self._patterns.match(text) else None

    def find_in(self, value: object) -> str | None:
        """The same, in every text of a JSON value: arguments and results of tools too."""
        return self.find(_BETWEEN.join(_texts(value)))


def finder_of(policy: Policy) -> Finder | None:
    """What looks for all that the policy wants kept here; None: nothing is."""
    if not policy.privacy and not policy.patterns:
        return None
    return _finder(policy.privacy, policy.patterns)


@lru_cache(maxsize=_KEPT)
def _finder(kinds: frozenset[str], patterns: tuple[str, ...]) -> Finder:
    return Finder(kinds, patterns)


def _texts(value: object) -> Iterator[str]:
    todo = [value]
    while todo:
        match todo.pop():
            case str() as text:
                if not _MEDIUM.fullmatch(text):
                    yield text
            case Mapping() as members:
                for name, member in members.items():
                    is_short = isinstance(member, str) and len(member) <= _SHORT
                    todo.append(f"{name}: {member}" if is_short else member)
            case list() | tuple() as items:
                todo.extend(items)

"""Health probes: "reply with OK", and small JSON that only says that it is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from larouter.classify.phrases import cut, normal

_MOST_WORDS = 24
_MOST_KEYS = 6


class Probes:
    """Knows a table `probe` of `data/rules.toml`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._verbs = _words(data["verbs"])
        self._replies = _words(data["replies"])
        self._known = _words(data["fill"]) | self._verbs | self._replies
        self._keys = frozenset(data["keys"])
        self._beside = frozenset(data["beside"])
        self._longest = max(map(len, self._known))

    def is_one(self, text: str, plain: str) -> bool:
        """`text` is short, `plain` is `normal(text)`."""
        if text.startswith("{"):
            return self._is_json(text)
        words = plain.split()
        if len(words) > _MOST_WORDS:
            return False
        found: set[str] = set()
        for word in words:
            if word in self._known:
                found.add(word)
            elif word.isascii() or not (parts := cut(word, self._known, self._longest)):
                return False
            else:
                found.update(parts)
        return not (found.isdisjoint(self._verbs) or found.isdisjoint(self._replies))

    def _is_json(self, text: str) -> bool:
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError):
            return False
        if not isinstance(value, dict) or len(value) > _MOST_KEYS:
            return False
        keys = {key.lower() for key in value}
        said = {one.lower() for one in value.values() if isinstance(one, str)}
        if any(isinstance(one, dict | list) and one for one in value.values()):
            return False
        return keys <= self._keys | self._beside and not self._keys.isdisjoint(keys | said)


def _words(phrases: list[str]) -> frozenset[str]:
    return frozenset(word for phrase in phrases for word in normal(phrase).split())

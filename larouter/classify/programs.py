"""Code of some size is asked for: "write a full-stack app", "implement … in Rust with tests"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_NEAR = 12
"""Words: how soon after its verb the thing to be coded is named."""
_AFTER = 2
"""Words: how soon a thing turns out to be another one ("a web app idea")."""
_NEAR_UNSPACED = 24
"""Characters, where no space divides words."""
_AROUND = " \t\n,;:!?.()[]{}\"'«»“”„’`*"
_UNSPACED = "\N{THAI CHARACTER KO KAI}"
"""From here on scripts put no spaces between words; those with spaces there are few."""


class Programs:
    """Knows a table `code` of `data/rules.toml`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        openings, verbs = _beginning(data["openings"]), _beginning(data["verbs"])
        self._asks = re.compile(rf"(?:(?:{openings})[\s,:!]*){{0,3}}(?:{verbs})")
        languages = data["languages"]
        things = [
            *data["things"],
            *(f"{thing} {language}" for thing in data["things_in"] for language in languages),
            *(f"{language} {thing}" for thing in data["things_of"] for language in languages),
        ]
        self._things = frozenset(" ".join(_words(thing)) for thing in things)
        self._most = max(thing.count(" ") + 1 for thing in self._things)
        self._small = frozenset(" ".join(_words(small)) for small in data["small"])
        self._things_unspaced = _unspaced(data["things"])
        self._small_unspaced = _unspaced(data["small"])

    def asks(self, start: str) -> bool:
        """Does it ask for such code? `start` is the beginning of a text in lower case."""
        found = self._asks.match(start)
        if found is None:
            return False
        rest = start[found.end() :]
        return self._names(_words(rest)) or (not rest.isascii() and self._names_unspaced(rest))

    def _names(self, words: list[str]) -> bool:
        """A thing before which nothing small is named, nor right after it."""
        for at in range(min(len(words), _NEAR)):
            for length in range(1, self._most + 1):
                if " ".join(words[at : at + length]) in self._things:
                    after = words[at + length : at + length + _AFTER]
                    return self._small.isdisjoint([*after, " ".join(after)])
            if not self._small.isdisjoint([words[at], " ".join(words[at : at + 2])]):
                return False
        return False

    def _names_unspaced(self, text: str) -> bool:
        near = text[:_NEAR_UNSPACED]
        if any(small in near for small in self._small_unspaced):
            return False
        return any(thing in near for thing in self._things_unspaced)


def _words(text: str) -> list[str]:
    words = (word.strip(_AROUND) for word in text.lower().split())
    return [word for word in words if word]


def _beginning(phrases: Iterable[str]) -> str:
    """As a pattern. A word ends where its script says so."""
    spaced = [phrase for phrase in phrases if phrase[0] < _UNSPACED]
    return rf"(?:{_either(spaced)})(?!\w)|{_either(_unspaced(phrases))}"


def _unspaced(phrases: Iterable[str]) -> tuple[str, ...]:
    return tuple(phrase for phrase in phrases if phrase[0] >= _UNSPACED)


def _either(phrases: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(map(str.lower, phrases), key=len, reverse=True)))

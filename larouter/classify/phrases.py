"""Turns that ask for nothing: greetings, thanks and the like, known word by word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

MOST_WORDS = 14
"""A longer turn says more than thanks."""
_LONGEST_UNSPACED = 24
"""Characters without a space that are cut into words, as Chinese and Thai have it."""
_CERTAIN = 6
"""Letters of which one may be wrong: in a shorter word that makes another one too often."""
_SOCIAL, _ACK, _NAME, _FILL = 8, 4, 2, 1
_STRETCHED = re.compile(r"(.)\1\1")
_RUN = re.compile(r"(.)\1+")
_LAUGH = re.compile(
    r"(?:[hj][aei]{1,3}){2,}h?|l+o+l+|x+d+|k{2,}|5{3,}|w{2,}|[ㅋㅎㅠㅜ]+|哈+|笑+|"
    "[\\N{CYRILLIC SMALL LETTER HA}\\N{CYRILLIC SMALL LETTER A}\\N{CYRILLIC SMALL LETTER IE}]{3,}"
)
_NOT_WORDS = {number: " " for number in range(128) if not chr(number).isalnum()} | {ord("'"): None}


def cut(text: str, known: Set[str], longest: int) -> list[str]:
    """A text without spaces as known words, the longest first; none if that does not come out
    even. No word has more than `longest` characters."""
    words = []
    while text:
        length = min(len(text), longest)
        while length and text[:length] not in known:
            length -= 1
        if not length:
            return []
        words.append(text[:length])
        text = text[length:]
    return words


class Phrases:
    """Knows a table `heartbeat` of `data/rules.toml`. `social`, `acks`, `names` and `fill` as said
    there."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        kinds = {"social": _SOCIAL, "acks": _ACK, "names": _NAME, "fill": _FILL}
        self._kinds: dict[str, int] = {}
        for name, kind in kinds.items():
            for phrase in map(normal, data[name]):
                self._kinds[phrase] = self._kinds.get(phrase, 0) | kind
        # How many words the longest phrase has that begins so.
        self._most: dict[str, int] = {}
        for phrase in self._kinds:
            words = phrase.split()
            start = _shrunk(_flat(words[0]))
            self._most[start] = max(self._most.get(start, 0), len(words))
        self._flat = self._also(_flat)
        self._shrunk = self._also(_shrunk)
        self._nearly = {
            shorter: phrase
            for phrase, kind in self._kinds.items()
            if kind & _SOCIAL and len(phrase) >= _CERTAIN and " " not in phrase
            for shorter in [phrase, *_shorter(phrase)]
        }

    def asks_nothing(self, text: str, plain: str, *, first: bool) -> bool:
        """Is this only a greeting, thanks or the like? `plain` is `normal(text)`; `first` says that
        there is nothing that an "ok" could assent to."""
        words = plain.split()
        if not words or len(words) > MOST_WORDS:
            return False
        capital = frozenset(map(normal, _capitals(text)))
        found = self._all(words, capital)
        if found is None:
            return False
        if "?" in text and any(not kinds & ~_FILL for kinds in found):
            return False
        wanted = _SOCIAL | _ACK if first else _SOCIAL
        return any(kinds & wanted for kinds in found)

    def _all(self, words: Sequence[str], capital: frozenset[str]) -> list[int] | None:
        """What kinds of phrases the words fall into; None, if not all of them do."""
        found: list[int] = []
        at = 0
        while at < len(words):
            most = self._most.get(_shrunk(_flat(words[at])), 1)
            for length in range(min(most, len(words) - at), 0, -1):
                kinds = self._kind(" ".join(words[at : at + length]))
                if kinds:
                    break
            else:
                # A name stands after a phrase, and seldom has two words.
                named = found and found[-1] & (_SOCIAL | _NAME) and words[at] in capital
                if not named:
                    return None
                kinds, length = _FILL | _NAME, 1
            found.append(kinds)
            at += length
        return found

    def _kind(self, phrase: str) -> int:
        kinds = self._kinds.get(phrase) or self._flat.get(_flat(phrase))
        if kinds:
            return kinds
        if _STRETCHED.search(phrase) and (kinds := self._shrunk.get(_shrunk(_flat(phrase)))):
            return kinds
        if " " in phrase:
            return 0
        if _LAUGH.fullmatch(phrase):
            return _ACK
        if (
            not phrase.isascii()
            and len(phrase) <= _LONGEST_UNSPACED
            and (kinds := self._cut(phrase))
        ):
            return kinds
        return _SOCIAL if self._is_nearly(phrase) else 0

    def _cut(self, text: str) -> int:
        """The same for words that no space divides, the longest first."""
        found = 0
        while text:
            length = len(text)
            while length and text[:length] not in self._kinds:
                length -= 1
            if not length:
                return 0
            found |= self._kinds[text[:length]]
            text = text[length:]
        return found

    def _is_nearly(self, word: str) -> bool:
        """One letter too many, too few, another one, or two that changed places."""
        if len(word) < _CERTAIN:
            return False
        if word in self._nearly:
            return True
        for at, shorter in enumerate(_shorter(word)):
            meant = self._nearly.get(shorter)
            if meant is None:
                continue
            if meant == shorter or meant[:at] + meant[at + 1 :] == shorter:
                return True
            if _swapped(word, at) == meant or _swapped(word, at - 1) == meant:
                return True
        return False

    def _also(self, change: Any) -> dict[str, int]:
        changed: dict[str, int] = {}
        for phrase, kind in self._kinds.items():
            key = change(_flat(phrase))
            changed[key] = changed.get(key, 0) | kind
        return changed


def normal(text: str) -> str:
    """Lower case, letters and digits only, single spaces: what phrases are compared by."""
    text = text.casefold()
    if text.isascii():
        return " ".join(text.translate(_NOT_WORDS).split())
    text = unicodedata.normalize("NFC", text).replace("'", "").replace("’", "")
    text = text.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")  # in Turkish its capital is I
    kept = (char if unicodedata.category(char)[0] in "LNM" else " " for char in text)
    # A selector of how an emoji looks is a mark, but no part of a word.
    return " ".join("".join(kept).replace("\N{VARIATION SELECTOR-16}", "").split())


def _flat(phrase: str) -> str:
    """Without accents, for people in a hurry. Other scripts' marks are letters of their own."""
    if phrase.isascii():
        return phrase
    parts = unicodedata.normalize("NFD", phrase)
    bare = "".join(part for part in parts if not "\u0300" <= part <= "\u036f")
    return unicodedata.normalize("NFC", bare)


def _shrunk(phrase: str) -> str:
    return _RUN.sub(r"\1", phrase)


def _shorter(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def _swapped(word: str, at: int) -> str:
    return word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :] if at >= 0 else ""


def _capitals(text: str) -> Iterable[str]:
    """Words that begin with a capital, except where all do."""
    return () if text.isupper() else (word for word in text.split() if word[:1].isupper())

"""What a text says about its own difficulty, or about where it wants to be sent, taken away: it
decides nothing. Clauses are compared word by word with `data/claims.toml`, so a single word about
anything else lets a clause stand, and so does a question."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from larouter.classify.phrases import cut

_HEAD = 600
_TAIL = 400
"""Characters at the start and at the end of a text in which claims are looked for."""
_MOST = 20
"""Sentences at each of the two ends."""
_NEAR = 120
"""Characters: of `key: value` at the end."""
_LONGEST = 16
"""Words: a longer clause says something."""
_STOPS = (
    ".!?…؟\n\N{DEVANAGARI DANDA}\N{IDEOGRAPHIC FULL STOP}\N{FULLWIDTH EXCLAMATION MARK}"
    "\N{FULLWIDTH QUESTION MARK}"
)
_PAUSES = (
    ",:;\N{FULLWIDTH COMMA}\N{FULLWIDTH COLON}\N{FULLWIDTH SEMICOLON}\N{IDEOGRAPHIC COMMA}،؛"
    "\N{EN DASH}\N{EM DASH}()[]{}"
)
_ASKS = frozenset("?؟\N{FULLWIDTH QUESTION MARK}")
_QUESTIONS = frozenset([
    "is", "are", "was", "were", "am", "does", "did", "can", "could", "would", "has", "have",
    "ist", "sind", "war", "est", "czy", "är", "onko",
])  # fmt: skip
"""A clause that begins with one of these asks."""
_BETWEEN = re.escape(f'{_STOPS}{_PAUSES}"*_-/#=<>|`~+')
_SENTENCE = re.compile(rf"[^{_STOPS}]+[{_STOPS}]*|[{_STOPS}]+")
_CLAUSE = re.compile(rf"[^{re.escape(_PAUSES)}]+[{re.escape(_PAUSES)}]*|[{re.escape(_PAUSES)}]+")
_WORD = re.compile(rf"[^\s{_BETWEEN}]+")
_SAYS = re.compile(r"[^\W_]|[\u2190-\uffff\U00010000-\U0010ffff]")
"""A letter, a digit, or a picture: a thumb up says something too."""
_LEFT = ")]},:;. "
"""What a claim may leave behind it."""
_AROUND = f"{_STOPS}{_PAUSES}\"'*_ \t"
_SIGNS = bytes(32 if byte < 128 and not chr(byte).isalnum() else byte for byte in range(256))


class _Language:
    """One row of the data."""

    def __init__(self, row: Mapping[str, Any], common: Mapping[str, Any]) -> None:
        self.spaced = row.get("spaced", True)
        self._pairs = (
            (frozenset(row["hardness"]), frozenset(row["subject"])),
            (frozenset(row["size"]), frozenset(row["model"])),
            (frozenset(common["tiers"]), frozenset([*row["routing"], *common["routing"]])),
        )
        self._phrases = frozenset(row["phrases"])
        self._words = frozenset(row["fill"]).union(*(one | two for one, two in self._pairs))
        self._longest = max(map(len, self._words))
        self.known = self._words.union(*(phrase.split() for phrase in self._phrases))
        # Of each claim at least one word is among these.
        self.telling = frozenset(row["hardness"]).union(
            row["model"], common["routing"], map(_longest, self._phrases)
        )

    def claims(self, words: Sequence[str]) -> bool:
        """Do these words claim something?"""
        if not self.spaced:
            words = ["".join(words)]
        if " ".join(words) in self._phrases:
            return True
        found = frozenset(words if self.spaced else cut(words[0], self._words, self._longest))
        return found <= self._words and any(
            not (found.isdisjoint(one) or found.isdisjoint(other)) for one, other in self._pairs
        )


class Claims:
    """Knows `data/claims.toml`. Looks at no more than the two ends of a text."""

    def __init__(self, text: str) -> None:
        data = tomllib.loads(text)
        common = data["common"]
        languages = [_Language(row, common) for row in data["language"]]
        self._spaced = [language for language in languages if language.spaced]
        self._unspaced = [language for language in languages if not language.spaced]
        # For each word the languages that know it, one bit each: most clauses are done with at
        # their first word, which none knows.
        self._known: dict[str, int] = {}
        for bit, language in enumerate(self._spaced):
            for word in language.known:
                self._known[word] = self._known.get(word, 0) | 1 << bit
        telling = frozenset(common["keys"]).union(*(one.telling for one in self._spaced))
        # As bytes, in which punctuation is found ten times as fast.
        self._telling = frozenset(word.encode() for word in telling)
        self._telling_unspaced = tuple(frozenset().union(*(one.telling for one in self._unspaced)))
        keys, values = _either(common["keys"]), _either(common["values"])
        said = (
            rf"(?:[\[({{<]\s?(?:{keys})\b[^\])}}>\n]{{1,80}}[\])}}>]|"
            rf"\b(?:{keys})\s?[:=]\s?(?:{values})\b)"
        )
        self._head = re.compile(rf"\s*{said}[\s.,;:!]*", re.IGNORECASE)
        self._tail = re.compile(rf"{said}[\s.!]*\Z", re.IGNORECASE)

    def without(self, text: str) -> str:
        """The text without its claims; as it was, if nothing would be left."""
        if not self._may_claim(text):
            return text
        if len(text) <= _HEAD + _TAIL:
            kept = self._kept(text)
        else:
            kept = f"{self._kept(text[:_HEAD])}{text[_HEAD:-_TAIL]}{self._kept(text[-_TAIL:])}"
        kept = kept.strip().lstrip(_LEFT)
        return kept if _SAYS.search(kept) else text

    def _may_claim(self, text: str) -> bool:
        ends = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]} {text[-_TAIL:]}"
        words = ends.lower().encode("utf-8", "replace").translate(_SIGNS).split()
        if not self._telling.isdisjoint(words):
            return True
        return not ends.isascii() and any(word in ends for word in self._telling_unspaced)

    def _kept(self, text: str) -> str:
        if found := self._head.match(text):
            text = text[found.end() :]
        if found := self._tail.search(text, max(0, len(text) - _NEAR)):
            text = text[: found.start()]
        sentences = _SENTENCE.findall(text)
        last = len(sentences) - 1
        kept = ""
        for place, sentence in enumerate(sentences):
            if place < _MOST or last - place < _MOST:
                sentence = self._sentence(sentence, first=not kept, last=place == last)
            kept += sentence
        return kept

    def _sentence(self, text: str, *, first: bool, last: bool) -> str:
        clauses = _CLAUSE.findall(text)
        ends = len(clauses) - 1
        asks = not _ASKS.isdisjoint(text[-3:])
        kept = ""
        for place, clause in enumerate(clauses):
            # In a question the last clause is what is asked.
            if not (asks and place == ends):
                clause = self._clause(clause, first=first and not kept, last=last and place == ends)
            kept += clause
        return kept

    def _clause(self, text: str, *, first: bool, last: bool) -> str:
        """What is left of a clause: all, nothing, or what stands before a claim at its end."""
        if not text.isascii():
            said = "".join(_WORD.findall(text))
            if any(one.claims([said]) for one in self._unspaced):
                return ""
        if _last_word(text) not in self._known:
            return text
        found = list(_WORD.finditer(text))[-_LONGEST - 1 :]
        words = [_plain(word[0]) for word in found]
        dangles = last and text.rstrip()[-1] in ",:"
        begins = [place for place, word in enumerate(found) if dangles or word[0][0].isupper()]
        at = self._claim(words, {0, *begins}, short=first)
        if at is None or len(words) - at > _LONGEST or (at == 0 and words[0] in _QUESTIONS):
            return text
        return text[: found[at].start()].rstrip(" ") if at else ""

    def _claim(self, words: Sequence[str], begins: Set[int], *, short: bool) -> int | None:
        """Where the longest claim begins with which the words end."""
        known = -1
        claim = None
        for at in range(len(words) - 1, -1, -1):
            known &= self._known.get(words[at], 0)
            if not known:
                break
            # Two words may be an item of a list, unless the text begins with them.
            is_long = len(words) - at > 2 or (short and not at)
            if is_long and at in begins and self._claims(words[at:], known):
                claim = at
        return claim

    def _claims(self, words: Sequence[str], known: int) -> bool:
        return any(
            known >> bit & 1 and language.claims(words) for bit, language in enumerate(self._spaced)
        )


def _last_word(text: str) -> str:
    words = text.rstrip(_AROUND).rsplit(None, 1)
    return _plain(words[-1].lstrip(_AROUND)) if words else ""


def _plain(word: str) -> str:
    return word.lower().replace("'", "").replace("’", "")


def _longest(phrase: str) -> str:
    return max(phrase.split(), key=len)


def _either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))

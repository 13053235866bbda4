"""Stage 1: rules for the certain, anchored and multilingual. Everything else passes on."""

from __future__ import annotations

import re
import tomllib
import unicodedata

from larouter.classify.question import question
from larouter.core.chat import ChatRequest
from larouter.core.route import Verdict

_SHORT = 60
"""Characters: longer is no greeting."""
_NEAR = 90
"""Characters: how soon after its verb the thing to be coded is named."""
_MEDIA = frozenset({"images", "audio", "files"})
_ARITHMETIC = re.compile(
    r"(?:what(?: is|'s|s)|how much is|calculate|compute|was ist|wie viel ist|combien font|"
    r"cuánto es|quanto è|quanto é|сколько будет)?\s*"
    # No character may match two of these in a row: a regular expression that can read a text in
    # many ways tries them all.
    r"[-+(\s]*\d[\d\s.,()]*(?:[-+*/x×÷^%=][\d\s.,()]*)+\??",
    re.IGNORECASE,
)


class Rules:
    """Knows the phrases of `data/rules.toml`. A verdict costs a few microseconds."""

    name = "rules"

    def __init__(self, text: str) -> None:
        data = tomllib.loads(text)
        self._phrases = frozenset(normal(phrase) for phrase in data["heartbeat"]["phrases"])
        self._proof = tuple(data["proof"]["openings"])
        self._only_first = frozenset(map(normal, data["heartbeat"]["only_first"]))
        verbs = "|".join(re.escape(verb) for verb in _longest_first(data["code"]["verbs"]))
        things = "|".join(re.escape(thing) for thing in _longest_first(data["code"]["things"]))
        self._code = re.compile(rf"(?:{verbs})\b.{{1,{_NEAR}}}?\b(?:{things})\b", re.DOTALL)

    def judge(self, request: ChatRequest) -> Verdict | None:
        text = question(request)
        if len(text) <= _SHORT:
            verdict = self._short(text, request.needs, first=len(request.messages) <= 2)
            if verdict is not None:
                return verdict
        start = text[:200].lower()
        if start.startswith(self._proof):
            return _verdict("FRONTIER", 0.95, "a proof is asked for")
        if self._code.match(start):
            return _verdict("FRONTIER", 0.9, "code of some size is asked for")
        return None

    def _short(self, text: str, needs: frozenset[str], *, first: bool) -> Verdict | None:
        plain = normal(text)
        if not plain and needs.isdisjoint(_MEDIA):
            return _verdict("HEARTBEAT", 0.0, "nothing is asked: no words")
        if plain in self._phrases and (first or plain not in self._only_first):
            return _verdict("HEARTBEAT", 0.0, "a greeting, thanks or a ping")
        if _ARITHMETIC.fullmatch(text):
            return _verdict("SIMPLE", 0.2, "plain arithmetic")
        return None


def normal(text: str) -> str:
    """Lower case, letters and digits only, single spaces: what phrases are compared by."""
    text = unicodedata.normalize("NFC", text.casefold()).replace("'", "").replace("’", "")
    text = text.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i")  # in Turkish its capital is I
    kept = (char if unicodedata.category(char)[0] in "LNM" else " " for char in text)
    return " ".join("".join(kept).split())


def _longest_first(words: list[str]) -> list[str]:
    return sorted(words, key=len, reverse=True)


def _verdict(tier: str, score: float, reason: str) -> Verdict:
    return Verdict(
        tier=tier,
        score=score,
        need_strong=score,
        confidence=0.95,
        stage=Rules.name,
        reason=reason,
    )

"""Does a turn only go on with what came before it ("ok, continue")? Then the conversation's tier
counts more than its words. A classifier that has seen this for itself is not asked again."""

from __future__ import annotations

import tomllib

from msgspec.structs import replace

from larouter.classify import Refine
from larouter.classify.phrases import normal
from larouter.classify.question import question
from larouter.core.chat import ChatRequest
from larouter.core.route import Verdict

_SHORT = 60
"""Characters: a longer turn says more than that."""


class Follows:
    """Knows the phrases of `data/rules.toml`."""

    def __init__(self, text: str) -> None:
        data = tomllib.loads(text)["follows"]
        self._openings = _by_words(data["openings"])
        self._endings = _by_words(data["endings"])
        self._phrases = frozenset(normal(phrase) for phrase in data["phrases"])

    def before(self, refine: Refine | None) -> Refine:
        """Say so in a verdict, before anybody else takes a second look at it."""

        def refined(request: ChatRequest, verdict: Verdict) -> Verdict:
            if not verdict.follows and self.says(request):
                verdict = replace(verdict, follows=True)
            return verdict if refine is None else refine(request, verdict)

        return refined

    def says(self, request: ChatRequest) -> bool:
        """Is there something to go on with, and is nothing else asked?"""
        if len(request.messages) < 3 or len(text := question(request)) > _SHORT:
            return False
        words = tuple(normal(text).split())
        if not words:
            return False
        if " ".join(words) in self._phrases:
            return True
        words = _without_first(words, self._openings)
        return not words or " ".join(_without_last(words, self._endings)) in self._phrases


_Words = tuple[str, ...]


def _by_words(phrases: list[str]) -> frozenset[_Words]:
    return frozenset(tuple(normal(phrase).split()) for phrase in phrases)


def _without_first(words: _Words, openings: frozenset[_Words]) -> _Words:
    """`words` without all openings that they begin with, the longest ones first."""
    while length := next((n for n in (3, 2, 1) if words[:n] in openings), 0):
        words = words[length:]
    return words


def _without_last(words: _Words, endings: frozenset[_Words]) -> _Words:
    while length := next((n for n in (4, 3, 2, 1) if words[-n:] in endings), 0):
        words = words[:-length]
    return words

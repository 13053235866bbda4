"""Stage 1: rules for the certain, anchored and multilingual. Everything else passes on.

A rule looks at a fixed number of characters, so that its cost does not grow with a prompt.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

from larouter.classify.phrases import Phrases, normal
from larouter.classify.probes import Probes
from larouter.classify.programs import Programs
from larouter.classify.question import question
from larouter.classify.sums import Sums
from larouter.core.chat import ChatRequest, Message
from larouter.core.route import Verdict

_SHORT = 120
"""Characters: longer is no greeting."""
_SUM = 60
_START = 200
"""Characters in which a proof or a program is asked for."""
_ASKED = 90
"""Characters at the end of an answer in which it may ask something."""
_PROOF = 600
"""Characters of a text whose last words may ask for a proof."""
_MEDIA = frozenset({"images", "audio", "files"})


class Rules:
    """Knows `data/rules.toml`. A verdict costs a few microseconds."""

    name = "rules"

    def __init__(self, text: str) -> None:
        data = tomllib.loads(text)
        self._phrases = Phrases(data["heartbeat"])
        self._probes = Probes(data["probe"])
        self._sums = Sums(data["arithmetic"])
        self._programs = Programs(data["code"])
        self._proof = tuple(data["proof"]["openings"])
        self._proof_at_end = tuple(data["proof"]["endings"])
        self._no_proof = re.compile(rf"\s*(?:{_either(data['proof']['unless'])})(?!\w)")

    def judge(self, request: ChatRequest) -> Verdict | None:
        text = question(request, _PROOF + 1)
        if len(text) <= _SHORT:
            verdict = self._short(text, request)
            if verdict is not None:
                return verdict
        start = text[:_START].lower()
        if self._asks_proof(start, text):
            return _verdict("FRONTIER", 0.95, "a proof is asked for")
        if self._programs.asks(start):
            return _verdict("FRONTIER", 0.9, "code of some size is asked for")
        return None

    def _short(self, text: str, request: ChatRequest) -> Verdict | None:
        plain = normal(text)
        if not plain:
            if request.needs.isdisjoint(_MEDIA) and not _may_assent(text, request.messages):
                return _verdict("HEARTBEAT", 0.0, "nothing is asked: no words")
            return None
        first = _is_first(request.messages)
        if self._phrases.asks_nothing(text, plain, first=first):
            return _verdict("HEARTBEAT", 0.0, "a greeting, thanks or a ping")
        if self._probes.is_one(text, plain):
            return _verdict("HEARTBEAT", 0.0, "a probe")
        if len(text) <= _SUM and self._sums.is_one(text):
            return _verdict("SIMPLE", 0.2, "one sum")
        return None

    def _asks_proof(self, start: str, text: str) -> bool:
        if start.startswith(self._proof):
            opening = max(len(one) for one in self._proof if start.startswith(one))
            return self._no_proof.match(start, opening) is None
        return len(text) <= _PROOF and text.rstrip(" .!\u3002\n").endswith(self._proof_at_end)


def _is_first(messages: tuple[Message, ...]) -> bool:
    return not any(message.role == "assistant" for message in messages)


def _may_assent(text: str, messages: tuple[Message, ...]) -> bool:
    """A thumb up, or a question mark, means something where an assistant has asked."""
    said = next((message.text for message in reversed(messages) if message.role == "assistant"), "")
    asked = text + said[-_ASKED:]
    return bool(said) and ("?" in asked or "\N{FULLWIDTH QUESTION MARK}" in asked)


def _either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(map(str.lower, words), key=len, reverse=True)))


def _verdict(tier: str, score: float, reason: str) -> Verdict:
    return Verdict(
        tier=tier,
        score=score,
        need_strong=score,
        confidence=0.95,
        stage=Rules.name,
        reason=reason,
    )

"""Stage 2: the learned classifier. A verdict for everything, in one to two milliseconds.

Its file of weights is made by `training/`; what they learnt from, and how good they are, is in
docs/classifier.md.
"""

from __future__ import annotations

from math import exp, expm1, log
from pathlib import Path
from typing import Any

import numpy as np

from larouter.classify.learned.encoder import Floats
from larouter.classify.learned.network import Network, Parts, parts_of
from larouter.classify.learned.scalars import NAMES
from larouter.classify.question import Asked, asked
from larouter.core.chat import ChatRequest
from larouter.core.route import Verdict

TIERS = ("HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER")
"""What the classifier knows; a catalogue's further tiers are reached by policy."""
CLOUD = 3
"""The first of `TIERS` that wants a strong model."""
_PLAIN = 0.6
"""A language is named from this chance on."""
_TAGGED = 0.5
_WORTH_TELLING = 0.1
_OTHER = "other"
_SHOWN = ("asks", "has_code", "digits", "signs_of_code", "not_ascii", "sentences")
"""What is told to people who ask; the rest are logarithms and thresholds of the same."""


class Learned:
    """Knows `data/learned.npz`. Stateless: greenlets and threads may share it."""

    name = "learned"

    def __init__(self, file: Path) -> None:
        with np.load(file, allow_pickle=False) as opened:
            stored: dict[str, Any] = {name: opened[name] for name in opened.files}
        self._network = Network(stored)
        self._tags = tuple(stored["tags"].tolist())
        self._languages = tuple(stored["languages"].tolist())
        self.heat = float(stored["heat"])
        """What the log-odds are divided by, so that 0.7 comes true in seven of ten (Guo et al.)."""
        self.border = float(stored["border"])
        """From this chance of a cloud's tier on, it is one."""
        self.lean = log(1 / self.border - 1)
        self._need = tuple(stored["need"].tolist())

    def judge(self, request: ChatRequest) -> Verdict:
        question = asked(request)
        parts = parts_of(question, self._network.encoder, self._network.wishes)
        said = self._network.says(parts)
        chances = _softmax(said.tiers / self.heat)
        tier = self.tier_of(chances)
        slope, offset = self._need
        languages = _softmax(said.languages)
        language = self._languages[int(languages.argmax())]
        is_plain = languages.max() >= _PLAIN and language != _OTHER
        return Verdict(
            tier=TIERS[tier],
            score=round(float(chances @ np.arange(len(TIERS))) / (len(TIERS) - 1), 4),
            need_strong=round(_chance(slope * said.need_strong + offset), 4),
            confidence=round(float(chances[tier]), 4),
            lean=self.lean,
            stage=self.name,
            reason=_reason(chances, tier),
            probabilities=tuple(round(float(chance), 4) for chance in chances),
            tags=frozenset(
                tag
                for tag, odds in zip(self._tags, said.tags.tolist(), strict=True)
                if _chance(odds) >= _TAGGED
            ),
            language=language if is_plain else None,
            features=_features(question, parts),
        )

    def tier_of(self, chances: Floats) -> int:
        """The likeliest tier on the likelier side of the border between local and cloud. A hard
        prompt that stays local hurts more than an easy one that does not, so the cloud's side
        needs less than half."""
        if float(chances[CLOUD:].sum()) >= self.border:
            return CLOUD + int(chances[CLOUD:].argmax())
        return int(chances[:CLOUD].argmax())


def _reason(chances: Floats, tier: int) -> str:
    """In words: the tier that was taken, and the next likeliest if it could as well be that."""
    reason = f"reads like {TIERS[tier]} ({chances[tier]:.2f})"
    second = next(at for at in chances.argsort()[::-1].tolist() if at != tier)
    if chances[second] < _WORTH_TELLING:
        return reason
    return f"{reason}, else {TIERS[second]} ({chances[second]:.2f})"


def _features(question: Asked, parts: Parts) -> dict[str, float]:
    counts = dict(zip(NAMES, parts.counts, strict=True))
    shown = {name: round(float(counts[name]), 3) for name in _SHOWN}
    return {
        "characters": question.length,
        "words": round(expm1(counts["words"])),
        "turns_before": question.turns,
        **shown,
    }


def _softmax(values: Floats) -> Floats:
    raised = np.exp(values - values.max())
    chances: Floats = raised / raised.sum()
    return chances


def _chance(odds: float) -> float:
    return 1 / (1 + exp(-max(-30.0, min(30.0, odds))))

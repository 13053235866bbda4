"""What the network is asked to say of each row."""

from __future__ import annotations

import numpy as np

from training.network import Targets
from training.rows import TIERS, Row

TAGS = ("code", "math", "legal", "medical", "finance", "translation", "writing")
"""What a project's rules may name."""
_WORDS = {
    "code": ("code", "codegen", "debug", "sql", "regex", "refactor", "trace", "git", "shell",
             "app", "bug", "devops", "migrate", "api", "commit", "docker", "script", "web"),
    "math": ("math", "maths", "proof", "algebra", "statistics", "probability", "arithmetic",
             "calculus", "geometry", "word-problem", "olympiad", "calculation"),
    "legal": ("legal", "law", "contract", "contracts", "gdpr", "rights"),
    "medical": ("medical", "health", "medicine", "nursing", "pharmacy", "pharma", "doctor", "vet"),
    "finance": ("finance", "tax", "taxes", "accounting", "investing", "insurance", "loan",
                "mortgage", "budget", "pension", "banking"),
    "translation": ("translation", "translate"),
    "writing": ("email", "e-mail", "rewrite", "creative", "poem", "story", "letter", "writing",
                "caption", "novel", "speech", "slogan", "copywriting"),
}  # fmt: skip
_SOURCES = {
    "code": ("own-developers", "own-authored-code", "humaneval", "llmrouter-mbpp"),
    "math": ("gsm8k-train", "llmrouter-gsm8k", "llmrouter-math", "zeroeval-math-l5"),
}
_LANGUAGE_ROWS = 40
"""A language with fewer rows is `other`."""
_OTHER = "other"

NEED = (0.01, 0.05, 0.15, 0.75, 0.95)
"""`need_strong` of a row whose outcome nobody measured, by its tier: what the tiers mean."""
_OUTCOME_WEIGHT = 1.0
"""What was measured says more of `need_strong` than what a tier means."""
_SMOOTH, _ALT = 0.05, 0.2


def languages_of(rows: list[Row]) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.lang] = counts.get(row.lang, 0) + 1
    named = [lang for lang, count in counts.items() if count >= _LANGUAGE_ROWS and len(lang) == 2]
    return (*sorted(named), _OTHER)


def targets_of(rows: list[Row], languages: tuple[str, ...]) -> Targets:
    n = len(rows)
    tiers = np.full((n, 5), 0.2, np.float32)
    need, tags = np.zeros(n, np.float32), np.zeros((n, len(TAGS)), np.float32)
    spoken = np.zeros((n, len(languages)), np.float32)
    weights = np.zeros((4, n), np.float32)
    at_language = {name: at for at, name in enumerate(languages)}
    for at, row in enumerate(rows):
        weight = row.weight
        if row.tier is not None:
            tiers[at] = _spread(row.tier, row.alt)
            need[at] = NEED[row.tier]
            weights[0, at] = weights[1, at] = weight
        if row.weak is not None and row.strong is not None:
            # The strong one is right and the small one is wrong, as two independent throws.
            need[at] = row.strong * (1 - row.weak)
            weights[1, at] = _OUTCOME_WEIGHT
        tags[at] = [_is_about(row, tag) for tag in TAGS]
        weights[2, at] = weight if row.file in {"own", "authored"} else 0.05
        spoken[at, at_language.get(row.lang, len(languages) - 1)] = 1
        weights[3, at] = weight if row.lang not in {"mixed", "mix"} else 0
    return Targets(tiers, need, tags, spoken, *weights)


def _spread(tier: int, alt: int | None) -> np.ndarray:
    chances = np.zeros(5)
    chances[tier] = 1 - (_ALT if alt is not None else 0)
    if alt is not None:
        chances[alt] = _ALT
    return chances * (1 - _SMOOTH) + _SMOOTH / len(TIERS)


def _is_about(row: Row, tag: str) -> bool:
    if row.tier == 0:
        return False
    own = {word.lower() for word in row.tags}
    return not own.isdisjoint(_WORDS[tag]) or row.source in _SOURCES.get(tag, ())

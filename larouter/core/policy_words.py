"""What each choice of a policy means, in a sentence for people: the API, the command and the page
say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Word(NamedTuple):
    """One choice."""

    name: str
    """As it is written in a policy."""
    title: str
    meaning: str
    """One sentence."""


MODE_WORDS = (
    Word(
        "balanced",
        "Balanced",
        "Easy questions stay on this machine, hard ones go to a strong model.",
    ),
    Word(
        "cheapest",
        "As cheap as possible",
        "A strong model is asked only when it is plainly needed, and the cheapest of its tier.",
    ),
    Word(
        "best",
        "As good as possible",
        "In doubt a strong model is asked; only what is plainly easy stays here.",
    ),
    Word(
        "local-only",
        "Always use local models",
        "Nothing leaves this machine; what no model here can do is refused.",
    ),
    Word(
        "cloud-only",
        "Always use the cloud",
        "This machine runs no model for the project, which keeps it quiet and cool.",
    ),
)
PRIVACY_WORDS = (
    Word("secrets", "Passwords and keys", "Passwords, API keys, access tokens and private keys."),
    Word("email", "E-mail addresses", "Addresses such as name@example.com."),
    Word("card", "Payment cards", "Numbers of credit and debit cards."),
    Word(
        "id",
        "Identity numbers",
        "Bank accounts (IBAN) and the personal numbers of eleven countries.",
    ),
)
ESCALATION_WORDS = (
    Word("off", "Never", "A poor answer of a local model is passed on as it is."),
    Word(
        "local",
        "On this machine",
        "An empty or broken answer is tried again by a stronger model of this machine.",
    ),
    Word(
        "cloud",
        "In the cloud too",
        "An empty or broken answer may be tried again in the cloud, which may cost money.",
    ),
)
SPENT_WORDS = (
    Word("refuse", "Refuse", "When a budget is spent, requests are refused until it is renewed."),
    Word(
        "local", "Go on locally", "When a budget is spent, models of this machine go on answering."
    ),
)
LEFT_WORDS = (
    Word(
        "close", "Stop at once", "A stream whose program left ends at once; its cost is estimated."
    ),
    Word(
        "drain",
        "Read to the end",
        "A stream whose program left is read on for up to 30 seconds, and its cost is exact.",
    ),
)
WORDS: Mapping[str, tuple[Word, ...]] = {
    "mode": MODE_WORDS,
    "privacy": PRIVACY_WORDS,
    "escalation": ESCALATION_WORDS,
    "when_spent": SPENT_WORDS,
    "when_left": LEFT_WORDS,
}
"""By the field of the policy that takes one of them (privacy: any of them)."""

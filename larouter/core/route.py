"""How hard a request is (a verdict) and which models may answer it (a decision)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from larouter.core.catalog import Model


class Verdict(Struct, frozen=True, kw_only=True):
    """What one classification stage found."""

    tier: str
    score: float
    """0–1, rising with difficulty."""
    need_strong: float
    """0–1: the chance that a small model's answer would be worse."""
    confidence: float
    stage: str
    """rules, learned, judge or default."""
    reason: str
    probabilities: tuple[float, ...] = ()
    """Of each tier that the classifier knows, cheapest first, summing to 1; empty: not known."""
    lean: float = 0.0
    """Log-odds that the stage adds to the chance of a strong model's tier before it names one:
    above 0, it looks up in doubt."""
    tags: frozenset[str] = frozenset()
    """What it is about, for a project's rules: code, math, legal, translation …"""
    language: str | None = None
    """ISO 639-1, where it is plain from the text."""
    follows: bool = False
    """The turn only goes on with what came before it ("ok, continue")."""
    features: Mapping[str, float] = {}
    """What the stage looked at, for people who ask (`explain`)."""


class Numbers(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a decision so that it can be made again under another policy: numbers and
    names, never a word of the text (TRUST S11)."""

    tier: str = ""
    """The classifier's, before any policy; empty: it was not asked."""
    probabilities: tuple[float, ...] = ()
    need_strong: float = 0.0
    lean: float = 0.0
    prompt_tokens: int = 0
    """Estimated before the call."""
    output_tokens: int = 0
    """Expected before the call."""
    max_output: int | None = None
    """The client's own limit."""
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str | None = None
    turns: int = 0
    private: bool = False
    """Something in the conversation may not leave this machine."""


class Choice(Struct, frozen=True, kw_only=True):
    """A model that may answer, and why it is not the tier's own (None: it is)."""

    model: Model
    degraded: str | None = None
    """no-key, no-address, not-downloaded, loading, engine-down, provider-down, context, budget,
    offline, policy or local-only."""
    if_too_long: bool = False
    """A dearer model, asked only when the prompt turns out too long for those before it."""


class Gate(Struct, frozen=True, kw_only=True):
    """A model that was considered and may not answer."""

    model: str
    why: str
    """A code, as in `Choice.degraded`."""
    by: str = ""
    """The gate, or the row of the policy."""
    words: str = ""
    """The same for people, to go on after the model's name."""


class Decision(Struct, frozen=True, kw_only=True):
    """The models that may answer, best first (never empty), and why."""

    choices: tuple[Choice, ...]
    tier: str
    """The tier asked for or found; `-` for an explicit model outside the tiers."""
    stage: str
    """The verdict's stage, or policy, explicit, gate, sticky, fallback, escalated, privacy."""
    score: float
    reason: str
    """One line for people: header `x-larouter-reason`, the activity page, the request's row.
    Several reasons are joined by "; ", the weightiest first."""
    gates: tuple[Gate, ...] = ()
    verdict: Verdict | None = None
    numbers: Numbers = Numbers()
    escalations: tuple[Choice, ...] = ()
    """Models one tier up that may be asked when a local answer is no good, best first; empty
    where the project's policy, a privacy rule or a budget forbids it."""

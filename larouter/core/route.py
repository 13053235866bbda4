"""How hard a request is (a verdict) and which models may answer it (a decision)."""

from __future__ import annotations

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


class Decision(Struct, frozen=True, kw_only=True):
    """The models that may answer, best first (never empty), and why."""

    choices: tuple[Choice, ...]
    tier: str
    """The tier asked for or found; `-` for an explicit model outside the tiers."""
    stage: str
    """The verdict's stage, or policy, explicit, gate, sticky, fallback, escalated, privacy."""
    score: float
    reason: str
    """One line for people: header `x-larouter-reason`, the activity page, the request's row."""
    gates: tuple[Gate, ...] = ()
    verdict: Verdict | None = None

"""What a project wants of the router: one row of its settings, read once for each change.

A policy limits and prefers; it never makes an impossible choice possible. Where it forbids every
model, the request is refused with a sentence that names the policy.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from larouter.core.money import Nanodollars

MODES = ("balanced", "cheapest", "best", "local-only", "cloud-only")
ESCALATIONS = ("off", "local", "cloud")
WHEN_SPENT = ("refuse", "local")
WHEN_LEFT = ("close", "drain")
PRIVACY = ("secrets", "email", "card", "id")
"""Kinds of text that a project may keep on this machine."""


class Condition(Struct, frozen=True):
    """One comparison of a rule, such as `tokens > 4000`."""

    field: str
    """tag, language, needs, tier, tokens, turns or model."""
    operator: str
    """One of = != < <= > >=."""
    value: str | float


class Rule(Struct, frozen=True):
    """`if tag = legal and tokens > 4000 then COMPLEX`. The first rule that holds counts."""

    conditions: tuple[Condition, ...]
    """All of them must hold."""
    action: str
    """A tier, a model (catalogue id or provider/model), or `local`."""
    text: str
    """As it was written."""


class Policy(Struct, frozen=True, kw_only=True):
    """A project's wishes. The defaults are those of a project that never said anything."""

    mode: str = "balanced"
    quality: float = 0.5
    """0–1: moves the threshold on `need_strong`; higher asks strong models sooner."""
    pins: Mapping[str, tuple[str, ...]] = {}
    """By tier: its models for this project, the first before its fallbacks."""
    providers: frozenset[str] | None = None
    """Those that may be called; None: all of them."""
    max_cost: Nanodollars | None = None
    """The most that one request may cost, by its upper bound."""
    privacy: frozenset[str] = frozenset()
    """Kinds of `PRIVACY` that keep a conversation on this machine."""
    patterns: tuple[str, ...] = ()
    """Own words that do the same; `#` stands for a digit, `*` for a run without spaces."""
    rules: tuple[Rule, ...] = ()
    escalation: str = "local"
    """Where a local answer that is no good may be asked again."""
    hold_first_tokens: bool = False
    """Let a stream wait for its first tokens, so that a bad answer can still be replaced."""
    when_spent: str = "refuse"
    """`local`: a budget that is spent leaves the local models; `refuse`: nothing."""
    when_left: str = "close"
    """What becomes of a cloud's stream whose client left: `drain` reads on for its exact usage."""
    requests_per_minute: int | None = None
    """That the project may ask in any 60 seconds; None: no limit."""
    tokens_per_minute: int | None = None
    """Prompts and answers together."""
    parallel: int | None = None
    """Requests that it may have under way at once; None: as many as any project."""


DEFAULT_POLICY = Policy()

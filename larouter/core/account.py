"""Who asks, and what is written down about it: projects, requests, attempts, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from larouter.core.budget import Held
from larouter.core.catalog import Model, Nanodollars
from larouter.core.chat import Usage
from larouter.core.policy import DEFAULT_POLICY, Policy
from larouter.core.route import Numbers

UNKNOWN_MODEL = ("auto", "reject", "default")
"""What a project may say of names that nobody knows; `default` is what the setting says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The owner of a bearer. Everything it asks is accounted to it."""

    id: str
    name: str
    created_ms: int = 0
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What this project's programs call a model, and the name that is meant by it: one step,
    never an alias of an alias. An alias goes before a real model of the same name."""
    unknown_model: str | None = None
    """`auto` or `reject` a name that is nobody's; None: as `LAROUTER_UNKNOWN_MODEL` says."""
    policy: Policy = field(default=DEFAULT_POLICY, hash=False)
    bias: float = 0.0
    """What this project's feedback has taught (`ChatRequest.bias`)."""
    bearer_id: str | None = field(default=None, compare=False)
    """By which of its bearers the request came; None: by none, or by the admin."""
    zone: str | None = None
    """In which time zone its days begin, by its IANA name; None: this machine's."""
    archived_ms: int | None = None
    """Since when it is put away; None: it is in use."""


class RequestRecord(Struct, frozen=True, kw_only=True):
    """One client call, as the ledger keeps it. Never its text (TRUST S11)."""

    id: str
    project: Project
    asked: str
    """`model` as the client wrote it."""
    tier: str
    stage: str
    score: float
    reason: str
    stream: bool
    rid: str | None
    started_ms: int
    numbers: Numbers = Numbers()


class Attempt(Struct, frozen=True, kw_only=True):
    """One call of one provider, opened before it is sent (TRUST B3)."""

    id: int
    request: RequestRecord
    model: Model
    degraded: str | None
    hold: Nanodollars | None
    """The most that this call can cost; None where the price is unknown."""
    price_version: int | None
    started_ms: int
    max_output: int | None = None
    """Tokens that its answer may have because a budget leaves no more; None: no such limit."""
    service: str | None = None
    """The tier of the provider's service that was asked for."""
    held: tuple[Held, ...] = ()
    """What it holds of budgets until it is settled."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How an attempt ended, in the terms of TRUST B2 and B9."""

    state: str
    """settled: exact usage. estimated: counted from what was delivered. unknown: it was sent and
    nobody knows. failed: the provider said no. released: it was never sent."""
    usage: Usage = Usage()
    provider_id: str | None = None
    """The provider's own id of the answer."""
    status: int = 200
    """What the client was told: an HTTP status; 499 for a client that left."""
    error: str | None = None
    first_ms: int | None = None
    """From sending to the first byte of the answer."""
    final: bool = True
    """False: another attempt of the same request follows, so the request stays open."""

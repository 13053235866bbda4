"""What routing may ask about the world, and one request as routing sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct

from larouter.core.budget import Bound, bound_of
from larouter.core.catalog import Catalog, Model, Price, Tier
from larouter.core.chat import ChatRequest
from larouter.core.conversations import Conversations, Seen
from larouter.core.pace import Forecast
from larouter.core.policy import Policy
from larouter.core.route import Numbers, Verdict
from larouter.routing.line import Lines

TYPICAL_OUTPUT = (30, 150, 500, 1_000, 2_000)
"""Tokens of a typical answer by the tier's rank: a greeting, a line or two, a page, an analysis,
code. A guess, to compare costs and waiting by; a model's whole `max_output` is hardly ever used."""
_TYPICAL = 500
"""Of a model outside the tiers."""
_BYTES_PER_TOKEN = 4
"""Of JSON in most languages; the engine counts exactly."""
_BYTES_PER_MEDIA_TOKEN = 16
"""A picture counts as 16 KiB of a request's size, and as about 1,000 tokens of a prompt."""
_MEDIA = frozenset({"images", "audio", "files"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The world around a decision: one for each server, asked anew at each request. What is not
    given is the world of a server that has just started and knows nothing."""

    catalog: Callable[[], Catalog]
    """The one in force now: prices change at midnight."""
    providers: Mapping[str, Price]
    """What a model costs that the catalogue does not know, by its provider."""
    missing: Callable[[Model], str | None]
    """Why a model cannot answer now, as a code of `gates.WHY`; None: it can."""
    classify: Callable[[ChatRequest], Verdict]
    unknown_model: str = "reject"
    """What becomes of a name that is nobody's where the project does not say: auto or reject."""
    caller: Callable[[ChatRequest], str | None] = lambda request: None
    """The key of the model that asked for the tools whose results end the conversation."""
    rests: Callable[[str], float] = lambda key: 0.0
    """For how many seconds a model of a cloud is left alone after failures (TRUST A3)."""
    forecast: Callable[[Model, int, int], Forecast | None] = lambda model, prompt, output: None
    """What an answer to a prompt of so many tokens, of so many tokens, takes now; None: nobody
    has measured it."""
    count: Callable[[Model, ChatRequest], int | None] = lambda model, request: None
    """The prompt's tokens by the tokenizer of a local model that is loaded; None: it is not."""
    private: Callable[[ChatRequest], str | None] = lambda request: None
    """The first kind of text that the project keeps on this machine. Asked only where it does."""
    memory: Conversations | None = None
    """Who answered a conversation before; None: nobody remembers."""
    bound: Callable[[Model, ChatRequest], Bound] = bound_of
    """The most that a call can take. Asked only where a request may not cost more than so much."""
    lines: Lines = field(default_factory=Lines)
    """The declared order of the catalogue in force."""


class Limit(NamedTuple):
    """A row of `policies.POLICIES`: when it counts, and which models it refuses then."""

    name: str
    applies: Callable[[Case], bool]
    """Asked once for each request."""
    refuses: Callable[[Model, Case], str | None]
    """Why this model may not answer, in words that go on after its name; None: it may."""
    why: str
    """The code for `x-larouter-degraded`."""
    stage: str
    """The stage of a decision that it changed."""
    remedy: str
    """What to do about a refusal."""


class Case(Struct, frozen=True, kw_only=True):
    """One request, with everything about it that is found out once."""

    request: ChatRequest
    situation: Situation
    catalog: Catalog
    policy: Policy
    prompt_tokens: int
    """Estimated."""
    seen: Seen | None = None
    """The turn of the conversation before this one."""
    private: str | None = None
    """The kind of text in it that may not leave this machine."""
    limits: tuple[Limit, ...] = ()
    """The rows of the policy that count for this request."""
    known: dict[str, str | None] = {}
    """What `missing` has said, by the model's key."""

    def missing(self, model: Model) -> str | None:
        """Why the model cannot answer now. Asked once: it may take a look at the disk."""
        known, key = self.known, model.key
        if key not in known:
            known[key] = self.situation.missing(model)
        return known[key]

    def output_tokens(self, tier: Tier | None) -> int:
        """Of the answer that is expected. A limit set by the client is no expectation: programs
        send the largest one that there is."""
        if tier is None:
            typical = _TYPICAL
        else:
            typical = TYPICAL_OUTPUT[min(tier.rank, len(TYPICAL_OUTPUT) - 1)]
        most = self.request.max_output
        return typical if most is None else min(most, typical)

    def numbers(self, tier: Tier | None, verdict: Verdict | None) -> Numbers:
        """What is kept so that it can be decided again."""
        request = self.request
        return Numbers(
            tier=verdict.tier if verdict else "",
            probabilities=verdict.probabilities if verdict else (),
            need_strong=verdict.need_strong if verdict else 0.0,
            lean=verdict.lean if verdict else 0.0,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens(tier) * request.n,
            max_output=request.max_output,
            needs=tuple(sorted(request.needs)) if request.needs else (),
            tags=tuple(sorted(verdict.tags)) if verdict and verdict.tags else (),
            language=verdict.language if verdict else None,
            turns=len(request.messages),
            private=self.private is not None,
        )


def estimated_tokens(request: ChatRequest) -> int:
    """Of the whole prompt, tools and media included."""
    size = request.size
    if request.needs.isdisjoint(_MEDIA):
        return size // _BYTES_PER_TOKEN
    text = min(size, sum(len(message.text) for message in request.messages))
    return text // _BYTES_PER_TOKEN + (size - text) // _BYTES_PER_MEDIA_TOKEN

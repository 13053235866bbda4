"""What may be spent: budgets, and the most that one call can take of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import Struct

from larouter.core.catalog import Model, Nanodollars
from larouter.core.chat import ChatRequest
from larouter.core.price import Price, service_name

METRICS = ("cost", "tokens", "requests")
PERIODS = ("daily", "weekly", "monthly", "total")
SCOPES = ("all", "tier", "provider", "model")
ALERTS = (50, 80, 100)
"""Per cent of a budget at which its owner is told, unless others were chosen."""
LEAST_OUTPUT = 256
"""Tokens: an answer is not cut shorter by a budget (TRUST B5)."""
TOOLS = 1_024
"""Tokens allowed for what a provider itself adds to a prompt that has tools."""
MOST_OUTPUT = 32_768
"""Tokens that an answer may have under a hard budget when neither client nor model says."""
MOST_PROMPT = 1_048_576
"""Tokens that a prompt may have where nobody says how much media take, nor how much the model."""


class Budget(Struct, frozen=True, kw_only=True):
    """One limit of a project, or of this machine as a whole."""

    id: int
    project_id: str | None
    """None: everything that this LARouter sends."""
    name: str
    metric: str = "cost"
    """cost, tokens (prompt and answer together) or requests."""
    cap: int
    """Nano-dollars, tokens or requests in each period."""
    period: str = "monthly"
    zone: str = "UTC"
    """The IANA time zone in which the period begins: its project's, else this machine's."""
    scope: str = "all"
    of: str = ""
    """Which tier, provider or `provider/model` it is for; `""` for all."""
    hard: bool = True
    """False: its owner is told, and nothing is refused."""
    alerts: tuple[int, ...] = ALERTS

    def covers(self, tier: str, model: Model) -> bool:
        """Does a call of this model, for a request of this tier, count?"""
        if self.scope == "all":
            return True
        named = {"tier": tier, "provider": model.provider, "model": model.key}[self.scope]
        return named == self.of


class Held(NamedTuple):
    """What one call holds of one budget's window until it is settled."""

    budget: Budget
    start_ms: int
    amount: int
    firm: bool = True
    """False: the call was let pass before this budget could refuse it, so it may take more."""


class Beyond(NamedTuple):
    """What a call may take that is not in the request's own text."""

    restored: int = 0
    """Bytes that are put back into it (`core/turns.py`)."""
    tool: str | None = None
    """A tool that the provider itself runs and bills, as often as it likes."""
    translated: bool = False
    """The provider speaks another format, and is not told of a tier of service."""


NOTHING_BEYOND = Beyond()


class Bound(NamedTuple):
    """The most that a call can take, by how long its answer may get (TRUST B5)."""

    price: Price
    prompt: int
    """Bytes of the request: a token is never shorter."""
    n: int
    output: int | None
    """Tokens of one answer at most, by the model and by the client; None: nobody set a limit."""
    service: str | None = None
    """The tier of the provider's service that was asked for: it may cost more, or less."""
    tool: str | None = None
    """What makes that nobody knows the most (`Beyond.tool`)."""

    def cost(self, output: int) -> Nanodollars | None:
        """None: the price is unknown."""
        return (
            0
            if self.price.is_free
            else self.price.bound(self.prompt, self.n * output, service=self.service)
        )

    def tokens(self, output: int) -> int:
        return self.prompt + self.n * output

    def fits(self, output: int, cost: Nanodollars | None, tokens: int | None) -> bool:
        """Does an answer of this length stay within these rests? None: there is no limit."""
        if tokens is not None and self.tokens(output) > tokens:
            return False
        if cost is None:
            return True
        most = self.cost(output)
        return most is not None and most <= cost

    def longest(self, cost: Nanodollars | None, tokens: int | None) -> int | None:
        """The longest answer that stays within these rests; None: not even the shortest that is
        worth asking for."""
        most = MOST_OUTPUT if self.output is None else self.output
        if self.fits(most, cost, tokens):
            return most
        least = min(LEAST_OUTPUT, most)
        if not self.fits(least, cost, tokens):
            return None
        while most - least > 1:
            middle = (least + most) // 2
            if self.fits(middle, cost, tokens):
                least = middle
            else:
                most = middle
        return least


def bound_of(
    model: Model, request: ChatRequest, media: int | None = 0, beyond: Beyond = NOTHING_BEYOND
) -> Bound:
    """`media`: tokens that pictures, sound and files add; None: nobody can say."""
    asked = request.max_output
    if asked == 0 and request.dialect == "completions":
        asked = 1  # what other formats are asked for instead: they have no word for none
    limits = [limit for limit in (model.max_output, asked) if limit is not None]
    return Bound(
        price=model.price,
        prompt=_prompt(model, request, media, beyond),
        n=request.n,
        output=min(limits, default=None),
        service=None if beyond.translated else _service(request.body),
        tool=beyond.tool,
    )


def _service(body: Mapping[str, Any]) -> str | None:
    """The tier of service that is asked for. Anthropic's fast one is a `speed`."""
    if body.get("speed") == "fast":
        return "fast"
    return service_name(body.get("service_tier") or body.get("serviceTier"))


def _prompt(model: Model, request: ChatRequest, media: int | None, beyond: Beyond) -> int:
    """Media never make a prompt longer than the model can take: it would be refused."""
    text = request.size + beyond.restored + (TOOLS if "tools" in request.needs else 0)
    if media is None:
        return max(text, model.context or MOST_PROMPT)
    return max(text, min(text + media, model.context or text + media))

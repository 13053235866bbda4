"""What models there are, what they can do and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_CEILING, Decimal

from larouter.core.chat import Usage

Nanodollars = int
"""One billionth of a US dollar. Money is always this integer, never a float (TRUST B1)."""

_NUSD_PER_TOKEN = 1_000
"""One dollar per million tokens is 1,000 nano-dollars per token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars per million tokens, as the provider prints them; `None` means unknown."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    source: str = "unknown"
    date: str | None = None
    note: str = ""
    """What the figures leave out, e.g. a dearer rate for long prompts."""

    @property
    def is_known(self) -> bool:
        return self.input is not None and self.output is not None

    @property
    def is_free(self) -> bool:
        return self.input == 0 == self.output and not self.cache_read and not self.cache_write

    def cost(self, usage: Usage) -> Nanodollars | None:
        """Return what `usage` costs, rounded up once (TRUST B1), or None for an unknown price."""
        if self.input is None or self.output is None:
            return None
        if self.is_free:
            return 0
        read = self.input if self.cache_read is None else self.cache_read
        write = self.input if self.cache_write is None else self.cache_write
        dollars_per_million = (
            self.input * (usage.input + usage.audio + usage.image)
            + read * usage.cache_read
            + write * (usage.cache_write_5m + usage.cache_write_1h)
            + self.output * usage.output
        )
        return int((dollars_per_million * _NUSD_PER_TOKEN).to_integral_value(ROUND_CEILING))

    def bound(self, input_tokens: int, output_tokens: int) -> Nanodollars | None:
        """The most that a call of this size can cost, whatever is cached (TRUST B5)."""
        if self.input is None:
            return None
        dearest = max(self.input, self.cache_read or 0, self.cache_write or 0)
        return replace(self, input=Decimal(dearest)).cost(
            Usage(input=input_tokens, output=output_tokens)
        )


FREE = Price(input=Decimal(0), output=Decimal(0), source="runs on this machine")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """Weights on disk. `sha256` None: not pinned, taken from the hub's metadata at download."""

    name: str
    bytes: int | None = None
    sha256: str | None = None
    repo: str | None = None
    revision: str | None = None
    package: str | None = None
    """A Python package that carries the file (the starter model), or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of one provider. `name` is what the provider calls it, `id` what users write."""

    id: str
    name: str
    provider: str
    title: str = ""
    context: int | None = None
    """Tokens, prompt and answer together; None when unknown."""
    max_output: int | None = None
    price: Price = Price()
    abilities: frozenset[str] = frozenset()
    """Of: tools, json_schema, images, audio, files, thinking, logprobs."""
    source: str = "unknown"
    """Where context, output and abilities were read; `checked` is the day they were."""
    checked: date | None = None
    retires: date | None = None
    """The day from which the provider no longer serves it; None when none is announced."""
    file: ModelFile | None = None
    """For a local model only."""

    @property
    def key(self) -> str:
        """The full name that answers carry: `provider/model`."""
        return f"{self.provider}/{self.name}"

    @property
    def is_local(self) -> bool:
        return self.provider == "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A rank of models. `rank` 0 is the cheapest; `models` in order of preference."""

    name: str
    rank: int
    title: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Models by id and tiers, cheapest first. Built at start and on change; never edited."""

    date: str
    models: Mapping[str, Model] = field(default_factory=dict)
    tiers: tuple[Tier, ...] = ()
    starter: str | None = None
    """The id of the model that answers when nothing else is there."""

    def tier(self, name: str) -> Tier | None:
        wanted = name.upper()
        return next((tier for tier in self.tiers if tier.name == wanted), None)

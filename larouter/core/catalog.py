"""What models there are, what they can do and what they cost."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from larouter.core.money import Nanodollars
from larouter.core.price import FREE, UNKNOWN, OffPeak, Price, Step
from larouter.core.shape import Shape

__all__ = [
    "FREE", "UNKNOWN", "Catalog", "Model", "ModelFile", "Nanodollars", "OffPeak", "Price", "Shape",
    "Step", "Tier",
]  # fmt: skip


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
    path: str | None = None
    """Where the user keeps it, outside the folder of downloads. Never out of a catalogue."""


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
    price: Price = UNKNOWN
    """The one in force on the day that the catalogue was last asked about."""
    prices: tuple[Price, ...] = ()
    """All of them, dated: what was, is and will be. Empty: `price` holds on every day."""
    abilities: frozenset[str] = frozenset()
    """Of: tools, json_schema, images, audio, files, thinking, logprobs, embeddings."""
    refuses: frozenset[str] = frozenset()
    """Fields that its provider answers with an error; the words are in `catalog_toml.REFUSALS`."""
    source: str = "unknown"
    """Where context, output, abilities and refusals were read; `checked` is the day they were."""
    checked: datetime.date | None = None
    retires: datetime.date | None = None
    """The day from which the provider no longer serves it; None when none is announced."""
    successor: str | None = None
    """What the provider names in its place: a model's `id`."""
    file: ModelFile | None = None
    """The weights. This and what follows is for a local model only."""
    projector: ModelFile | None = None
    """What turns pictures into tokens: a second file beside the weights."""
    mlx: str | None = None
    """The repository with the same model for Apple's MLX."""
    license: str | None = None
    shape: Shape | None = None
    key: str = field(init=False, repr=False, compare=False, default="")
    """The full name that answers carry: `provider/model`."""
    is_local: bool = field(init=False, repr=False, compare=False, default=False)

    def __post_init__(self) -> None:
        # Worked out once: each decision asks every model.
        object.__setattr__(self, "key", f"{self.provider}/{self.name}")
        object.__setattr__(self, "is_local", self.provider == "local")

    def price_at(self, day: datetime.date) -> Price:
        """The price of a day (UTC): of those that hold, the one that began last."""
        if not self.prices:
            return self.price
        held = [price for price in self.prices if price.holds(day)]
        return max(held, key=lambda price: price.starts or datetime.date.min, default=UNKNOWN)

    def on(self, day: datetime.date) -> Model:
        """The model with the price of that day: itself, when it is the same."""
        price = self.price_at(day)
        return self if price == self.price else replace(self, price=price)


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

    def on(self, day: datetime.date) -> Catalog:
        """The catalogue with the prices of that day: itself, when they are the same."""
        models = {name: model.on(day) for name, model in self.models.items()}
        same = all(model is self.models[name] for name, model in models.items())
        return self if same else replace(self, models=models)

    def tier(self, name: str) -> Tier | None:
        wanted = name.upper()
        for tier in self.tiers:
            if tier.name == wanted:
                return tier
        return None

"""Reads a catalogue, such as the shipped `data/catalog.toml`: models, prices and tiers, all dated.

A fact without a source and a date is refused: what nobody has read stays empty (docs/catalog.md).
So is everything else that is not as it should be, as the file may come from anywhere.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from larouter.core.catalog import FREE, Catalog, Model, ModelFile, Tier
from larouter.core.price_toml import read_electricity, read_prices, read_source
from larouter.core.shape_toml import read_shape
from larouter.core.toml_row import Row

ABILITIES = frozenset(
    {"tools", "json_schema", "images", "audio", "files", "thinking", "logprobs", "embeddings"}
)
REFUSALS: Mapping[str, str] = {
    "temperature": "any `temperature` but the default",
    "top_p": "any `top_p` but the default",
    "top_k": "any `top_k` but the default",
    "penalties": "`frequency_penalty` and `presence_penalty`",
    "logprobs": "`logprobs` and `top_logprobs`",
    "several": "more than one answer: `n`",
    "forced_tools": "a `tool_choice` that forces a call",
    "tools_in_chat": "tools through chat completions; they go through `/v1/responses`",
    "thinking_budget": "a budget of thinking tokens; effort or a level is set instead",
    "thinking_off": "thinking switched off, effort `none`",
    "prefill": "a last message of the assistant that it would continue",
}
"""What a provider may answer with an error, for a call that sets nothing else."""

_LOCAL = ("file", "projector", "mlx", "license", "shape")
_FACTS = ("context", "max_output", "abilities", "refuses", "retires", "successor", *_LOCAL)
_MODEL = frozenset(
    {*_FACTS, "id", "name", "provider", "title", "source", "checked", "price", "electricity"}
)
_FILE = frozenset({"name", "bytes", "sha256", "repo", "revision", "package"})
_TIER = frozenset({"name", "title", "models"})
_TOP = frozenset({"date", "starter", "tier", "model"})
_PATTERNS = {
    "name": re.compile(r"[\w][\w.\-]{0,199}", re.ASCII),
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "repo": re.compile(r"[\w][\w.\-]*/[\w][\w.\-]*", re.ASCII),
    "revision": re.compile(r"[0-9a-f]{40}"),
    "package": re.compile(r"[a-z]\w*", re.ASCII),
}


def read_catalog(text: str, today: date | None = None) -> Catalog:
    """Return the catalogue that `text` describes, with the prices in force on `today`.

    Raises `ValueError` that says what is wrong, also for a row without its source and date.
    """
    return _read_catalog(text, datetime.now(UTC).date() if today is None else today)


@lru_cache(maxsize=4)
def _read_catalog(text: str, day: date) -> Catalog:
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise ValueError("the catalogue is nested too deep") from None
    top = Row(data, "the catalogue", _TOP)
    models = _unique([_model(data, day) for data in top.tables("model")])
    tiers = tuple(_tier(data, rank) for rank, data in enumerate(top.tables("tier")))
    starter = top.maybe_text("starter")
    for tier in tiers:
        _listed(f"tier {tier.name}", tier.models, models)
    for model in models.values():
        _listed(f"the successor of {model.id}", filter(None, [model.successor]), models)
    _listed("starter", filter(None, [starter]), models)
    if len({tier.name for tier in tiers}) < len(tiers):
        raise ValueError("two tiers have the same name")
    return Catalog(date=str(top.day("date")), models=models, tiers=tiers, starter=starter)


def _unique(rows: list[Model]) -> dict[str, Model]:
    models = {model.id: model for model in rows}
    if len(models) < len(rows):
        raise ValueError("two models have the same id")
    if len({model.key for model in rows}) < len(rows):
        raise ValueError("two models have the same provider and name")
    if not models:
        raise ValueError("the catalogue has no models")
    return models


def _listed(what: str, names: Iterable[str], models: Mapping[str, Model]) -> None:
    unknown = [name for name in names if name not in models]
    if unknown:
        raise ValueError(f"{what} names a model that is not listed: {unknown[0]}")


def _tier(data: Any, rank: int) -> Tier:
    row = Row(data, "a tier", _TIER)
    name = row.text("name")
    if not row.words("models"):
        raise ValueError(f"tier {name} names no model")
    return Tier(name=name.upper(), rank=rank, title=row.text("title"), models=row.words("models"))


def _model(data: Any, today: date) -> Model:
    row = Row(data, _what(data), _MODEL)
    local = row.text("provider") == "local"
    if local and "price" in row:
        raise ValueError(f"{row.what} runs on this machine and has no price")
    for name in _LOCAL:
        if not local and name in row:
            raise ValueError(f"{row.what} has a {name} and does not run on this machine")
    if not local and "electricity" in row:
        raise ValueError(f"{row.what} does not take this machine's electricity")
    prices = read_prices(row)
    if local:
        prices = (read_electricity(row) if "electricity" in row else FREE,)
    model = Model(
        id=row.text("id"),
        name=row.text("name", row.text("id")),
        provider=row.text("provider"),
        title=row.text("title", row.text("id")),
        context=row.number("context"),
        max_output=row.number("max_output"),
        prices=prices,
        abilities=_known(row, "abilities", ABILITIES, "ability"),
        refuses=_known(row, "refuses", REFUSALS, "refusal"),
        source=read_source(row, _FACTS),
        checked=row.day("checked"),
        retires=row.maybe_day("retires"),
        successor=row.maybe_text("successor"),
        file=_file(row.any("file"), row.what) if "file" in row else None,
        projector=_file(row.any("projector"), row.what) if "projector" in row else None,
        mlx=_repo(row),
        license=row.maybe_text("license"),
        shape=read_shape(row.any("shape"), row.what) if "shape" in row else None,
    )
    return model.on(today)


def _what(data: Any) -> str:
    name = data.get("id") if isinstance(data, Mapping) else None
    return f"model {name}" if isinstance(name, str) else "a model"


def _known(row: Row, name: str, words: Iterable[str], what: str) -> frozenset[str]:
    given = frozenset(row.words(name))
    strange = sorted(given.difference(words))
    if strange:
        raise ValueError(f"{row.what} has an unknown {what}: {strange[0]}")
    return given


def _repo(row: Row) -> str | None:
    repo = row.maybe_text("mlx")
    if repo is not None and _PATTERNS["repo"].fullmatch(repo) is None:
        raise ValueError(f"{row.what} has an odd mlx")
    return repo


def _file(data: Any, what: str) -> ModelFile:
    """A file is a base name, and everything else of it is of the form that hubs use (TRUST S9)."""
    row = Row(data, f"the file of {what}", _FILE)
    texts = {name: row.maybe_text(name) for name in _PATTERNS}
    for name, pattern in _PATTERNS.items():
        value = texts[name]
        if value is not None and pattern.fullmatch(value) is None:
            raise ValueError(f"{row.what} has an odd {name}")
    return ModelFile(
        name=row.text("name"),
        bytes=row.number("bytes"),
        sha256=texts["sha256"],
        repo=texts["repo"],
        revision=texts["revision"],
        package=texts["package"],
    )

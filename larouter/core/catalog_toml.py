"""Reads `data/catalog.toml`, the shipped and dated models, prices and tiers, into a `Catalog`.

A fact without a source and a date is refused: what nobody has read stays empty (docs/catalog.md).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from larouter.core.catalog import FREE, Catalog, Model, ModelFile, Price, Tier

ABILITIES = frozenset({"tools", "json_schema", "images", "audio", "files", "thinking", "logprobs"})
_FACTS = ("context", "max_output", "abilities", "file", "retires")
_FIGURES = ("input", "output", "cache_read", "cache_write")


def read_catalog(text: str, today: date | None = None) -> Catalog:
    """Return the catalogue that `text` describes, with the prices in force on `today`.

    Raises `KeyError` or `ValueError` for a fault, also for a row without its source and date.
    """
    data = tomllib.loads(text)
    day = datetime.now(UTC).date() if today is None else today
    models = {row["id"]: _model(row, day) for row in data["model"]}
    if len(models) < len(data["model"]):
        raise ValueError("two models have the same id")
    tiers = tuple(
        Tier(name=row["name"], rank=rank, title=row["title"], models=tuple(row["models"]))
        for rank, row in enumerate(data["tier"])
    )
    for tier in tiers:
        unknown = [name for name in tier.models if name not in models]
        if unknown:
            raise ValueError(f"tier {tier.name} names a model that is not listed: {unknown[0]}")
    return Catalog(date=str(data["date"]), models=models, tiers=tiers, starter=data.get("starter"))


def _model(row: Mapping[str, Any], today: date) -> Model:
    what = f"model {row['id']}"
    local = row["provider"] == "local"
    if local and "price" in row:
        raise ValueError(f"{what} runs on this machine and has no price")
    strange = sorted(set(row.get("abilities", ())) - ABILITIES)
    if strange:
        raise ValueError(f"{what} has an unknown ability: {strange[0]}")
    return Model(
        id=row["id"],
        name=row.get("name", row["id"]),
        provider=row["provider"],
        title=row.get("title", row["id"]),
        context=row.get("context"),
        max_output=row.get("max_output"),
        price=FREE if local else _price(row.get("price", []), what, today),
        abilities=frozenset(row.get("abilities", ())),
        source=_source(row, _FACTS, what),
        checked=_day(row, "checked", what),
        retires=_day(row, "retires", what) if "retires" in row else None,
        file=ModelFile(**row["file"]) if "file" in row else None,
    )


def _price(given: Any, what: str, today: date) -> Price:
    """Return the newest price whose `from` has come; several are changes announced ahead."""
    rows = [given] if isinstance(given, Mapping) else given
    prices = [(row.get("from", date.min), _one_price(row, what)) for row in rows]
    in_force = [(start, price) for start, price in prices if start <= today]
    return max(in_force, key=lambda pair: pair[0])[1] if in_force else Price()


def _one_price(row: Mapping[str, Any], what: str) -> Price:
    strange = sorted(set(row) - {*_FIGURES, "source", "date", "from", "note"})
    if strange:
        raise ValueError(f"the price of {what} has an unknown key: {strange[0]}")
    figures = {name: row[name] for name in _FIGURES if name in row}
    if not all(isinstance(figure, str) for figure in figures.values()):
        raise ValueError(f"the price of {what} has a figure that is not a string in quotes")
    return Price(
        **{name: Decimal(figure) for name, figure in figures.items()},
        source=_source(row, _FIGURES, f"the price of {what}"),
        date=_day(row, "date", f"the price of {what}").isoformat(),
        note=row.get("note", ""),
    )


def _source(row: Mapping[str, Any], facts: tuple[str, ...], what: str) -> str:
    source = row.get("source")
    if not isinstance(source, str) or not source.strip():
        raise ValueError(f"{what} has no source")
    stated = [name for name in facts if name in row]
    if source == "unknown" and stated:
        raise ValueError(f"{what} states {stated[0]}, and its source is unknown")
    return source


def _day(row: Mapping[str, Any], name: str, what: str) -> date:
    day = row.get(name)
    if not isinstance(day, date) or isinstance(day, datetime):
        raise ValueError(f"{what} has no date in {name}")
    return day

"""What would be different with another catalogue, for the person who is to agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from larouter.core.catalog import Catalog, Model, ModelFile, Tier
from larouter.core.price_table import price_facts
from larouter.core.shape import Shape


class Change(NamedTuple):
    """One line: `new`, `removed` or `changed`. An empty side is not there."""

    kind: str
    what: str
    """`model gpt-x`, `tier CODE`, `the catalogue`."""
    fact: str = ""
    before: str = ""
    after: str = ""


def changes(old: Catalog, new: Catalog) -> list[Change]:
    """Every difference that could change an answer, a bill or a page; sources too."""
    found = list(_facts("the catalogue", _whole(old), _whole(new)))
    found += _rows("model", _models(old), _models(new))
    found += _rows("tier", _tiers(old), _tiers(new))
    return found


def _rows(
    kind: str, old: Mapping[str, dict[str, str]], new: Mapping[str, dict[str, str]]
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        what = f"{kind} {name}"
        if name not in new:
            yield Change("removed", what)
        elif name not in old:
            yield Change("new", what)
            yield from _facts(what, {}, new[name])
        else:
            yield from _facts(what, old[name], new[name])


def _facts(what: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for fact in dict.fromkeys((*old, *new)):
        before, after = old.get(fact, ""), new.get(fact, "")
        if before != after:
            yield Change("changed", what, fact, before, after)


def _whole(catalog: Catalog) -> dict[str, str]:
    return {"date": catalog.date, "starter": catalog.starter or ""}


def _models(catalog: Catalog) -> dict[str, dict[str, str]]:
    return {model.id: _model(model) for model in catalog.models.values()}


def _tiers(catalog: Catalog) -> dict[str, dict[str, str]]:
    return {tier.name: _tier(tier) for tier in catalog.tiers}


def _tier(tier: Tier) -> dict[str, str]:
    return {"rank": str(tier.rank), "title": tier.title, "models": ", ".join(tier.models)}


def _model(model: Model) -> dict[str, str]:
    facts = {
        "provider": model.provider,
        "name": model.name,
        "title": model.title,
        "context": _text(model.context),
        "max_output": _text(model.max_output),
        "abilities": ", ".join(sorted(model.abilities)),
        "refuses": ", ".join(sorted(model.refuses)),
        "retires": _text(model.retires),
        "successor": model.successor or "",
        "source": model.source,
        "checked": _text(model.checked),
        "license": model.license or "",
        "mlx": model.mlx or "",
        **_file("file", model.file),
        **_file("projector", model.projector),
        **_shape(model.shape),
    }
    for price in model.prices or (model.price,):
        since = f"price from {price.starts}" if price.starts else "price"
        facts |= {f"{since}: {name}": text for name, text in price_facts(price).items()}
    return facts


def _file(what: str, file: ModelFile | None) -> dict[str, str]:
    if file is None:
        return {}
    names = ("name", "bytes", "sha256", "repo", "revision", "package")
    return {f"{what} {name}": _text(getattr(file, name)) for name in names}


def _shape(shape: Shape | None) -> dict[str, str]:
    if shape is None:
        return {}
    return {f"shape {field.name}": _text(getattr(shape, field.name)) for field in fields(shape)}


def _text(value: Any) -> str:
    return "" if value is None else str(value)

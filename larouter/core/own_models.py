"""The catalogue together with the models that the user brought along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from larouter.core.catalog import Catalog, Model
from larouter.core.shape import Shape

_NAME = re.compile(r"[a-z0-9][a-z0-9._\-]{0,99}")
_AUTO = "auto"


def with_own(catalog: Catalog, own: Iterable[Model]) -> Catalog:
    """The user's models beside those of the catalogue; itself, when there are none.

    One under an id of the catalogue says where the catalogue's own file is kept, and nothing else:
    another file under that id would be a stranger under a known name.
    """
    models = dict(catalog.models)
    for model in own:
        known = models.get(model.id)
        if known is None:
            models[model.id] = model
        elif _is_same_file(known, model) and known.file and model.file:
            models[model.id] = replace(known, file=replace(known.file, path=model.file.path))
    return catalog if models == catalog.models else replace(catalog, models=models)


def same_file(catalog: Catalog, size: int, sha256: str | None) -> Model | None:
    """The model of the catalogue whose file is of this size and digest; without a digest, of this
    size."""
    for model in catalog.models.values():
        file = model.file
        if file is None or file.sha256 is None or file.bytes != size or not model.is_local:
            continue
        if sha256 in {None, file.sha256}:
            return model
    return None


def shape_of(facts: Mapping[str, Any]) -> Shape | None:
    """How a model is built, by what the head of its file says; None: that is not enough, or its
    layers differ in a way for which there are no words here."""
    layers, width = facts.get("layers"), facts.get("key_length")
    heads, kept = facts.get("heads", ()), facts.get("kv_heads") or facts.get("heads", ())
    if width is None and len(heads) == 1 and heads[0]:
        width = facts.get("embedding", 0) // heads[0]
    if not layers or not width or len(kept) != 1 or "window" in facts:
        return None
    if facts.get("value_length", width) != width:
        return None
    return Shape(
        layers=layers,
        heads=kept[0],
        head_dim=width,
        shared_layers=facts.get("shared_kv_layers", 0),
        parameters=facts.get("parameters"),
        source="the file's own header",
    )


def name_of(text: str) -> str:
    """A name that a model can be called by, out of a file's or a person's: `My Model` → `my-model`.
    Empty: nothing is left of it."""
    words = re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")
    return words[:100].rstrip("-._")


def is_free(name: str, catalog: Catalog) -> bool:
    """May a model of the user's be called that?"""
    return (
        _NAME.fullmatch(name) is not None
        and name != _AUTO
        and name not in catalog.models
        and catalog.tier(name) is None
    )


def _is_same_file(known: Model, own: Model) -> bool:
    return (
        known.is_local
        and known.file is not None
        and own.file is not None
        and known.file.sha256 is not None
        and known.file.sha256 == own.file.sha256
    )

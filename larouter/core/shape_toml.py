"""Reads how a model is built: the table `shape` of a local model in the catalogue."""

from __future__ import annotations

from typing import Any

from larouter.core.price_toml import read_source
from larouter.core.shape import Shape
from larouter.core.toml_row import Row

_NEEDED = ("layers", "heads", "head_dim")
_OPTIONAL = (
    "window", "full_heads", "full_head_dim", "vocabulary", "parameters", "active_parameters",
)  # fmt: skip
_COUNTS = (*_NEEDED, *_OPTIONAL, "full_every", "shared_layers")
_KEYS = frozenset({*_COUNTS, "source", "checked"})


def read_shape(data: Any, what: str) -> Shape:
    """Raises `ValueError` for a shape that no model can have, or one without its source."""
    row = Row(data, f"the shape of {what}", _KEYS)
    missing = [name for name in _NEEDED if name not in row]
    if missing:
        raise ValueError(f"{row.what} has no {missing[0]}")
    optional: dict[str, Any] = {name: row.number(name) for name in _OPTIONAL}
    shape = Shape(
        layers=row.number("layers") or 0,
        heads=row.number("heads") or 0,
        head_dim=row.number("head_dim") or 0,
        full_every=row.number("full_every") or 1,
        shared_layers=row.number("shared_layers") or 0,
        source=read_source(row, _COUNTS),
        checked=row.day("checked"),
        **optional,
    )
    if (shape.window is None) != (shape.full_every == 1):
        raise ValueError(f"{row.what} has a window without full_every, or the other way round")
    if shape.shared_layers >= shape.layers:
        raise ValueError(f"{row.what} shares more layers than it has")
    return shape

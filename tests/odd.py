"""Odd JSON made of valid JSON: for requests (`odd_requests.py`) and answers (`odd_answers.py`).

What a careless program, a hostile one or a half-compatible server sends: each part of a valid body
is left out, given twice, or replaced by something of another kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

LEFT_OUT = object()
TWICE = object()


def some(value: Any, each: int, odd: tuple[Any, ...]) -> Iterator[tuple[Path, Any, Any]]:
    """Where, what (one of `odd`, or left out, or given twice), and the whole value with it. For
    each place only so many, other ones than for its neighbour."""
    every = (*odd, LEFT_OUT, TWICE)
    for place, path in enumerate(paths(value)):
        for step in range(each):
            one = every[(place * each + step) % len(every)]
            changed = _put(value, path, one)
            if changed is not None:
                yield path, one, changed


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Of everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in inside:
        yield (*above, name)
        if isinstance(inner, dict | list):
            yield from paths(inner, (*above, name))


def _put(value: Any, path: Path, one: Any) -> Any:
    """A copy with `one` at `path`; None where that makes no sense."""
    name, *rest = path
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        inner = _put(value[name], tuple(rest), one)
        if inner is None:
            return None
        copy[name] = inner
    elif one is LEFT_OUT:
        del copy[name]
    elif one is TWICE:
        if isinstance(copy, dict):
            return None
        copy.insert(int(name), copy[int(name)])
    else:
        copy[name] = one
    return copy

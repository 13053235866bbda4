"""How large a model is laid out: as much context as its memory allows, and what that takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

MB = 1_000_000
CONTEXT = 32_768
"""Tokens, all requests of an engine together. More costs memory and time at every start."""
SLOTS = 8
LEAST_CONTEXT = 2_048
SHARED_CONTEXT = 8_192
"""Rather than less beside others, a model waits until one of them goes."""
_BATCH = 128
_SLOT_TOKENS = 1_024
"""A slot of less is of no use."""
_PROCESS = 150 * MB
"""73 MB were measured beside weights, context and scores of the starter model."""
_SCORE = 4
"""Bytes, for each word of the vocabulary and each token of a batch."""
_CACHES_MIB = (512, 128, 0)
_MIB = 1024 * 1024
_MARGIN = 512 * MB


class Sizes(Struct, frozen=True):
    """What of a model takes memory, in bytes."""

    weights: int
    token: int = 0
    """Kept of each token by the layers that look back on everything."""
    window_token: int = 0
    """Kept of each token in their window by the others."""
    window: int = 0
    """Tokens."""
    vocabulary: int = 0
    """Words."""
    trained: int | None = None
    """The context that the model was trained for."""


class Plan(NamedTuple):
    """How an engine is started."""

    context: int
    """Tokens, all slots together."""
    slots: int
    cache_mib: int
    """For beginnings of conversations that no slot holds any more."""
    bytes: int
    """What all of it takes at most."""

    @property
    def limit(self) -> int:
        """A process that holds more than this is broken (TRUST A10)."""
        return self.bytes + self.bytes // 4 + _MARGIN


def plan(sizes: Sizes, room: int, least: int = LEAST_CONTEXT) -> Plan | None:
    """The largest layout that fits into `room`; None: not even the smallest does."""
    return next((found for found in _layouts(sizes, least) if found.bytes <= room), None)


def smallest(sizes: Sizes) -> Plan:
    """What a model takes at least."""
    *_, last = _layouts(sizes, LEAST_CONTEXT)
    return last


def _layouts(sizes: Sizes, least: int) -> Iterator[Plan]:
    """From the largest to the smallest: what speeds up goes before what is needed to answer."""
    context = min(2 * (sizes.trained or CONTEXT), CONTEXT)
    least = min(least, context)
    full, small, none = _CACHES_MIB
    yield _laid_out(sizes, context, full)
    while context > least:
        yield _laid_out(sizes, context, small)
        context = max(context // 2, least)
    yield _laid_out(sizes, context, small)
    yield _laid_out(sizes, context, none)


def _laid_out(sizes: Sizes, context: int, cache_mib: int) -> Plan:
    slots = max(1, min(SLOTS, context // _SLOT_TOKENS))
    windows = min(context, sizes.window * slots + _BATCH)
    kept = sizes.token * context + sizes.window_token * windows
    computing = _PROCESS + sizes.vocabulary * _BATCH * _SCORE + cache_mib * _MIB
    return Plan(context, slots, cache_mib, sizes.weights + kept + computing)

"""What a model takes of memory, by the head of its file."""

from __future__ import annotations

from pathlib import Path

from larouter.core.room import Sizes
from larouter.engines.gguf import Head, NotGGUF
from larouter.engines.heads import Heads

_NUMBER = 2
"""Bytes: the engine keeps keys and values as 16-bit floats."""


def read_sizes(path: Path, heads: Heads) -> Sizes:
    """A head that cannot be read says nothing: the engine will refuse the file by itself."""
    weights = path.stat().st_size
    try:
        return sizes_of(heads.of(path), weights)
    except (NotGGUF, OSError):
        return Sizes(weights=weights)


def sizes_of(head: Head, weights: int) -> Sizes:
    """Where the head does not say which layers have a window, all of them are taken to look back
    on everything: that is never too little."""
    everything = windows = 0
    heads = head.kv_heads or head.heads
    for layer in range(max(0, (head.layers or 0) - head.shared_kv_layers)):
        count = heads[min(layer, len(heads) - 1)] if heads else 0
        if _has_window(head, layer):
            windows += count * _width(head, head.window_key_length, head.window_value_length)
        else:
            everything += count * _width(head, None, None)
    return Sizes(
        weights=weights,
        token=everything * _NUMBER,
        window_token=windows * _NUMBER,
        window=head.window or 0,
        vocabulary=head.vocabulary,
        trained=head.context,
    )


def _has_window(head: Head, layer: int) -> bool:
    if head.window is None or not head.window_layers:
        return False
    if len(head.window_layers) == 1:
        # Each so-manieth layer looks back on everything, the last of its group.
        every = head.window_layers[0]
        return every > 0 and layer % every < every - 1
    return layer < len(head.window_layers) and bool(head.window_layers[layer])


def _width(head: Head, key: int | None, value: int | None) -> int:
    """Numbers that one head keeps of a token."""
    heads = max(head.heads, default=0)
    usual = head.embedding // heads if head.embedding and heads else 0
    return (key or head.key_length or usual) + (value or head.value_length or usual)

"""How a model is built, as far as its memory and its speed depend on it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

_VALUE = 2
"""Bytes of a stored number: engines keep keys and values as 16-bit floats unless told otherwise."""
_KEY_AND_VALUE = 2
_CELLS = 256
"""llama.cpp lays out a window's cells in such steps (src/llama-kv-cache-iswa.cpp)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How an engine is started: what a model is laid out for."""

    context: int
    """Tokens, all slots together."""
    slots: int
    """Requests worked on at once."""
    batch: int = 128
    """Prompt tokens worked on in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Layers and what each keeps of every token, as the model's own description states them."""

    layers: int
    heads: int
    """Of keys and values, in a layer that looks back over a window only, or over everything."""
    head_dim: int
    window: int | None = None
    """Tokens that a sliding layer looks back on; None: every layer looks back on everything."""
    full_every: int = 1
    """Each so-manieth layer looks back on everything, the others over the window."""
    full_heads: int | None = None
    full_head_dim: int | None = None
    """Of a layer that looks back on everything, where they are others."""
    shared_layers: int = 0
    """The last so many layers keep nothing: they use what an earlier one keeps."""
    vocabulary: int | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    """Those that one token is computed with: without tables that are looked up, and of a mixture
    of experts only the chosen ones."""
    source: str = "unknown"
    checked: datetime.date | None = None

    @property
    def full_layers(self) -> int:
        """How many keep keys and values of everything."""
        keeping = self.layers - self.shared_layers
        return keeping if self.window is None else keeping // self.full_every

    @property
    def sliding_layers(self) -> int:
        """How many keep keys and values of their window."""
        return self.layers - self.shared_layers - self.full_layers

    @property
    def full_token_bytes(self) -> int:
        """What one more token takes in the layers that look back on everything."""
        heads, width = self.full_heads or self.heads, self.full_head_dim or self.head_dim
        return self.full_layers * heads * width * _KEY_AND_VALUE * _VALUE

    @property
    def sliding_token_bytes(self) -> int:
        return self.sliding_layers * self.heads * self.head_dim * _KEY_AND_VALUE * _VALUE

    def window_cells(self, load: Load) -> int:
        """How many tokens each sliding layer is laid out for: a window for every slot, and what is
        worked on, but never more than the whole context."""
        if self.window is None:
            return 0
        wanted = min(load.context, self.window * load.slots + load.batch)
        return -(-wanted // _CELLS) * _CELLS

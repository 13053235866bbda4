"""What the head of a GGUF file says of its model, and whether the file is whole.

Layout: github.com/ggml-org/ggml/blob/master/docs/gguf.md. The file may come from anywhere, so no
count and no length is believed beyond its bound and beyond the end of the file, and it is read in
a child only: in the worker, or in `larouter.engines.inspect` (TRUST S9).
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from larouter.engines import gguf_types as kinds

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAPPED = 128 * 1024 * 1024
"""A head with the longest vocabularies has some 20 MB."""
_MAX_PAIRS = 65_536
_MAX_TENSORS = 65_536
_MAX_TEXTS = 4_000_000
_MAX_KEY = 65_535
_MAX_TEXT = 1024 * 1024
_MAX_LIST = 4_096
_MAX_DIMENSIONS = 4
_MAX_ALIGNMENT = 65_536
_MAX_WEIGHTS = 2**48
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")

_GENERAL = ("general.architecture", "general.name", "general.file_type", "general.alignment",
            "general.type", "split.count", "tokenizer.chat_template")  # fmt: skip
_WORDS = "tokenizer.ggml.tokens"
_OF_MODEL = {
    "context_length": 2**40, "embedding_length": 2**24, "block_count": 4_096,
    "pooling_type": 255, "attention.head_count": 65_536, "attention.head_count_kv": 65_536,
    "attention.key_length": 65_536, "attention.value_length": 65_536,
    "attention.key_length_swa": 65_536, "attention.value_length_swa": 65_536,
    "attention.sliding_window": 2**40, "attention.sliding_window_pattern": 4_096,
    "attention.shared_kv_layers": 4_096, "attention.causal": 1,
}  # fmt: skip
"""What follows the name of the architecture, and more than which no model has."""


class NotGGUF(ValueError):
    """The head of the file is not what the format promises; the message is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the file says of its model; None and nothing where it is silent."""

    architecture: str = ""
    name: str = ""
    parameters: int = 0
    """Weights, all tensors together."""
    quantisation: str = ""
    """How most of them are written: `Q4_0`."""
    context: int | None = None
    """Tokens that the model was trained to look back on."""
    layers: int | None = None
    heads: tuple[int, ...] = ()
    """One for all layers, or one for each; so with the lists below."""
    kv_heads: tuple[int, ...] = ()
    key_length: int | None = None
    value_length: int | None = None
    window: int | None = None
    """Tokens that a layer with a sliding window looks back on."""
    window_layers: tuple[int, ...] = ()
    """For each layer whether it has one; a single number: each layer but every so many-th."""
    window_key_length: int | None = None
    window_value_length: int | None = None
    shared_kv_layers: int = 0
    """Layers that use the keys and values of another one."""
    embedding: int | None = None
    is_embedding: bool = False
    """It makes vectors of texts, no answers."""
    parts: int = 1
    """Of how many files the model is one."""
    vocabulary: int = 0
    """Words."""
    template: str = ""
    """How it wants a conversation to be written down, in Jinja."""
    tensors: int = 0


def read_head(path: Path) -> Head:
    """Raises `NotGGUF` for a file that is not what it should be, `OSError` for one not there."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            raise NotGGUF("The file is not a GGUF model.")
        with mmap.mmap(file.fileno(), min(size, _MAPPED), access=mmap.ACCESS_READ) as content:
            try:
                return _Reader(content, size).head()
            except (struct.error, OverflowError, IndexError) as error:
                raise NotGGUF("The file ends before its own description does.") from error


@dataclass(slots=True)
class _Weights:
    """The tensors, summed up."""

    count: int = 0
    by_kind: dict[int, int] = field(default_factory=dict)
    ends: int = 0
    """Where the last of them ends, counted from where the first begins."""

    @property
    def parameters(self) -> int:
        return sum(self.by_kind.values())

    @property
    def main_kind(self) -> str:
        if not self.by_kind:
            return ""
        kind = max(self.by_kind, key=lambda kind: self.by_kind[kind])
        return kinds.BLOCKS.get(kind, ("", 1, 0))[0]


class _Reader:
    def __init__(self, content: mmap.mmap, size: int) -> None:
        self._content = content
        self._size = size
        self._at = 4
        self._found: dict[str, Any] = {}
        self._vocabulary = 0

    def head(self) -> Head:
        if self._u32() not in _VERSIONS:
            raise NotGGUF("The file is a GGUF of a version that is not known here.")
        tensors = self._count(_MAX_TENSORS, "tensors")
        for _ in range(self._count(_MAX_PAIRS, "facts")):
            self._pair()
        weights = _Weights(tensors)
        for _ in range(tensors):
            self._tensor(weights)
        self._check_whole(weights)
        return self._as_head(weights)

    def _pair(self) -> None:
        key = self._text(_MAX_KEY).decode(errors="replace")
        kind = self._u32()
        if key == _WORDS and kind == kinds.ARRAY:
            # A list begins with the kind of what is in it, and how many those are.
            (self._vocabulary,) = _U64.unpack_from(self._content, self._at + _U32.size)
        if not (key in _GENERAL or key.partition(".")[2] in _OF_MODEL):
            self._skip(kind)
            return
        if key in self._found:
            raise NotGGUF(f"The file says {key} twice.")
        if kind == kinds.STRING:
            self._found[key] = self._text(_MAX_TEXT).decode(errors="replace")
        elif kind in kinds.INTEGERS:
            self._found[key] = self._integer(kind)
        elif kind == kinds.ARRAY:
            self._found[key] = self._integers()
        else:
            self._skip(kind)

    def _tensor(self, weights: _Weights) -> None:
        self._text(_MAX_KEY)
        dimensions = self._u32()
        if dimensions > _MAX_DIMENSIONS:
            raise NotGGUF("The file has a tensor of too many dimensions.")
        count = 1
        for _ in range(dimensions):
            count *= self._u64()
        if count > _MAX_WEIGHTS:
            raise NotGGUF("The file has a tensor that is larger than any model.")
        kind, offset = self._u32(), self._u64()
        _, block, size = kinds.BLOCKS.get(kind, ("", 1, 0))
        ends = offset + -(-count // block) * size
        if ends > self._size:
            raise NotGGUF("The file is cut off: weights that it describes are not in it.")
        weights.by_kind[kind] = weights.by_kind.get(kind, 0) + count
        weights.ends = max(weights.ends, ends)

    def _check_whole(self, weights: _Weights) -> None:
        alignment = self._found.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 0 < alignment <= _MAX_ALIGNMENT:
            raise NotGGUF("The file states an odd alignment.")
        begins = -(-self._at // alignment) * alignment
        if weights.count and begins + weights.ends > self._size:
            raise NotGGUF("The file is cut off: weights that it describes are not in it.")

    def _as_head(self, weights: _Weights) -> Head:
        architecture = self._said("general.architecture")
        causal = self._number(architecture, "attention.causal")
        file_type = self._found.get("general.file_type")
        named = kinds.FILE_TYPES.get(file_type) if isinstance(file_type, int) else None
        parts = self._found.get("split.count")
        return Head(
            architecture=architecture[:100],
            name=self._said("general.name")[:200],
            parameters=weights.parameters,
            quantisation=named or weights.main_kind,
            context=self._number(architecture, "context_length") or None,
            layers=self._number(architecture, "block_count"),
            heads=self._numbers(architecture, "attention.head_count"),
            kv_heads=self._numbers(architecture, "attention.head_count_kv"),
            key_length=self._number(architecture, "attention.key_length"),
            value_length=self._number(architecture, "attention.value_length"),
            window=self._number(architecture, "attention.sliding_window") or None,
            window_layers=self._numbers(architecture, "attention.sliding_window_pattern"),
            window_key_length=self._number(architecture, "attention.key_length_swa"),
            window_value_length=self._number(architecture, "attention.value_length_swa"),
            shared_kv_layers=self._number(architecture, "attention.shared_kv_layers") or 0,
            embedding=self._number(architecture, "embedding_length"),
            is_embedding=causal == 0 or self._number(architecture, "pooling_type") in kinds.POOLS,
            parts=parts if isinstance(parts, int) and parts > 0 else 1,
            template=self._said("tokenizer.chat_template"),
            vocabulary=self._vocabulary,
            tensors=weights.count,
        )

    def _said(self, key: str) -> str:
        value = self._found.get(key, "")
        return value if isinstance(value, str) else ""

    def _number(self, architecture: str, fact: str) -> int | None:
        numbers = self._numbers(architecture, fact)
        return numbers[0] if len(numbers) == 1 else None

    def _numbers(self, architecture: str, fact: str) -> tuple[int, ...]:
        value = self._found.get(f"{architecture}.{fact}", ())
        numbers = value if isinstance(value, tuple) else (value,)
        if any(not isinstance(number, int) for number in numbers):
            return ()
        if any(not 0 <= number <= _OF_MODEL[fact] for number in numbers):
            raise NotGGUF(f"The file states a {fact} that no model has.")
        return tuple(int(number) for number in numbers)

    def _skip(self, kind: int) -> None:
        if kind == kinds.STRING:
            self._forward(self._u64())
        elif kind == kinds.ARRAY:
            self._skip_array()
        elif kind in kinds.SIZES:
            self._forward(kinds.SIZES[kind])
        else:
            raise NotGGUF("The file describes its model with a kind of value that is unknown.")

    def _skip_array(self) -> None:
        kind, count = self._u32(), self._u64()
        if kind in kinds.SIZES:
            self._forward(count * kinds.SIZES[kind])
        elif kind == kinds.STRING:
            self._skip_texts(count)
        else:
            raise NotGGUF("The file describes its model with nested lists.")

    def _skip_texts(self, count: int) -> None:
        if count > _MAX_TEXTS:
            raise NotGGUF("The file describes its model with too long a list.")
        # A vocabulary has a quarter of a million texts; each of them is one turn of this loop.
        read, content, at = _U64.unpack_from, self._content, self._at
        for _ in range(count):
            at += 8 + read(content, at)[0]
        self._at = at
        self._forward(0)

    def _integers(self) -> tuple[int, ...]:
        """A list of whole numbers; anything else is passed over."""
        begin = self._at
        kind, count = self._u32(), self._u64()
        if kind not in kinds.INTEGERS or count > _MAX_LIST:
            self._at = begin
            self._skip_array()
            return ()
        return tuple(self._integer(kind) for _ in range(count))

    def _integer(self, kind: int) -> int:
        (number,) = struct.unpack_from(kinds.INTEGERS[kind], self._content, self._at)
        self._at += kinds.SIZES[kind]
        return int(number)

    def _text(self, most: int) -> bytes:
        size = self._u64()
        if size > most or self._at + size > len(self._content):
            raise NotGGUF("The file describes a text that is longer than itself, or than any is.")
        text = self._content[self._at : self._at + size]
        self._at += size
        return text

    def _forward(self, count: int) -> None:
        self._at += count
        if self._at > len(self._content):
            raise NotGGUF("The file ends before its own description does.")

    def _count(self, most: int, what: str) -> int:
        count = self._u64()
        if count > most:
            raise NotGGUF(f"The file states more {what} than any model has.")
        return count

    def _u32(self) -> int:
        (number,) = _U32.unpack_from(self._content, self._at)
        self._at += 4
        return int(number)

    def _u64(self) -> int:
        (number,) = _U64.unpack_from(self._content, self._at)
        self._at += 8
        return int(number)

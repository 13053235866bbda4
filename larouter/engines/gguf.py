"""The few facts at the head of a GGUF file that decide how to load it.

Layout: github.com/ggml-org/ggml/blob/master/docs/gguf.md. The file may come from anywhere, so no
length is believed beyond the end of the file (TRUST S9), and it is read in the worker only.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"GGUF"
_MAX_PAIRS = 4_096
_STRING, _ARRAY = 8, 9
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")


class NotGGUF(ValueError):
    """The head of the file is not what the format promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the file says of its model; None and nothing where it is silent."""

    context: int | None = None
    """Tokens that the model was trained to look back on."""
    template: str = ""
    """How it wants a conversation to be written down, in Jinja."""


def read_head(path: Path) -> Head:
    """Raises `NotGGUF` for a file that is not what it should be, `OSError` for one not there."""
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            raise NotGGUF("The file is not a GGUF model.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                return _Reader(content).head()
            except (struct.error, OverflowError) as error:
                raise NotGGUF("The file ends before its own description does.") from error


class _Reader:
    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._at = 4

    def head(self) -> Head:
        context, template = None, ""
        self._u32()  # the version
        self._u64()  # how many tensors
        for _ in range(min(self._u64(), _MAX_PAIRS)):
            key = self._text()
            kind = self._u32()
            if key.endswith(b".context_length") and _SIZES.get(kind) == _U32.size:
                context = self._u32()
            elif key == b"tokenizer.chat_template" and kind == _STRING:
                template = self._text().decode(errors="replace")
            else:
                self._skip(kind)
        return Head(context=context or None, template=template)

    def _skip(self, kind: int) -> None:
        if kind == _STRING:
            size = self._u64()
            self._at += size
        elif kind == _ARRAY:
            self._skip_array()
        elif kind in _SIZES:
            self._at += _SIZES[kind]
        else:
            raise NotGGUF("The file describes its model with a kind of value that is unknown.")

    def _skip_array(self) -> None:
        kind, count = self._u32(), self._u64()
        if kind in _SIZES:
            self._at += count * _SIZES[kind]
        elif kind == _STRING:
            self._skip_texts(count)
        else:
            raise NotGGUF("The file describes its model with nested lists.")

    def _skip_texts(self, count: int) -> None:
        # A vocabulary has a quarter of a million texts; each of them is one turn of this loop.
        read, content, at = _U64.unpack_from, self._content, self._at
        for _ in range(count):
            at += 8 + read(content, at)[0]
        self._at = at

    def _text(self) -> bytes:
        size = self._u64()
        if self._at + size > len(self._content):
            raise NotGGUF("The file describes a text that is longer than itself.")
        text = self._content[self._at : self._at + size]
        self._at += size
        return text

    def _u32(self) -> int:
        (number,) = _U32.unpack_from(self._content, self._at)
        self._at += 4
        return int(number)

    def _u64(self) -> int:
        (number,) = _U64.unpack_from(self._content, self._at)
        self._at += 8
        return int(number)

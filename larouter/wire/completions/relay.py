"""A legacy completion that passes as it came, read from the side like a chat completion."""

from __future__ import annotations

from typing import Any

import msgspec

from larouter.core.conversation import Part
from larouter.wire import sse
from larouter.wire.chat import relay

_BYTES_PER_TOKEN = 4


class _Choice(msgspec.Struct):
    text: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


class Relay(relay.Relay):
    """The `Road` of such an answer. Only where its words stand is different."""

    __slots__ = ()

    def parts(self) -> tuple[Part, ...]:
        return ()

    def delivered(self) -> int:
        """Estimate the output's tokens from the text that was passed on (TRUST B7, B8)."""
        kept = b"".join(self._kept)
        bodies = [kept] if kept.startswith(b"{") else map(sse.data_of, sse.split(kept))
        said = [text for body in bodies for text in _texts(body)]
        size = sum(len(text.encode()) for text in said)
        tokens = max(len(said), -(-size // _BYTES_PER_TOKEN))
        # Of a very long answer only the start is kept; the rest is taken to be like it.
        return tokens * self._passed // len(kept) if kept else 0


def _texts(data: bytes) -> list[str]:
    """Whatever the provider sent: an estimate never fails."""
    try:
        choices = _decode(data).choices or []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    return [choice.text for choice in choices if isinstance(choice.text, str) and choice.text]

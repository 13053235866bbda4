"""Passes Gemini's own answers on to a client of its dialect, and reads what matters beside them.

Every chunk is decoded, for its shape alone: a broken one must not reach the client (TRUST A7), and
the decoder takes a microsecond or two. Usage comes with every chunk and only the last one counts,
so it is read when it is asked for. From the chunk that says why the model stopped, everything waits
for the settlement (TRUST B3).
"""

from __future__ import annotations

from msgspec import Raw

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Part
from larouter.core.errors import LARouterError, UpstreamError
from larouter.wire import sse
from larouter.wire.gemini.chunk import (
    Chunk,
    decode_chunk,
    decode_whole,
    given,
    is_blocked,
    read_usage,
)
from larouter.wire.gemini.chunk import Part as Said
from larouter.wire.gemini.errors import write_error
from larouter.wire.gemini.request import is_array
from larouter.wire.gemini.writer import Frames

_BYTES_PER_TOKEN = 4


class Relay:
    """The `Road` where client and provider both speak Gemini."""

    __slots__ = (
        "_counted", "_deltas", "_ended", "_events", "_frames", "_held", "_size", "_usage",
        "call_ids", "done", "provider_id", "started",
    )  # fmt: skip

    def __init__(self, request: ChatRequest) -> None:
        self._events = sse.EventSplitter()
        self._frames = Frames(array=True) if is_array(request) else None
        self._counted: Raw | None = None
        """The newest usage, not read yet."""
        self._usage: Usage | None = None
        self._ended = False
        self._held = b""
        self._deltas = 0
        self._size = 0
        self.started = False
        self.done = False
        """Never: more chunks may follow the one that says why the model stopped."""
        self.provider_id: str | None = None
        self.call_ids: list[str] = []

    @property
    def usage(self) -> Usage | None:
        if self._counted is not None:
            usage = read_usage(self._counted)
            self.usage = self._usage if usage is None else usage
        return self._usage

    @usage.setter
    def usage(self, usage: Usage | None) -> None:
        self._counted, self._usage = None, usage

    def feed(self, piece: bytes) -> bytes:
        frames = self._events.feed(piece)
        if not frames:
            return b""
        if frames.count(b"\n") == 2 and frames.startswith(b"data: "):
            return self._take(frames, frames[6:])  # JSON may end in white space
        return b"".join([self._take(frame, sse.data_of(frame)) for frame in sse.split(frames)])

    def finish(self, *, prompt_tokens: int) -> bytes:
        if not self._ended:
            raise UpstreamError("The provider's answer broke off before its end.")
        held, self._held = self._held, b""
        return held + self._frames.close() if self._frames is not None else held

    def whole(self, body: bytes, *, prompt_tokens: int) -> bytes:
        self._note(decode_whole(body))
        return body

    def broken(self, error: LARouterError) -> bytes:
        frames = self._frames or Frames(array=False)
        return frames.last(write_error(error))

    def delivered(self) -> int:
        return max(self._deltas, -(-self._size // _BYTES_PER_TOKEN))

    def parts(self) -> tuple[Part, ...]:
        """Nothing is to be kept: the client holds what Gemini wants back."""
        return ()

    def _take(self, frame: bytes, data: bytes) -> bytes:
        """One event: read what it says, and return it or hold it back."""
        if not data:
            return frame if self.started and self._frames is None else b""
        self._note(decode_chunk(data))
        if self._frames is not None:
            frame = self._frames.frame(data.rstrip())
        if not self._ended:
            return frame
        self._held += frame
        return b""

    def _note(self, chunk: Chunk) -> None:
        if given(chunk.usage_metadata):
            self._counted = chunk.usage_metadata
        self._ended = self._ended or is_blocked(chunk)
        if not self.started:
            if chunk.candidates is None and self._counted is None and not self._ended:
                raise UpstreamError("The provider sent an event that is no answer.")
            self.started = True
            self.provider_id = chunk.response_id
        for candidate in chunk.candidates or ():
            if candidate.finish_reason:
                self._ended = True
            if candidate.content is not None and candidate.content.parts:
                self._count(candidate.content.parts)

    def _count(self, parts: list[Said]) -> None:
        """Estimate what was delivered, and note the calls that have ids."""
        size = 0
        for part in parts:
            if part.text:
                size += len(part.text.encode())
            if part.function_call is not None:
                call = part.function_call
                size += len(call.name) + len(bytes(call.args))
                if call.id:
                    self.call_ids.append(call.id)
        self._size += size
        self._deltas += size > 0

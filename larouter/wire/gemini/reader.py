"""Reads Gemini's answers into events.

Parts come whole or as pieces of text; a call comes whole. A signature belongs to its own part, or
to the text before it when it comes alone at the end. Usage comes with every chunk and the last one
counts. There is no end mark: the stream ends after a chunk with a `finishReason`.
"""

from __future__ import annotations

from msgspec import Raw

from larouter.core.conversation import Opaque
from larouter.core.errors import UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Reason,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.wire import sse
from larouter.wire.gemini.chunk import (
    Candidate,
    Chunk,
    FunctionCall,
    Part,
    decode_chunk,
    decode_whole,
    given,
    is_blocked,
    read_usage,
    reason_of,
)
from larouter.wire.gemini.signature import NATIVE
from larouter.wire.tools import new_call_id


class GeminiReader:
    """The `Reader` of this wire."""

    __slots__ = ("_calls", "_id", "_last", "_reason", "_started", "_usage", "done")

    def __init__(self) -> None:
        self.done = False
        """Never: more chunks may follow the one that says why the model stopped."""
        self._started = False
        self._id: str | None = None
        self._calls = 0
        self._last = ""
        self._reason: Reason | None = None
        self._usage: Raw | bytes = b""

    def feed(self, frames: bytes) -> list[Event]:
        events: list[Event] = []
        if frames.startswith(b"data: ") and frames.count(b"\n") == 2:
            self._read(decode_chunk(frames[6:]), events)  # JSON may end in white space
            return events
        for frame in sse.split(frames):
            data = sse.data_of(frame)
            if data:
                self._read(decode_chunk(data), events)
        return events

    def end(self) -> Finished:
        if self._reason is None:
            raise UpstreamError("The provider's answer broke off before its end.")
        return Finished(self._reason, read_usage(self._usage))

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        chunk = decode_whole(body)
        self._read(chunk, events)
        if self._reason is None and chunk.candidates:
            self._finish(chunk.candidates[0], events)
        return [*events, self.end()]

    def _read(self, chunk: Chunk, events: list[Event]) -> None:
        if given(chunk.usage_metadata):
            self._usage = chunk.usage_metadata
        if not self._started:
            self._start(chunk, events)
        if is_blocked(chunk):
            self._block(chunk, events)
        for candidate in chunk.candidates or ():
            if not candidate.index:  # one answer is asked for
                self._candidate(candidate, events)

    def _candidate(self, candidate: Candidate, events: list[Event]) -> None:
        if candidate.content is not None:
            for part in candidate.content.parts or ():
                self._part(part, events)
        if candidate.finish_reason:
            self._finish(candidate, events)

    def _start(self, chunk: Chunk, events: list[Event]) -> None:
        self._started = True
        self._id = chunk.response_id
        usage = read_usage(self._usage)
        prompt = None if usage is None else usage.prompt
        events.append(Started(chunk.response_id, chunk.model_version, prompt))

    def _block(self, chunk: Chunk, events: list[Event]) -> None:
        feedback = chunk.prompt_feedback
        assert feedback is not None
        said = feedback.block_reason_message or f"The prompt was blocked: {feedback.block_reason}."
        events.append(RefusalDelta(said))
        self._reason = "refusal"

    def _finish(self, candidate: Candidate, events: list[Event]) -> None:
        self._reason = reason_of(candidate, called=self._calls > 0)
        if self._reason == "refusal" and candidate.finish_message:
            events.append(RefusalDelta(candidate.finish_message))

    def _part(self, part: Part, events: list[Event]) -> None:
        if part.function_call is not None:
            self._call(part.function_call, part.thought_signature, events)
            return
        if part.text:
            if part.thought:
                events.append(ThinkingDelta(part.text))
                self._last = "thought"
            else:
                events.append(TextDelta(part.text))
                self._last = "text"
        elif given(part.inline_data):
            raise UpstreamError("The model answered with a file; only text can be passed on here.")
        if part.thought_signature:
            hidden = bool(part.thought) and self._last != "thought"
            events.append(Sealed(Opaque(NATIVE, part.thought_signature), hidden))
            self._last = ""

    def _call(self, call: FunctionCall, signature: str | None, events: list[Event]) -> None:
        index = self._calls
        self._calls += 1
        self._last = ""
        opaque = Opaque(NATIVE, signature) if signature else None
        # Not every model names its calls; ids must differ between answers too.
        made = f"call_{self._id}_{index}" if self._id else new_call_id()
        identifier = call.id or made
        events.append(ToolStart(index, identifier, call.name, opaque))
        if given(call.args):
            events.append(ToolDelta(index, bytes(call.args).decode()))

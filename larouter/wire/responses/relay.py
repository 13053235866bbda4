"""Passes OpenAI's own answer on to a client that speaks Responses, and reads it from the side.

Bytes pass as they came, but for two fields of the response object that are ours to tell: `store`
and `previous_response_id`, as history is kept here. The last event is held back until the call is
settled (TRUST B3).
"""

from __future__ import annotations

import re
import time
from typing import Any

import msgspec

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Part
from larouter.core.errors import LARouterError, UpstreamError
from larouter.wire import sse
from larouter.wire.responses.blocks import new_id
from larouter.wire.responses.reader import failure, read_response
from larouter.wire.responses.shape import blank, broken
from larouter.wire.responses.usage import read_usage
from larouter.wire.strict_json import encode

# A quotation mark inside a JSON string is always escaped, so this matches no words of a model.
_MARK = re.compile(
    rb'"(?:response\.(?:created|queued|in_progress|completed|incomplete|failed|output_item\.done)'
    rb'|error)"'
)
_NUMBER = re.compile(rb'"sequence_number": ?(\d+)')
_LAST = frozenset({"response.completed", "response.incomplete"})
_FAILED = frozenset({"response.failed", "error"})
_CALLS = ("function_call", "custom_tool_call")
_KEPT_BYTES = 1024 * 1024
_BYTES_PER_TOKEN = 4


class _Event(msgspec.Struct):
    type: str
    response: msgspec.Raw = msgspec.Raw()
    item: Any = None
    delta: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_any = msgspec.json.Decoder().decode


class Relay:
    """The `Road` of an answer that needs no translation."""

    __slots__ = (
        "_frames", "_kept", "_last", "_passed", "_request", "_response", "_tail", "call_ids",
        "done", "provider_id", "started", "usage",
    )  # fmt: skip

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._frames = sse.EventSplitter()
        self._last = b""
        self._tail = b""
        self._response: dict[str, Any] = {}
        """As the provider told it last."""
        self._kept: list[bytes] = []
        self._passed = 0
        self.started = False
        self.done = False
        self.usage: Usage | None = None
        self.provider_id: str | None = None
        self.call_ids: list[str] = []

    def feed(self, piece: bytes) -> bytes:
        frames = self._frames.feed(piece)
        if not frames or self.done:
            return b""
        if not self.started or not sse.look_whole(frames) or _MARK.search(frames):
            frames = b"".join([self._read(event) for event in sse.split(frames)])
        if self._passed < _KEPT_BYTES:
            self._kept.append(frames)
        self._passed += len(frames)
        self._tail = frames or self._tail
        return frames

    def finish(self, *, prompt_tokens: int) -> bytes:
        if not self.done:
            raise UpstreamError("The provider's answer broke off before its end.")
        self._keep()
        return self._last

    def whole(self, body: bytes, *, prompt_tokens: int) -> bytes:
        read_response(body)
        edited = self._edited(body)
        self._kept, self._passed = [edited], len(edited)
        self._note_end()
        self._keep()
        return edited

    def broken(self, error: LARouterError) -> bytes:
        counted = _NUMBER.findall(self._tail)
        response = self._response or blank(self._request, new_id("resp"), int(time.time()))
        return broken(response, error, int(counted[-1]) + 1 if counted else 0)

    def delivered(self) -> int:
        kept = b"".join(self._kept)
        if kept.startswith(b"{"):
            return -(-len(kept) // _BYTES_PER_TOKEN)
        size = deltas = 0
        for event in sse.split(kept):
            text = _delta(sse.data_of(event))
            deltas += bool(text)
            size += len(text.encode())
        tokens = max(deltas, -(-size // _BYTES_PER_TOKEN))
        # Of a very long answer only the start is kept; the rest is taken to be like it.
        return tokens * self._passed // len(kept) if kept else 0

    def parts(self) -> tuple[Part, ...]:
        """None: the client, or our own store, has the items as they are."""
        return ()

    def _read(self, frame: bytes) -> bytes:
        """One event as the client gets it; the last one stays here."""
        data = sse.data_of(frame)
        if not data and self.started and not self.done:
            return frame
        if not data or self.done or data == b"[DONE]":
            return b""
        event = _event(data)
        if event.type in _FAILED:
            raise failure(_decode_any(data))
        self.started = True
        if event.type == "response.output_item.done":
            self._note_call(event.item)
        if not event.response:
            return frame
        frame = self._with_ours(frame, event.type, data)
        if event.type not in _LAST:
            return frame
        self.done, self._last = True, frame
        self._note_end()
        return b""

    def _with_ours(self, frame: bytes, kind: str, data: bytes) -> bytes:
        fields = _object(data)
        response = bytes(fields["response"])
        edited = self._edited(response)
        if edited is response:
            return frame
        fields["response"] = msgspec.Raw(edited)
        return b"event: %b\n" % kind.encode() + sse.write(encode(fields))

    def _edited(self, response: bytes) -> bytes:
        """The response object with what is ours to tell, else byte for byte."""
        fields, ours = _object(response), self._ours()
        if ours:
            response = encode({**fields, **ours})
        self._response = _decode_any(response)
        id = self._response.get("id")
        self.provider_id = id if isinstance(id, str) else None
        return response

    def _ours(self) -> dict[str, Any]:
        body = self._request.body
        ours: dict[str, Any] = {} if body.get("store") is False else {"store": True}
        if body.get("previous_response_id") is not None:
            ours["previous_response_id"] = body["previous_response_id"]
        return ours

    def _note_end(self) -> None:
        self.usage = read_usage(self._response.get("usage"), self._response.get("service_tier"))
        output = self._response.get("output")
        for item in output if isinstance(output, list) else ():
            self._note_call(item)

    def _keep(self) -> None:
        if self._request.keep is None:
            return
        id, output = self._response.get("id"), self._response.get("output")
        is_list = isinstance(output, list) and all(isinstance(item, dict) for item in output)
        if not isinstance(id, str) or not is_list:
            raise UpstreamError("The provider's answer has no id or no output, and cannot be kept.")
        self._request.keep(self._response)

    def _note_call(self, item: Any) -> None:
        if not isinstance(item, dict) or item.get("type") not in _CALLS:
            return
        call_id = item.get("call_id")
        if isinstance(call_id, str) and call_id not in self.call_ids:
            self.call_ids.append(call_id)


def _event(data: bytes) -> _Event:
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError("The provider sent an event that is malformed.") from error


def _object(data: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _decode_raw(data)
    except msgspec.MsgspecError as error:
        raise UpstreamError("The provider sent a response that is no JSON object.") from error


def _delta(data: bytes) -> str:
    try:
        delta = _decode(data).delta
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return delta if isinstance(delta, str) else ""

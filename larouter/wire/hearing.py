"""Listens to an answer beside the road that it takes, in whatever format the provider speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from larouter.core.chat import ChatRequest, Usage
from larouter.core.conversation import Conversation
from larouter.core.errors import BadRequest, UpstreamError
from larouter.core.events import Folded
from larouter.core.faults import Heard
from larouter.wire import sse
from larouter.wire.dialects import DIALECTS, WIRES


class _Choice(msgspec.Struct):
    logprobs: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []


_decode = msgspec.json.Decoder(_Chunk).decode


class Ear:
    """Takes what the provider sends as it came. `is_deaf`: it does not understand it."""

    def __init__(self, request: ChatRequest, wire: str) -> None:
        self._request = request
        self._reader = WIRES[wire].reader()
        self._events = sse.EventSplitter()
        self.heard = Heard(answer=Folded())
        self.is_deaf = False

    def feed(self, piece: bytes) -> None:
        """A piece of a stream."""
        frames = self._events.feed(piece)
        if self.is_deaf or self._reader.done or not frames:
            return
        try:
            events = self._reader.feed(frames)
        except UpstreamError:
            self.is_deaf = True
            return
        for event in events:
            self.heard.answer.add(event)
        self.heard.logprobs = [*self.heard.logprobs, *_logprobs(frames)]

    def end(self) -> Usage | None:
        """The stream is over. Return what the provider says that it took."""
        try:
            finished = self._reader.end()
        except UpstreamError:
            self.heard.broken = True
            return None
        self.heard.answer.add(finished)
        self._ended()
        return finished.usage

    def whole(self, body: bytes) -> None:
        """A whole answer."""
        try:
            events = self._reader.whole(body)
        except UpstreamError:
            self.is_deaf = True
            return
        for event in events:
            self.heard.answer.add(event)
        self._ended()

    def _ended(self) -> None:
        self.heard.ended = True
        self.heard.asked = _asked(self._request)


def _asked(request: ChatRequest) -> Conversation | None:
    """The request in neutral form; a relay takes more than can be read."""
    try:
        asked = DIALECTS[request.dialect].conversation(request)
    except BadRequest:
        return None
    # As the client said it: a translation may not be able to ask for 0 tokens.
    return replace(asked, max_output=request.max_output)


def _logprobs(frames: bytes) -> Iterator[float]:
    """Of the tokens in these events of a chat or a plain completion, where they are told."""
    if b'"logprobs"' not in frames:
        return
    for frame in sse.split(frames):
        try:
            chunk = _decode(sse.data_of(frame))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        for choice in chunk.choices[:1]:
            yield from _numbers(choice.logprobs)


def _numbers(logprobs: Any) -> Iterator[float]:
    if type(logprobs) is not dict:
        return
    tokens = logprobs.get("content")
    for token in tokens if type(tokens) is list else ():
        number = token.get("logprob") if type(token) is dict else None
        if isinstance(number, float | int):
            yield number
    plain = logprobs.get("token_logprobs")
    for number in plain if type(plain) is list else ():
        if isinstance(number, float | int):
            yield number

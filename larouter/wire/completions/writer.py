"""Answers for clients that ask for legacy completions."""

from __future__ import annotations

import time
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Text
from larouter.core.errors import LARouterError
from larouter.core.events import (
    Event,
    Finished,
    Folded,
    Reason,
    RefusalDelta,
    Started,
    TextDelta,
)
from larouter.wire import sse
from larouter.wire.chat.usage import write_usage
from larouter.wire.chat.writer import DONE, write_error
from larouter.wire.strict_json import encode
from larouter.wire.tools import new_call_id

_FINISH: dict[Reason, str] = {"length": "length", "refusal": "content_filter"}
_TAIL = b',"index":0,"logprobs":null,"finish_reason":null}]}\n\n'


class Writer:
    """Writes one answer. What a model thought has no place here and is left out."""

    __slots__ = ("_head", "_meta", "_request")

    heartbeat = b": \n\n"

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._begin(None, None)

    def write(self, events: list[Event]) -> bytes:
        out = []
        for event in events:
            if isinstance(event, TextDelta | RefusalDelta):
                out.append(b"%b%b%b" % (self._head, encode(event.text), _TAIL))
            elif isinstance(event, Started):
                self._begin(event.id, event.model)
        # A client that waits while the model thinks sees that it lives.
        return b"".join(out) or self.heartbeat

    def finish(self, finished: Finished) -> bytes:
        last = sse.write(encode({**self._meta, "choices": [_choice("", finished.reason)]}))
        if not self._request.wants_usage:
            return last + DONE
        assert finished.usage is not None, "a translation always counts"
        counted = {**self._meta, "choices": [], "usage": write_usage(finished.usage)}
        return last + sse.write(encode(counted)) + DONE

    def whole(self, answer: Folded, finished: Finished) -> bytes:
        self._begin(answer.id, answer.model)
        assert finished.usage is not None, "a translation always counts"
        text = "".join(part.text for part in answer.parts if isinstance(part, Text))
        choice = _choice(text + answer.refusal, finished.reason)
        usage = write_usage(finished.usage)
        return encode({**self._meta, "choices": [choice], "usage": usage})

    def broken(self, error: LARouterError) -> bytes:
        return sse.write(write_error(error))

    def _begin(self, id: str | None, model: str | None) -> None:
        self._meta: dict[str, Any] = {
            "id": f"cmpl-{id or new_call_id().removeprefix('call_')}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model or self._request.model,
        }
        self._head = b"data: " + encode(self._meta)[:-1] + b',"choices":[{"text":'


def _choice(text: str, reason: Reason) -> dict[str, Any]:
    finish = _FINISH.get(reason, "stop")
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}

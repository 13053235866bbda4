"""What the tests of this format share: requests, and a client that checks what it reads."""

import json
from functools import cache
from typing import Any

from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from larouter.core.chat import ChatRequest
from larouter.wire import sse
from larouter.wire.responses.request import read_request

_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def asked(given: Any = "Hi", **fields: Any) -> ChatRequest:
    return _read(json.dumps({"model": "auto", "input": given, **fields}).encode())


@cache
def _read(body: bytes) -> ChatRequest:
    """Read once: streams are cut at thousands of places."""
    return read_request(body)


def events(stream):
    """The events' data; each must be one of OpenAI's, and numbered without a gap."""
    found = []
    for frame in sse.split(stream):
        data = sse.data_of(frame)
        if not data:
            continue
        event = json.loads(data)
        _EVENT.validate_json(data, strict=True)
        assert frame.startswith(f"event: {event['type']}\n".encode())
        found.append(event)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def kinds(stream):
    return [event["type"].removeprefix("response.") for event in events(stream)]


def response(body):
    """A whole answer, as openai-python would read it."""
    Response.model_validate_json(body, strict=True)
    return json.loads(body)

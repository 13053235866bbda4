"""Requests, streams and answers that the tests of this dialect share."""

import json
from pathlib import Path
from typing import Any

from larouter.core.chat import ChatRequest
from larouter.core.conversation import Conversation, Text, Turn
from larouter.core.events import Folded
from larouter.wire import sse
from larouter.wire.anthropic.outbound import write
from larouter.wire.anthropic.request import read_request
from larouter.wire.road import Call

STREAMS = {
    path.stem: path.read_bytes()
    for path in sorted((Path(__file__).parents[1] / "streams" / "anthropic").glob("*.sse"))
}
HI = [{"role": "user", "content": "Hi"}]
CURRENT = frozenset(
    {"temperature", "top_p", "top_k", "forced_tools", "thinking_budget", "thinking_off", "prefill"}
)
"""What Claude Opus 5.5 refuses."""
OLDER = Call(name="claude-haiku-4-5", max_output=64_000)
NEWER = Call(name="claude-opus-5-5", max_output=128_000, refuses=CURRENT)
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


def request(**fields) -> ChatRequest:
    """A client's request, read."""
    body = {"model": "auto", "max_tokens": 1000, "messages": HI, **fields}
    return read_request(json.dumps(body).encode())


def talk(*turns, **fields) -> Conversation:
    """A conversation of another dialect; without turns a short one."""
    said = turns or (Turn("user", (Text(text="Hi"),)),)
    return Conversation(turns=said, **fields)


def written(conversation, call=NEWER):
    """The body that Anthropic gets."""
    return json.loads(write(conversation, call).body)


def frames(stream):
    """The objects of a stream's events. Each event is named like its object."""
    found = []
    for event in sse.split(stream):
        head, _, data = event.decode().strip().partition("\ndata: ")
        found.append(json.loads(data))
        assert head == f"event: {found[-1]['type']}"
    return found


def folded(reader, *pieces):
    """Feed a reader whole events; return the answer and how it finished."""
    answer = Folded()
    cut = sse.EventSplitter()
    for piece in pieces:
        for event in reader.feed(cut.feed(piece)):
            answer.add(event)
    return answer, reader.end()


def message_of(stream):
    """What a client makes of a stream, as strict as its SDK: blocks one after another."""
    client = _Client()
    for frame in frames(stream):
        getattr(client, frame["type"])(frame)
    assert frames(stream)[-1] == {"type": "message_stop"}
    return client.message


class _Client:
    """One method for each event."""

    def __init__(self):
        self.message: Any = None
        self.block: Any = None
        self.given = ""

    def message_start(self, frame):
        assert self.message is None
        self.message = frame["message"]

    def content_block_start(self, frame):
        assert self.block is None
        assert frame["index"] == len(self.message["content"])
        self.block, self.given = frame["content_block"], ""
        self.message["content"].append(self.block)

    def content_block_delta(self, frame):
        assert frame["index"] == len(self.message["content"]) - 1
        delta = frame["delta"]
        kind = delta.pop("type").removesuffix("_delta")
        if kind == "input_json":
            self.given += delta["partial_json"]
        elif kind in delta:
            self.block[kind] += delta[kind]

    def content_block_stop(self, frame):
        assert frame["index"] == len(self.message["content"]) - 1
        if self.given:
            self.block["input"] = json.loads(self.given)
        self.block = None

    def message_delta(self, frame):
        assert self.block is None
        self.message |= frame["delta"]
        self.message["usage"] |= frame["usage"]

    def message_stop(self, frame):
        assert self.message["stop_reason"]

    def ping(self, frame):
        pass

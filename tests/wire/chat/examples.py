"""What the tests of this dialect share: recorded streams, and a client that reads chunks."""

import json
from pathlib import Path

from larouter.core.chat import Usage
from larouter.core.events import Folded
from larouter.wire import sse

USAGE = {
    "openai": Usage(input=176, cache_read=1024, output=24, reasoning=8, service="default"),
    "openai_tools": Usage(input=80, output=30, service="default"),
    "deepseek": Usage(input=60, cache_read=640, output=40, reasoning=30),
    "llamacpp": Usage(input=31, output=5),
    "vllm": Usage(input=12, output=5),
    "comments": Usage(input=20, output=4),
    "no_usage": None,
    "no_done": None,
}
"""What each recorded stream says that it cost."""
_FOLDER = Path(__file__).parent.with_name("streams")
STREAMS = {name: _FOLDER.joinpath(f"{name}.sse").read_bytes() for name in USAGE}


def folded(reader, *pieces):
    """Feed a reader a stream's bytes; return the answer and how it finished."""
    cut, answer = sse.EventSplitter(), Folded()
    for piece in pieces:
        for event in reader.feed(cut.feed(piece)):
            answer.add(event)
    return answer, reader.end()


def frames(*chunks):
    """A provider's stream of these objects; text stands as it is."""
    said = [chunk.encode() if isinstance(chunk, str) else json.dumps(chunk).encode()
            for chunk in chunks]  # fmt: skip
    return b"".join(sse.write(data) for data in said)


def chunk(delta, finish=None, **fields):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "model": "m1", "choices": [choice], **fields}


def deltas(stream):
    """The deltas that a client is sent, those that say nothing left out."""
    data = [sse.data_of(event) for event in sse.split(stream)]
    chunks = [json.loads(found) for found in data if found and found != b"[DONE]"]
    said = [choice["delta"] for one in chunks for choice in one["choices"]]
    return [delta for delta in said if delta]

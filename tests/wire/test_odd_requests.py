"""Odd requests: each dialect reads them or refuses them with a 400, for whatever provider."""

import json
from typing import Any

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque
from larouter.core.errors import BadRequest, UpstreamError
from larouter.core.events import (
    Event,
    Finished,
    Folded,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)
from larouter.core.turns import Turns
from larouter.providers import ENDPOINTS, ENGINE_QUIRKS
from larouter.wire import gemini
from larouter.wire.anthropic.request import read_request as read_messages
from larouter.wire.chat.request import read_request as read_chat
from larouter.wire.completions.request import read_request as read_completion
from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.ollama.request import read_chat as read_ollama
from larouter.wire.ollama.request import read_generate
from larouter.wire.responses.request import read_request as read_response
from larouter.wire.road import Call, open_road
from tests import odd_requests
from tests.odd import some

_QUIRKS = {row.name: row.quirks for row in ENDPOINTS}
_REFUSES = frozenset(
    {"temperature", "top_p", "top_k", "thinking_budget", "thinking_off", "forced_tools", "prefill"}
)
TARGETS = (
    ("chat", Call(name="gpt-6", quirks=_QUIRKS["openai"], stream=True)),
    ("chat", Call(name="deepseek", quirks=_QUIRKS["deepseek"], refuses=_REFUSES)),
    ("chat", Call(name="local", quirks=ENGINE_QUIRKS)),
    ("responses", Call(name="gpt-6", quirks=_QUIRKS["openai"], refuses=_REFUSES)),
    ("anthropic", Call(name="claude", max_output=4096)),
    ("anthropic", Call(name="claude", max_output=4096, refuses=_REFUSES)),
    ("gemini", Call(name="gemini-4-argon", refuses=_REFUSES)),
    ("gemini", Call(name="gemini-2.5-pro")),
)
READERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "chat": (read_chat, odd_requests.CHAT),
    "responses": (read_response, odd_requests.RESPONSES),
    "completions": (read_completion, odd_requests.COMPLETIONS),
    "anthropic": (read_messages, odd_requests.ANTHROPIC),
    "gemini": (
        lambda body: gemini.read_request(body, model="m", stream=True), odd_requests.GEMINI
    ),
    "ollama": (read_ollama, odd_requests.OLLAMA),
    "generate": (read_generate, odd_requests.GENERATE),
}  # fmt: skip
# The oddest of them: every kind of JSON, and what is empty inside.
ODD: tuple[Any, ...] = (None, -1, "", [], {}, True, [None], [{}], {"type": []})
EVENTS: list[Event] = [
    Started("id", "m", 3),
    ThinkingDelta("hm"),
    Sealed(Opaque("anthropic", "s")),
    TextDelta("hi"),
    ToolStart(0, "c1", "weather"),
    ToolDelta(0, '{"city":"a"}'),
]
END = Finished("tool_calls", Usage(input=1, output=1))


@pytest.mark.parametrize("dialect", READERS)
def test_the_request_that_they_are_made_of_is_good(dialect):
    read, body = READERS[dialect]

    request = read(_bytes(body))

    for wire, call in TARGETS:
        sending, _ = open_road(request, call, DIALECTS[request.dialect], WIRES[wire], Turns())
        assert json.loads(sending.body)


@pytest.mark.parametrize("dialect", READERS)
def test_an_odd_request_is_carried_or_refused(dialect):
    read, body = READERS[dialect]

    for path, one, changed in some(body, 4, ODD):
        try:
            request = read(_bytes(changed))
        except BadRequest:
            continue
        except Exception as error:
            raise AssertionError(f"reading {path} as {one!r}") from error
        for wire, call in TARGETS:
            try:
                _road(request, call, wire)
            except Exception as error:
                raise AssertionError(f"{path} as {one!r} for {wire}") from error
        try:
            _answers(request)
        except Exception as error:
            raise AssertionError(f"answering {path} as {one!r}") from error


def _bytes(body):
    return json.dumps({"model": "m", **body}).encode()


def _road(request, call, wire):
    try:
        open_road(request, call, DIALECTS[request.dialect], WIRES[wire], Turns())
    except BadRequest:
        return


def _answers(request):
    """Writers look into the request too."""
    writer = DIALECTS[request.dialect].writer
    streamed = writer(request)
    streamed.write(EVENTS)
    streamed.finish(END)
    writer(request).whole(Folded(EVENTS), END)
    writer(request).broken(UpstreamError("gone"))

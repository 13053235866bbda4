"""Whatever people and models may say: conversations, answers, and how a network cuts bytes."""

import json
from itertools import cycle
from typing import Any, NamedTuple

from hypothesis import strategies as st

from larouter.core.chat import Usage
from larouter.core.conversation import Part, Text, ToolCall, ToolResult, Turn
from larouter.core.events import (
    Event,
    Finished,
    Reason,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)

CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.text(CHARACTERS, min_size=1, max_size=30).filter(str.strip)
"""Something is said: white space alone is nothing to Anthropic."""
NAMES = st.text("abcXYZ019_-", min_size=1, max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(-1e9, 1e9) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(WORDS, VALUES, max_size=3).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)


@st.composite
def calls(draw, most=3):
    """Calls with ids of their own, as long and as odd as a provider may make them."""
    found = []
    for place in range(draw(st.integers(0, most))):
        tail = draw(st.sampled_from(["", ".x", ":0", "x" * 70]))
        id = f"call_{draw(NAMES)}_{place}{tail}"
        found.append(ToolCall(id=id, name=draw(NAMES), arguments=draw(ARGUMENTS)))
    return tuple(found)


@st.composite
def talks(draw):
    """Rounds of question, words, calls and results; it ends with a question. No two turns share an
    id of a call."""
    turns: list[Turn] = []
    if draw(st.booleans()):
        turns.append(Turn("system", (Text(text=draw(WORDS)),)))
    results: tuple[Part, ...] = ()
    for place in range(draw(st.integers(0, 3))):
        turns.append(Turn("user", (*results, Text(text=draw(WORDS)))))
        asked = tuple(_of_round(call, place) for call in draw(calls()))
        said = (Text(text=draw(WORDS)),) if not asked or draw(st.booleans()) else ()
        turns.append(Turn("assistant", (*said, *asked)))
        results = tuple(
            ToolResult(call_id=call.id, parts=(Text(text=draw(WORDS)),)) for call in asked
        )
    turns.append(Turn("user", (*results, Text(text=draw(WORDS)))))
    return tuple(turns)


def _of_round(call: ToolCall, place: int) -> ToolCall:
    return ToolCall(id=f"{place}{call.id}", name=call.name, arguments=call.arguments)


class Answer(NamedTuple):
    """An answer as events, and as what must arrive of it."""

    events: list[Event]
    finished: Finished
    thought: str
    text: str
    calls: tuple[ToolCall, ...]


USAGES = st.builds(
    Usage,
    input=st.integers(1, 10**6),
    cache_read=st.integers(0, 10**6),
    output=st.integers(10, 10**6),
    reasoning=st.integers(0, 10),
)
PIECES = st.lists(st.text(CHARACTERS, min_size=1, max_size=12), max_size=4)
ENDS: tuple[Reason, ...] = ("stop", "length", "stop_sequence", "refusal", "pause")
CALLING: tuple[Reason, ...] = ("tool_calls", "length")


@st.composite
def answers(draw, *, with_calls=True):
    thought, text = draw(PIECES), draw(PIECES)
    asked = draw(calls()) if with_calls else ()
    events: list[Event] = [Started(draw(NAMES), draw(NAMES))]
    events += map(ThinkingDelta, thought)
    events += map(TextDelta, text)
    events += draw(_said(asked))
    reason = draw(st.sampled_from(CALLING if asked else ENDS))
    finished = Finished(reason, draw(USAGES))
    return Answer(events, finished, "".join(thought), "".join(text), asked)


@st.composite
def _said(draw, asked):
    """Calls one after another, or all at once piece by piece."""
    starts = [ToolStart(index, call.id, call.name) for index, call in enumerate(asked)]
    pieces = [_cut(call.arguments, draw(st.integers(1, 8))) for call in asked]
    if draw(st.booleans()):
        found: list[Any] = list(starts)
        for place in range(max(map(len, pieces), default=0)):
            found += [
                ToolDelta(index, one[place]) for index, one in enumerate(pieces) if place < len(one)
            ]
        return found
    return [
        event
        for index, start in enumerate(starts)
        for event in (start, *(ToolDelta(index, piece) for piece in pieces[index]))
    ]


def _cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


CUTS = st.lists(st.integers(1, 300), min_size=1, max_size=10)
"""The sizes of the pieces in which bytes come, again and again."""


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    for size in cycle(cuts):
        if at >= len(data):
            return found
        found.append(data[at : at + size])
        at += size
    raise AssertionError("a cycle does not end")

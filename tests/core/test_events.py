"""An answer's events, folded into the parts that they are pieces of."""

import pytest

from larouter.core.chat import Usage
from larouter.core.conversation import Opaque, Text, Thinking, ToolCall
from larouter.core.events import (
    Finished,
    Folded,
    RefusalDelta,
    Sealed,
    Started,
    TextDelta,
    ThinkingDelta,
    ToolDelta,
    ToolStart,
)

SEAL = Opaque(maker="anthropic", data="c2ln")
OTHER = Opaque(maker="anthropic", data="b3RoZXI=")


@pytest.mark.parametrize(
    ("events", "parts"),
    [
        ([], ()),
        ([TextDelta("Good "), TextDelta("day")], (Text(text="Good day"),)),
        ([ThinkingDelta("a"), ThinkingDelta("b")], (Thinking(text="ab"),)),
        (
            [ThinkingDelta("a"), TextDelta("b"), ThinkingDelta("c")],
            (Thinking(text="a"), Text(text="b"), Thinking(text="c")),
        ),
        # A seal ends the block that just came.
        (
            [ThinkingDelta("a"), Sealed(SEAL, id="rs_1"), ThinkingDelta("b")],
            (Thinking(text="a", opaque=SEAL, id="rs_1"), Thinking(text="b")),
        ),
        (
            [TextDelta("a"), Sealed(SEAL), TextDelta("b")],
            (Text(text="a", opaque=SEAL), Text(text="b")),
        ),
        # A second one has a block of its own, as has one after a call.
        (
            [TextDelta("a"), Sealed(SEAL), Sealed(OTHER)],
            (Text(text="a", opaque=SEAL), Text(text="", opaque=OTHER)),
        ),
        (
            [ToolStart(0, "call_1", "f"), Sealed(SEAL)],
            (ToolCall(id="call_1", name="f", arguments="{}"), Text(text="", opaque=SEAL)),
        ),
        ([Sealed(SEAL)], (Text(text="", opaque=SEAL),)),
        # A hidden thought never belongs to the block before it.
        (
            [ThinkingDelta("a"), Sealed(SEAL, hidden=True, id="rs_2")],
            (Thinking(text="a"), Thinking(text="", opaque=SEAL, id="rs_2")),
        ),
        ([Sealed(SEAL, hidden=True)], (Thinking(text="", opaque=SEAL),)),
    ],
)
def test_deltas_of_one_kind_in_a_row_are_one_part(events, parts):
    assert Folded(events).parts == parts


def test_calls_may_interleave():
    answer = Folded(
        [
            ToolStart(0, "call_1", "f", opaque=SEAL),
            ToolStart(1, "call_2", "g"),
            ToolDelta(0, '{"a"'),
            ToolDelta(1, '{"b": 2}'),
            ToolDelta(0, ": 1}"),
        ]
    )

    assert answer.parts == (
        ToolCall(id="call_1", name="f", arguments='{"a": 1}', opaque=SEAL),
        ToolCall(id="call_2", name="g", arguments='{"b": 2}'),
    )
    assert answer.call_ids == ["call_1", "call_2"]


@pytest.mark.parametrize(("custom", "arguments"), [(False, "{}"), (True, "")])
def test_a_call_without_arguments_has_an_empty_object_or_no_input(custom, arguments):
    (call,) = Folded([ToolStart(0, "call_1", "f", custom=custom)]).parts

    assert call == ToolCall(id="call_1", name="f", arguments=arguments, custom=custom)


def test_a_text_stands_where_it_began():
    answer = Folded([TextDelta("a"), ToolStart(0, "c", "f"), TextDelta("b"), ToolDelta(0, "{}")])

    assert [type(part) for part in answer.parts] == [Text, ToolCall, Text]


def test_what_is_said_about_the_answer_is_kept():
    finished = Finished("stop", Usage(input=1, output=2))
    answer = Folded(
        [Started("msg_1", "smart"), RefusalDelta("I "), RefusalDelta("won't."), finished]
    )

    assert (answer.id, answer.model) == ("msg_1", "smart")
    assert answer.refusal == "I won't."
    assert answer.finished is finished
    assert answer.parts == ()


def test_before_anything_was_said_nothing_is_known():
    answer = Folded()

    assert (answer.id, answer.model, answer.refusal, answer.finished) == (None, None, "", None)
    assert (answer.call_ids, answer.tokens()) == ([], 0)


@pytest.mark.parametrize(
    ("events", "tokens"),
    [
        ([TextDelta("x" * 40)], 10),
        ([TextDelta("x" * 41)], 11),
        ([TextDelta("a")] * 7, 7),
        ([ThinkingDelta("ü" * 10)], 5),
        ([ToolStart(0, "c", "f"), ToolDelta(0, "x" * 80)], 20),
        ([TextDelta("x" * 40), ThinkingDelta("x" * 40), RefusalDelta("x" * 40)], 30),
    ],
)
def test_tokens_are_a_quarter_of_the_bytes_and_at_least_the_deltas(events, tokens):
    assert Folded(events).tokens() == tokens

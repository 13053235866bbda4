"""Turns in the order that every wire can say."""

from larouter.core.conversation import Conversation, Media, Text, ToolCall, ToolResult, Turn
from larouter.wire.turns import instructions, merged, results_first, spoken

A, B, C = (Text(text=text) for text in "abc")
NOTHING = Text(text="")
PNG = Media(kind="images", mime="image/png", data="QQ==")
CALL, RESULT = ToolCall(id="t", name="f", arguments="{}"), ToolResult(call_id="t", parts=(A,))
TALK = Conversation(
    turns=(
        Turn("system", (A, NOTHING, PNG)),
        Turn("user", (A,)),
        Turn("assistant", (B, CALL)),
        Turn("system", (C,)),
        Turn("assistant", (C,)),
        Turn("user", (B, RESULT)),
    )
)


def test_neighbours_of_one_role_are_one_turn():
    turns = [Turn("user", (A,)), Turn("user", (B,)), Turn("assistant", ()), Turn("user", (C,)),
             Turn("assistant", (A,)), Turn("user", (B,))]  # fmt: skip

    assert merged(turns) == (
        Turn("user", (A, B, C)),
        Turn("assistant", (A,)),
        Turn("user", (B,)),
    )
    assert merged([]) == ()


def test_instructions_early_and_late():
    assert instructions(TALK) == ["a", "c"]


def test_without_the_system_neighbours_meet():
    assert spoken(TALK) == (
        Turn("user", (A,)),
        Turn("assistant", (B, CALL, C)),
        Turn("user", (B, RESULT)),
    )


def test_results_come_first():
    other = ToolResult(call_id="u", parts=())

    assert results_first((A, RESULT, B, other)) == [RESULT, other, A, B]
    assert results_first(()) == []

"""Which model asked for a tool, and what it thought: kept for a while, for its own project."""

import pytest

from larouter.core.conversation import (
    Conversation,
    Media,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from larouter.core.turns import Turns

SEAL = Opaque(maker="anthropic", data="c2ln")
OTHER_SEAL = Opaque(maker="gemini", data="b3RoZXI=")
THOUGHT = Thinking(text="Rome, so …", opaque=SEAL)
CALL = ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}')
SEALED_CALL = ToolCall(id="call_1", name="weather", arguments='{"city": "Rome"}', opaque=OTHER_SEAL)


@pytest.fixture
def turns():
    return Turns()


def _restored(turns, *parts, role="assistant", project="p"):
    given = Conversation(turns=(Turn(role, parts),))
    (turn,) = turns.restore(project, given).turns
    return turn.parts


# Who asked.


def test_the_model_that_asked_is_known(turns):
    turns.remember("p", "cloud/smart", ["call_1", "call_2"])

    assert turns.model_of("p", ["call_2"]) == "cloud/smart"
    assert turns.model_of("p", ["call_0", "call_1"]) == "cloud/smart"


@pytest.mark.parametrize(("project", "ids"), [("q", ["call_1"]), ("p", ["call_9"]), ("p", [])])
def test_a_call_that_is_not_the_projects_own_is_nobodys(turns, project, ids):
    turns.remember("p", "cloud/smart", ["call_1"], (THOUGHT,))

    assert turns.model_of(project, ids) is None


def test_an_id_that_comes_again_is_the_latest_call(turns):
    turns.remember("p", "cloud/smart", ["call_1"], (THOUGHT, CALL))

    turns.remember("p", "cloud/other", ["call_1", "call_2"])

    assert turns.model_of("p", ["call_1"]) == "cloud/other"
    assert turns.thinking("p", "call_1") is None
    assert _restored(turns, CALL) == (CALL,)


# What was thought.


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((THOUGHT,), "Rome, so …"),
        ((Thinking(text="a"), Text(text="b"), Thinking(text="c"), CALL), "ac"),
        ((Text(text="b"), CALL), None),
        ((), None),
    ],
)
def test_thoughts_are_kept_as_text(turns, parts, text):
    turns.remember("p", "m", ["call_1"], parts)

    assert turns.thinking("p", "call_1") == text


def test_the_thoughts_of_an_unknown_call_are_unknown(turns):
    assert turns.thinking("p", "call_1") is None


# Put back.


def test_a_thought_that_the_client_could_not_keep_is_put_back(turns):
    turns.remember("p", "m", ["call_1"], (THOUGHT, Text(text="I look."), CALL))

    assert _restored(turns, Text(text="I look."), CALL) == (THOUGHT, Text(text="I look."), CALL)


def test_a_thought_without_its_seal_is_replaced(turns):
    turns.remember("p", "m", ["call_1"], (THOUGHT, CALL))

    assert _restored(turns, Thinking(text="Rome …"), CALL) == (THOUGHT, CALL)


def test_a_sealed_thought_of_the_clients_own_stays(turns):
    turns.remember("p", "m", ["call_1"], (THOUGHT, CALL))
    own = Thinking(text="mine", opaque=OTHER_SEAL)

    assert _restored(turns, own, CALL) == (own, CALL)


def test_the_seal_of_a_call_is_put_back(turns):
    turns.remember("p", "m", ["call_1"], (SEALED_CALL,))

    assert _restored(turns, CALL) == (SEALED_CALL,)


def test_a_call_that_has_its_seal_keeps_it(turns):
    turns.remember("p", "m", ["call_1"], (SEALED_CALL,))
    own = ToolCall(id="call_1", name="weather", arguments="{}", opaque=SEAL)

    assert _restored(turns, own) == (own,)


def test_the_second_call_of_a_turn_finds_it_too(turns):
    turns.remember("p", "m", ["call_2"], (THOUGHT,))
    unknown = ToolCall(id="call_0", name="f", arguments="{}")
    second = ToolCall(id="call_2", name="f", arguments="{}")

    assert _restored(turns, unknown, second) == (THOUGHT, unknown, second)


@pytest.mark.parametrize(
    ("role", "parts"),
    [
        ("user", (ToolResult(call_id="call_1", parts=(Text(text="sunny"),)),)),
        ("user", (CALL,)),
        ("assistant", (Text(text="No tool."),)),
    ],
)
def test_what_calls_nothing_is_left_as_it_is(turns, role, parts):
    turns.remember("p", "m", ["call_1"], (THOUGHT, SEALED_CALL))

    assert _restored(turns, *parts, role=role) == parts


def test_another_projects_thoughts_are_not_put_back(turns):
    turns.remember("p", "m", ["call_1"], (THOUGHT, SEALED_CALL))

    assert _restored(turns, CALL, project="q") == (CALL,)


def test_what_else_a_conversation_says_stays(turns):
    turns.remember("p", "m", ["call_1"], (THOUGHT,))
    user = Turn("user", (Text(text="Hi"),))

    restored = turns.restore(
        "p", Conversation(turns=(user, Turn("assistant", (CALL,))), temperature=0.5)
    )

    assert restored.turns == (user, Turn("assistant", (THOUGHT, CALL)))
    assert restored.temperature == 0.5


# Room.


def test_the_oldest_call_is_forgotten_first():
    turns = Turns(most_calls=2)
    for call_id in ("call_1", "call_2", "call_1", "call_3"):
        turns.remember("p", "m", [call_id])

    known = [
        call_id for call_id in ("call_1", "call_2", "call_3") if turns.model_of("p", [call_id])
    ]

    assert known == ["call_1", "call_3"]


@pytest.mark.parametrize(
    "part",
    [
        Text(text="x" * 400),
        Thinking(text="x" * 400),
        Thinking(text="", opaque=Opaque(maker="m", data="x" * 400)),
        ToolCall(id="c", name="f", arguments="x" * 400),
    ],
)
def test_what_is_kept_takes_no_more_than_so_much_room(part):
    turns = Turns(most_bytes=1_100)
    for call_id in ("call_1", "call_2", "call_3"):
        turns.remember("p", "m", [call_id], (part,))

    assert [turns.model_of("p", [f"call_{number}"]) for number in (1, 2, 3)] == [None, "m", "m"]


def test_a_call_that_comes_again_takes_its_room_once():
    turns = Turns(most_bytes=1_100)
    turns.remember("p", "m", ["call_1"], (Text(text="x" * 400),))
    for _ in range(9):
        turns.remember("p", "m", ["call_2"], (Text(text="x" * 400),))

    assert turns.model_of("p", ["call_1"]) == "m"


def test_a_turn_larger_than_the_room_is_not_kept():
    turns = Turns(most_bytes=300)

    turns.remember("p", "m", ["call_1"], (Text(text="x" * 400),))

    assert turns.model_of("p", ["call_1"]) is None


def test_any_part_takes_some_room():
    turns = Turns(most_bytes=150)
    media = Media(kind="images", mime="image/png", url="https://example.org/a.png")

    turns.remember("p", "m", ["call_1"], (media, media))

    assert turns.model_of("p", ["call_1"]) is None

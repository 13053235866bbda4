"""Turns as Anthropic's messages: the order that it demands, and nothing that it refuses."""

import base64

import pytest

from larouter.core.conversation import (
    Media,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.wire.anthropic.messages import safe_id, write_messages
from larouter.wire.anthropic.thinking import redacted
from tests.wire.anthropic.examples import NEWER, OLDER, talk

HI = Text(text="Hi")
OWN = Thinking(text="Hm", opaque=Opaque("anthropic", "EqQ+/=="))
CALL = ToolCall(id="t", name="f", arguments='{"a": 1}')
RESULT = ToolResult(call_id="t", parts=(Text(text="42"),))
USE = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
SIGNED = {"type": "thinking", "thinking": "Hm", "signature": "EqQ+/=="}


def _text(text):
    return {"type": "text", "text": text}


def _user(*parts):
    return Turn("user", parts)


def _assistant(*parts):
    return Turn("assistant", parts)


def _messages(*turns, call=OLDER):
    return write_messages(talk(*turns), call).messages


def _blocks(*parts, role="user"):
    """What becomes of these parts, at the end of a conversation or before it."""
    turns = (_user(*parts),) if role == "user" else (_user(HI), _assistant(*parts), _user(HI))
    return _messages(*turns)[0 if role == "user" else 1]["content"]


def test_systems_are_not_among_the_messages():
    found = _messages(Turn("system", (HI,)), _user(HI), Turn("system", (HI,)), _user(HI))

    assert found == [{"role": "user", "content": [_text("Hi"), _text("Hi")]}]


@pytest.mark.parametrize(
    "turns", [(Turn("system", (HI,)),), (_assistant(HI),), (_user(Text(text=" ")),)]
)
def test_the_user_is_first(turns):
    first = _messages(*turns)[0]

    assert first == {"role": "user", "content": [_text("…")]}


def test_results_of_tools_come_first():
    found = _messages(_user(HI), _assistant(CALL), _user(HI, RESULT))

    result = {"type": "tool_result", "tool_use_id": "t", "content": [_text("42")]}
    assert found[1:] == [
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": [result, _text("Hi")]},
    ]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            ToolResult(call_id="t", parts=(), is_error=True),
            {"type": "tool_result", "tool_use_id": "t", "is_error": True},
        ),
        (
            ToolResult(call_id="t", parts=(Text(text=" "),)),
            {"type": "tool_result", "tool_use_id": "t"},
        ),
        (
            ToolResult(call_id="t", parts=(Media(kind="images", mime="image/png", data="iVBO"),)),
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"},
                    }
                ],
            },
        ),
        (
            Media(kind="images", mime="image/*", url="https://x/y.png"),
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        ),
        (
            Media(kind="images", mime="image/*", file_id="file_1", maker="anthropic"),
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        ),
        (
            Media(kind="files", mime="application/pdf", data="JVBE", name="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                "title": "a.pdf",
            },
        ),
        (
            Media(kind="files", mime="text/csv", data=base64.b64encode("ä,b".encode()).decode()),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "ä,b"},
            },
        ),
    ],
)
def test_what_the_user_gives(part, block):
    assert _blocks(part) == [block]


@pytest.mark.parametrize(
    ("part", "blocks"),
    [
        (Text(text="\n"), []),
        (OWN, [SIGNED]),
        (
            Thinking(text="", opaque=redacted("Em+/")),
            [{"type": "redacted_thinking", "data": "Em+/"}],
        ),
        (Thinking(text="Hm"), []),
        (Thinking(text="Hm", opaque=Opaque("gemini", "x")), []),
        (CALL, [USE]),
        (ToolCall(id="t", name="f", arguments=""), [{**USE, "input": {}}]),
        (ToolCall(id="t", name="f", arguments="{"), [{**USE, "input": {"INVALID_JSON": "{"}}]),
        (ToolCall(id="t", name="f", arguments="[1]"), [{**USE, "input": {"INVALID_JSON": "[1]"}}]),
        (
            ToolCall(id="t", name="f", arguments="SELECT 1", custom=True),
            [{**USE, "input": {"input": "SELECT 1"}}],
        ),
    ],
)
def test_what_the_assistant_said(part, blocks):
    assert _blocks(HI, part, role="assistant") == [_text("Hi"), *blocks]


@pytest.mark.parametrize(
    "part",
    [
        Media(kind="audio", mime="audio/wav", data="UklG"),
        Media(kind="images", mime="image/bmp", data="Qk0="),
        Media(kind="images", mime="image/*", file_id="file_1", maker="chat"),
        Media(kind="files", mime="application/zip", data="UEsD"),
        Media(kind="files", mime="text/plain", data="no base64"),
        Media(kind="files", mime="text/plain", data=base64.b64encode(b"\xff").decode()),
        Media(kind="files", mime="text/plain"),
    ],
    ids=lambda part: part.mime,
)
def test_what_claude_cannot_see_is_refused(part):
    with pytest.raises(CannotCarry, match="The model that answers takes"):
        _blocks(part)


def test_a_picture_cannot_be_the_assistants_words():
    with pytest.raises(CannotCarry, match="its own words"):
        _blocks(Media(kind="images", mime="image/png", data="iVBO"), role="assistant")


def test_the_last_words_of_the_assistant_are_gone_on_with():
    found = _messages(_user(HI), _assistant(Text(text="The answer is \n")))

    assert found[-1] == {"role": "assistant", "content": [_text("The answer is")]}


def test_a_model_that_does_not_go_on_refuses():
    with pytest.raises(CannotCarry, match="End with a message of the user"):
        _messages(_user(HI), _assistant(HI), call=NEWER)


@pytest.mark.parametrize(
    ("turns", "holds", "lacks"),
    [
        ([_user(HI)], False, False),
        ([_user(HI), _assistant(OWN, CALL), _user(RESULT)], True, False),
        ([_user(HI), _assistant(CALL), _user(RESULT)], False, True),
        ([_user(HI), _assistant(HI, OWN, CALL), _user(RESULT)], True, True),
        ([_user(HI), _assistant(OWN, CALL), _user(RESULT), _assistant(HI)], True, True),
        ([_user(HI), _assistant(CALL), _user(RESULT), _assistant(HI), _user(HI)], False, False),
        ([_user(RESULT)], False, True),
    ],
)
def test_it_is_known_whether_thoughts_are_there(turns, holds, lacks):
    found = write_messages(talk(*turns), OLDER)

    assert (found.holds_thoughts, found.lacks_thought) == (holds, lacks)


@pytest.mark.parametrize(
    ("id", "safe"),
    [("toolu_01-A", "toolu_01-A"), ("functions.get:0", "functions_get_0"), ("é", "_")],
)
def test_an_id_of_another_provider_is_made_safe(id, safe):
    assert safe_id(id) == safe


def test_a_call_and_its_result_keep_one_id():
    call = ToolCall(id="functions.f:0", name="f", arguments="{}")
    result = ToolResult(call_id="functions.f:0", parts=())

    _, said, given = _messages(_user(HI), _assistant(call), _user(result))

    assert said["content"][0]["id"] == given["content"][0]["tool_use_id"] == "functions_f_0"

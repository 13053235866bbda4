"""The turns of a conversation as a chat completion's messages."""

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
from larouter.core.errors import CannotCarry
from larouter.wire.chat.messages import extra_content, reasoning_details, write_messages
from larouter.wire.road import Call, Quirks

PNG = Media(kind="images", mime="image/png", data="iVBORw0KGgo=")
SHOWN = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
CALL = ToolCall(id="t1", name="f", arguments='{"a":1}')
WRITTEN = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def _written(*turns, **quirks):
    call = Call(name="m", quirks=Quirks(**quirks))
    return write_messages(Conversation(turns=turns), call)


def _user(*parts):
    return Turn("user", parts)


def _assistant(*parts, **quirks):
    (message,) = _written(Turn("assistant", parts), **quirks)
    assert message.pop("role") == "assistant"
    return message


def test_who_says_what():
    assert _written(
        Turn("system", (Text(text="Be brief."), Text(text="In German."))),
        _user(Text(text="Hi"), Text(text=""), Text(text="you")),
        Turn("assistant", (Text(text="Hallo"),)),
        Turn("system", (Text(text="Late."),)),
    ) == [
        {"role": "system", "content": "Be brief.\n\nIn German."},
        {"role": "user", "content": "Hi\n\nyou"},
        {"role": "assistant", "content": "Hallo"},
        {"role": "system", "content": "Late."},
    ]


@pytest.mark.parametrize(
    ("medium", "written"),
    [
        (PNG, SHOWN),
        (
            Media(kind="images", mime="image/*", url="https://a/b.png", detail="low"),
            {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        ),
        (
            Media(kind="audio", mime="audio/x-wav", data="QQ=="),
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
        ),
        (
            Media(kind="audio", mime="audio/mp3", data="QQ=="),
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}},
        ),
        (
            Media(kind="files", mime="text/plain", data="QQ=="),
            {
                "type": "file",
                "file": {"filename": "file", "file_data": "data:text/plain;base64,QQ=="},
            },
        ),
        (
            Media(kind="files", mime="application/pdf", data="QQ==", name="a.pdf"),
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="},
            },
        ),
    ],
)
def test_media(medium, written):
    (message,) = _written(_user(Text(text="see"), medium))

    assert message["content"] == [{"type": "text", "text": "see"}, written]


@pytest.mark.parametrize(
    "medium",
    [
        Media(kind="images", mime="image/*", file_id="f", maker="anthropic"),
        Media(kind="audio", mime="audio/flac", data="QQ=="),
        Media(kind="audio", mime="audio/wav", url="https://a/b.wav"),
        Media(kind="files", mime="application/pdf", url="https://a/b.pdf"),
        Media(kind="files", mime="application/pdf", file_id="f", maker="gemini"),
    ],
)
def test_media_without_words_are_refused(medium):
    with pytest.raises(CannotCarry):
        _written(_user(medium))


def test_a_picture_as_the_assistant_s_own_words_is_refused():
    with pytest.raises(CannotCarry):
        _written(Turn("assistant", (PNG,)))


def test_results_come_first_and_what_they_show_follows():
    result = ToolResult(call_id="t1", parts=(Text(text="4"), PNG, Text(text="2")))
    other = ToolResult(call_id="t2", parts=())

    assert _written(_user(Text(text="Well?"), result, other)) == [
        {"role": "tool", "tool_call_id": "t1", "content": "4\n2"},
        {"role": "tool", "tool_call_id": "t2", "content": ""},
        {"role": "user", "content": [SHOWN, {"type": "text", "text": "Well?"}]},
    ]


@pytest.mark.parametrize(
    ("result", "content"),
    [
        (ToolResult(call_id="t", parts=(Text(text="no such file"),), is_error=True),
         "Error: no such file"),
        (ToolResult(call_id="t", parts=(PNG,)), "See the attachment below."),
        (ToolResult(call_id="t", parts=()), ""),
        (ToolResult(call_id="t", parts=(Text(text=""),)), ""),
    ],
)  # fmt: skip
def test_the_words_of_a_result(result, content):
    assert _written(_user(result))[0]["content"] == content


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((Text(text="Hi"), CALL), {"content": "Hi", "tool_calls": [WRITTEN]}),
        ((CALL,), {"content": None, "tool_calls": [WRITTEN]}),
        ((Thinking(text="Hm"),), {"content": ""}),
        ((Thinking(text="Hm", opaque=Opaque("anthropic", "s")), Text(text="Hi")),
         {"content": "Hi"}),
        ((ToolCall(id="t1", name="f", arguments=""),),
         {"content": None,
          "tool_calls": [{**WRITTEN, "function": {"name": "f", "arguments": "{}"}}]}),
    ],
)  # fmt: skip
def test_what_the_assistant_said(parts, message):
    assert _assistant(*parts) == message


def test_a_thought_goes_back_to_its_maker_byte_exact():
    own = Thinking(text="Hm", opaque=Opaque("chat", "s"), id="r")

    assert _assistant(own, Text(text="Hi")) == {
        "content": "Hi",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "Hm", "signature": "s", "id": "r", "index": 0}
        ],
    }
    assert _assistant(own, Text(text="Hi"), strict=True) == {"content": "Hi"}


@pytest.mark.parametrize(
    ("parts", "thought"),
    [
        ((Thinking(text="A"), Thinking(text="B"), CALL), "AB"),
        ((CALL,), ""),
        ((Thinking(text="A"), Text(text="Hi")), None),
    ],
)
def test_deepseek_gets_the_thought_before_a_call(parts, thought):
    assert _assistant(*parts, thinking=True).get("reasoning_content") == thought


def test_a_call_of_a_tool_of_plain_text():
    call = ToolCall(id="t1", name="sh", arguments="ls", custom=True)

    known = _assistant(call, custom_tools=True)["tool_calls"]
    unknown = _assistant(call)["tool_calls"]

    assert known == [{"id": "t1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]
    assert unknown == [
        {**WRITTEN, "function": {"name": "sh", "arguments": '{"input":"ls"}'}},
    ]


def test_a_long_id_is_shortened_everywhere_alike():
    id = "call_" + "x" * 60
    call, result = ToolCall(id=id, name="f", arguments="{}"), ToolResult(call_id=id, parts=())

    asked, answered = _written(Turn("assistant", (call,)), _user(result))

    assert len(answered["tool_call_id"]) <= 40
    assert asked["tool_calls"][0]["id"] == answered["tool_call_id"]
    custom = ToolCall(id=id, name="f", arguments="x", custom=True)
    assert _assistant(custom, custom_tools=True)["tool_calls"][0]["id"] == answered["tool_call_id"]


def test_what_a_client_may_give_back_of_a_thought():
    thoughts = (
        Thinking(text="A", opaque=Opaque("anthropic", "s")),
        Thinking(text="B"),
        Thinking(text="", opaque=Opaque("responses", "e"), id="rs_1"),
    )

    assert reasoning_details(thoughts, 4) == [
        {
            "type": "reasoning.text",
            "text": "A",
            "signature": "lar1.anthropic.s",
            "id": None,
            "index": 4,
        },
        {"type": "reasoning.encrypted", "data": "lar1.responses.e", "id": "rs_1", "index": 6},
    ]


@pytest.mark.parametrize(
    ("opaque", "content"),
    [
        (Opaque("gemini", "s"), {"google": {"thought_signature": "s"}}),
        (Opaque("anthropic", "s"), None),
        (None, None),
    ],
)
def test_only_gemini_signs_calls(opaque, content):
    assert extra_content(opaque) == content

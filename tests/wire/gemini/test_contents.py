"""Turns as contents: two roles, responses after their calls, signatures where they came."""

import msgspec
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
from larouter.wire.gemini.contents import system_parts, write_contents
from larouter.wire.gemini.signature import SKIP
from larouter.wire.strict_json import encode

OWN, OTHER = Opaque("gemini", "EpQD/+=="), Opaque("anthropic", "ErUB")
PNG = Media(kind="images", mime="image/png", data="AAAA")


def written(*turns, model="gemini-4-argon"):
    contents = write_contents(Conversation(turns=turns), model)
    return msgspec.json.decode(encode(contents))


def user(*parts):
    return Turn("user", parts)


def said(*parts):
    return Turn("assistant", parts)


def system(text):
    return Turn("system", (Text(text=text),))


HI = user(Text(text="Hi"))
CALL = ToolCall(id="1", name="f", arguments='{"a": 18446744073709551615}', opaque=OWN)


def result(text="done", call="1", **fields):
    return ToolResult(call_id=call, parts=(Text(text=text),), **fields)


def test_two_speak():
    assert written(HI, said(Text(text="Hello")), user(Text(text="a"), Text(text="b"))) == [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "Hello"}]},
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
    ]


def test_the_system_opens_and_later_speaks_as_the_user():
    turns = (system("a"), HI, system("b"), user(Text(text="c")))

    assert system_parts(Conversation(turns=turns)) == [{"text": "a"}]
    assert written(*turns) == [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "b"}, {"text": "c"}]}
    ]


def test_a_system_alone_is_the_user():
    turns = (system("a"), system("b"))

    assert system_parts(Conversation(turns=turns)) == []
    assert written(*turns) == [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}]


def test_a_call_and_its_result():
    assert written(HI, said(CALL), user(result()))[1:] == [
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "1", "name": "f", "args": {"a": 18446744073709551615}},
                    "thoughtSignature": OWN.data,
                }
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "1", "name": "f", "response": {"output": "done"}}}
            ],
        },
    ]


def test_results_come_first_and_in_the_order_of_their_calls():
    calls = [ToolCall(id=each, name=each, arguments="{}") for each in ("x", "y")]

    contents = written(
        HI, said(*calls), system("late"), user(Text(text="and"), result(call="y"), result(call="x"))
    )

    said_last = [
        part.get("text") or part["functionResponse"]["id"] for part in contents[2]["parts"]
    ]
    assert said_last == ["x", "y", "late", "and"]


def test_a_result_of_an_older_call_comes_after_the_newer_ones():
    calls = [said(ToolCall(id=each, name=each, arguments="{}")) for each in ("x", "y")]

    contents = written(HI, calls[0], HI, calls[1], user(result(call="x"), result(call="y")))

    assert [part["functionResponse"]["id"] for part in contents[-1]["parts"]] == ["y", "x"]


def test_an_error_is_named_so():
    response = written(HI, said(CALL), user(result("boom", is_error=True)))[2]["parts"][0]

    assert response["functionResponse"]["response"] == {"error": "boom"}


def test_pictures_are_part_of_the_result_where_the_model_takes_them():
    shown = ToolResult(call_id="1", parts=(Text(text="a"), PNG, Text(text="b")))
    inline = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}

    newer = written(HI, said(CALL), user(shown))[2]["parts"]
    older = written(HI, said(CALL), user(shown), model="gemini-2.5-pro")[2]["parts"]

    assert newer[0]["functionResponse"]["parts"] == [inline]
    assert newer[0]["functionResponse"]["response"] == {"output": "a\nb"}
    assert "parts" not in older[0]["functionResponse"]
    assert older[1:] == [inline]


@pytest.mark.parametrize(
    "medium",
    [
        Media(kind="audio", mime="audio/wav", data="AAAA"),
        Media(kind="images", mime="image/png", url="https://x/y.png"),
    ],
)
def test_what_no_response_holds_stands_beside_it(medium):
    parts = written(HI, said(CALL), user(ToolResult(call_id="1", parts=(medium,))))[2]["parts"]

    assert len(parts) == 2
    assert parts[0]["functionResponse"]["response"] == {"output": ""}


def test_a_result_without_its_call_cannot_be_named():
    with pytest.raises(CannotCarry, match="'1'"):
        written(HI, user(result()))


@pytest.mark.parametrize(
    ("arguments", "args"),
    [
        ('{"a": 1.0}', {"a": 1.0}), ("", {}), ("[1]", {"input": [1]}), ("{", {"input": "{"}),
        ('"x"', {"input": "x"}),
    ],
)  # fmt: skip
def test_arguments_are_an_object(arguments, args):
    call = ToolCall(id="1", name="f", arguments=arguments)

    assert written(HI, said(call))[1]["parts"][0]["functionCall"]["args"] == args


def test_plain_input_is_wrapped():
    call = ToolCall(id="1", name="f", arguments='{"a": 1}', custom=True)

    assert written(HI, said(call))[1]["parts"][0]["functionCall"]["args"] == {"input": '{"a": 1}'}


def test_a_call_without_its_signature_gets_the_stand_in():
    other = ToolCall(id="1", name="f", arguments="{}", opaque=OTHER)

    assert written(HI, said(other), user(result()))[1]["parts"][0]["thoughtSignature"] == SKIP


def test_only_geminis_own_thoughts_go_back():
    thoughts = (
        Thinking(text="mine", opaque=OWN),
        Thinking(text="theirs", opaque=OTHER),
        Thinking(text="nobody's"),
        Text(text="said", opaque=OWN),
        Text(text="said", opaque=OTHER),
        Text(text="", opaque=OWN),
        Text(text="", opaque=OTHER),
    )

    assert written(HI, said(*thoughts))[1]["parts"] == [
        {"text": "mine", "thought": True, "thoughtSignature": OWN.data},
        {"text": "said", "thoughtSignature": OWN.data},
        {"text": "said"},
        {"text": "", "thoughtSignature": OWN.data},
    ]


def test_a_turn_of_which_nothing_is_left_is_left_out():
    assert written(HI, said(Thinking(text="theirs", opaque=OTHER)), user(Text(text="a"))) == [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "a"}]}
    ]


@pytest.mark.parametrize(
    ("medium", "part"),
    [
        (PNG, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        (
            Media(kind="files", mime="application/pdf", url="https://x/y.pdf"),
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x/y.pdf"}},
        ),
        (
            Media(kind="images", mime="", url="https://x/y.png"),
            {"fileData": {"fileUri": "https://x/y.png"}},
        ),
        (
            Media(kind="files", mime="video/mp4", file_id="gs://x/y", maker="gemini"),
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://x/y"}},
        ),
    ],
)
def test_media(medium, part):
    assert written(user(medium))[0]["parts"] == [part]


def test_a_file_at_another_provider_cannot_be_read():
    with pytest.raises(CannotCarry, match="another provider"):
        written(user(Media(kind="files", mime="", file_id="file-1", maker="responses")))

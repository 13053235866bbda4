import json
from typing import Any

import pytest
from msgspec.structs import replace

from larouter.core.conversation import (
    Conversation,
    Format,
    Media,
    Opaque,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.wire.losses import refuse_what_is_lost
from larouter.wire.responses import DIALECT, WIRE
from larouter.wire.responses.outbound import write
from larouter.wire.road import Call
from tests.clouds import openai_responses_rules as rules
from tests.clouds.signatures import Signatures

CALL = Call(name="gpt-6.1-terra")
OLD = Call(name="gpt-4.1")
ENCRYPTED = ["reasoning.encrypted_content"]
HI = Turn("user", (Text(text="Hi"),))
TOOL = Tool(name="f", description="Does.", parameters={"type": "object", "properties": {}})
PATCH = Tool(name="patch", custom={"type": "text"})


def body(sending):
    """What OpenAI gets; its strict stand-in takes it."""
    given = json.loads(sending.body)
    rules.check(given)
    return given


def written(*turns, call=CALL, **fields):
    sending = write(Conversation(turns=turns or (HI,), **fields), call)
    assert sending.path == "responses"
    given = body(sending)
    thoughts = [item for item in given["input"] if item["type"] == "reasoning"]
    others = [item for item in given["input"] if item not in thoughts]
    rules.pairs(rules.items(others, Signatures(), {}))
    return given


def items(*turns):
    return written(*turns)["input"]


def assistant(*parts):
    return Turn("assistant", parts)


def test_a_plain_question():
    assert written() == {
        "model": "gpt-6.1-terra",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
        ],
        "store": False,
        "include": ENCRYPTED,
    }


@pytest.mark.parametrize("name", ["gpt-4.1", "gpt-4o-mini", "gpt-3.5-turbo", "gpt-5-chat-latest"])
def test_models_that_do_not_think_are_not_asked_for_thoughts(name):
    assert "include" not in json.loads(write(Conversation(turns=(HI,)), Call(name=name)).body)


def test_the_system_speaks_first_and_late():
    given = written(Turn("system", (Text(text="A"), Text(text="B"))), HI, Turn("system", (
        Text(text="C"),
    )))  # fmt: skip

    assert given["instructions"] == "A\n\nB"
    assert given["input"][1] == {
        "type": "message",
        "role": "developer",
        "content": [{"type": "input_text", "text": "C"}],
    }


def test_calls_and_results():
    said = items(
        HI,
        assistant(
            Text(text="Look"),
            ToolCall(id="c1", name="f", arguments=""),
            ToolCall(id="c2", name="patch", arguments="***", custom=True),
        ),
        Turn(
            "user",
            (
                ToolResult(call_id="c1", parts=(Text(text="one"), Text(text="two"))),
                ToolResult(call_id="c2", parts=(Text(text="bad"),), is_error=True),
                Text(text="So?"),
            ),
        ),
    )

    assert said[1:] == [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Look"}],
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "***"},
        {"type": "function_call_output", "call_id": "c1", "output": "one\ntwo"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "Error: bad"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "So?"}]},
    ]


def test_a_result_may_show_a_picture():
    shown = Media(kind="images", mime="image/png", data="QQ==")
    result = ToolResult(call_id="c", parts=(Text(text="see"), shown))
    said = items(HI, assistant(ToolCall(id="c", name="f", arguments="{}")), Turn("user", (result,)))

    assert said[-1]["output"] == [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,QQ=="},
    ]


def test_a_failed_result_says_so_before_its_picture():
    picture = Media(kind="images", mime="image/png", data="QQ==")
    call = ToolCall(id="c1", name="shot", arguments="{}")
    result = ToolResult(call_id="c1", parts=(picture,), is_error=True)

    output = items(assistant(call), Turn("user", (result,)))[-1]["output"]

    assert [part["type"] for part in output] == ["input_text", "input_image"]
    assert output[0]["text"] == "Error:"


def test_long_ids_are_shortened_alike():
    said = items(
        HI,
        assistant(ToolCall(id="x" * 80, name="f", arguments="{}")),
        Turn("user", (ToolResult(call_id="x" * 80, parts=()),)),
    )

    assert said[1]["call_id"] == said[2]["call_id"]
    assert len(said[1]["call_id"]) <= 64


def test_openais_thoughts_go_back_byte_exact_and_others_stay_out():
    said = items(
        HI,
        assistant(
            Thinking(text="Hm", opaque=Opaque("responses", "gAAA=="), id="rs_1"),
            Thinking(text="", opaque=Opaque("responses", "gBBB==")),
            Thinking(text="Other", opaque=Opaque("anthropic", "c2ln")),
            Thinking(text="Bare"),
            Text(text="Yes", opaque=Opaque("gemini", "c2ln")),
        ),
    )

    assert said[1:3] == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm"}],
            "encrypted_content": "gAAA==",
            "id": "rs_1",
        },
        {"type": "reasoning", "summary": [], "encrypted_content": "gBBB=="},
    ]
    assert len(said) == 4


@pytest.mark.parametrize(
    ("medium", "part"),
    [
        (
            Media(kind="images", mime="image/*", url="https://x.test/a", detail="low"),
            {"type": "input_image", "detail": "low", "image_url": "https://x.test/a"},
        ),
        (
            Media(kind="images", mime="image/*", file_id="file_1", maker="responses"),
            {"type": "input_image", "detail": "auto", "file_id": "file_1"},
        ),
        (
            Media(kind="files", mime="application/pdf", file_id="file_1", maker="chat"),
            {"type": "input_file", "file_id": "file_1"},
        ),
        (
            Media(kind="files", mime="application/pdf", url="https://x.test/a.pdf"),
            {"type": "input_file", "file_url": "https://x.test/a.pdf"},
        ),
        (
            Media(kind="files", mime="text/plain", data="QQ=="),
            {
                "type": "input_file",
                "filename": "file",
                "file_data": "data:text/plain;base64,QQ==",
            },
        ),
    ],
)
def test_media(medium, part):
    assert items(Turn("user", (medium,)))[0]["content"] == [part]


@pytest.mark.parametrize(
    "medium",
    [
        Media(kind="files", mime="application/pdf", file_id="file_1", maker="anthropic"),
        Media(kind="audio", mime="audio/wav", data="QQ=="),
    ],
)
def test_what_openai_cannot_read_is_refused(medium):
    with pytest.raises(CannotCarry):
        write(Conversation(turns=(Turn("user", (medium,)),)), CALL)


def test_a_picture_that_a_model_made_is_shown_to_the_next():
    said = items(HI, assistant(Text(text="Here"), Media(kind="images", mime="image/*", url="u")))

    assert [item["role"] for item in said] == ["user", "assistant", "user"]


def test_tools():
    given = written(tools=(TOOL, Tool(name="g", strict=True), PATCH, Tool(name="say", custom={})))

    assert given["tools"] == [
        {
            "type": "function",
            "name": "f",
            "description": "Does.",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
        {
            "type": "function",
            "name": "g",
            "parameters": {
                "type": "object",
                "properties": {},
                "additionalProperties": False,
                "required": [],
            },
            "strict": True,
        },
        {"type": "custom", "name": "patch", "format": {"type": "text"}},
        {"type": "custom", "name": "say"},
    ]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (ToolChoice(mode="none"), "none"),
        (ToolChoice(mode="required"), "required"),
        (ToolChoice(mode="named", name="f"), {"type": "function", "name": "f"}),
        (ToolChoice(mode="named", name="patch"), {"type": "custom", "name": "patch"}),
        (
            ToolChoice(mode="auto", among=("f", "patch")),
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [
                    {"type": "function", "name": "f"},
                    {"type": "custom", "name": "patch"},
                ],
            },
        ),
        (ToolChoice(mode="none", among=("f",)), "none"),
    ],
)
def test_tool_choices(choice, words):
    assert written(tools=(TOOL, PATCH), tool_choice=choice)["tool_choice"] == words


@pytest.mark.parametrize("mode", ["required", "named"])
def test_a_model_that_cannot_be_forced_may_choose(mode):
    call = Call(name="o1", refuses=frozenset({"forced_tools"}))
    choice = ToolChoice(mode=mode, name="f")

    assert written(call=call, tools=(TOOL,), tool_choice=choice)["tool_choice"] == "auto"


def test_a_choice_without_tools_is_left_out():
    assert "tool_choice" not in written(tool_choice=ToolChoice(mode="auto"))


def test_a_schema_is_strict_only_if_that_was_asked():
    schema = {"type": "object", "properties": {}, "additionalProperties": False, "required": []}
    given = written(format=Format(schema=schema, name="a", description="It."))

    assert given["text"]["format"] == {
        "type": "json_schema",
        "name": "a",
        "schema": schema,
        "strict": False,
        "description": "It.",
    }
    asked_strictly = written(format=Format(schema=schema, strict=True))["text"]["format"]
    assert asked_strictly["strict"] is True
    assert "description" not in asked_strictly


def test_any_json_is_asked_for_where_openai_looks():
    given = written(Turn("system", (Text(text="Be brief."),)), HI, format=Format())

    assert given["text"] == {"format": {"type": "json_object"}}
    assert "instructions" not in given
    assert [item["role"] for item in given["input"]] == ["developer", "developer", "user"]


def test_settings():
    given = written(
        call=replace(OLD, stream=True),
        max_output=5,
        temperature=0.5,
        top_p=0.9,
        user="u1",
        tools=(TOOL,),
        parallel_tools=False,
    )

    assert given["max_output_tokens"] == 16
    assert (given["temperature"], given["top_p"], given["user"]) == (0.5, 0.9, "u1")
    assert (given["stream"], given["parallel_tool_calls"]) == (True, False)


def test_what_the_model_refuses_is_left_out():
    call = Call(name="gpt-5", refuses=frozenset({"temperature", "top_p", "thinking_off"}))
    given = written(call=call, temperature=0.5, top_p=0.9, effort="none")

    assert {"temperature", "top_p", "reasoning"} & set(given) == set()


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({"effort": "high"}, {"effort": "high"}),
        ({"effort": "none"}, {"effort": "none"}),
        ({"thinking_tokens": 1024}, {"effort": "minimal"}),
        ({"thinking_tokens": 4000}, {"effort": "low"}),
        ({"thinking_tokens": 9000}, {"effort": "medium"}),
        ({"thinking_tokens": 60_000}, {"effort": "high"}),
        ({"thinking_tokens": 60_000, "effort": "low"}, {"effort": "low"}),
        ({"shows_thinking": True}, {"summary": "auto"}),
    ],
)
def test_how_hard_to_think(fields, reasoning):
    assert written(**fields)["reasoning"] == reasoning


LOST: dict[str, Any] = {
    "stop": ("END",),
    "top_k": 5,
    "seed": 7,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
}


@pytest.mark.parametrize("loss", WIRE.losses, ids=lambda loss: loss.field)
def test_what_is_lost_is_known_by_its_row(loss):
    medium = Media(kind="audio", mime="audio/wav", data="QQ==")
    if loss.field == "audio":
        said = Conversation(turns=(Turn("user", (medium,)),))
    else:
        said = Conversation(turns=(HI,), **{loss.field: LOST[loss.field]})
    if loss.becomes == "refused":
        with pytest.raises(CannotCarry):
            refuse_what_is_lost(said, DIALECT, WIRE)
    else:
        assert write(said, CALL) == write(Conversation(turns=(HI,)), CALL)

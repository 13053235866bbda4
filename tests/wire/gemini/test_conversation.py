"""A client's request, whole, in no dialect."""

import json

import pytest

from larouter.core.conversation import (
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
from larouter.core.errors import BadRequest, CannotCarry
from larouter.wire.gemini import read_request
from larouter.wire.gemini.conversation import read_conversation
from larouter.wire.gemini.signature import sign

HI = [{"role": "user", "parts": [{"text": "Hi"}]}]
FOREIGN = Opaque("responses", "gAAA")


def read(contents=HI, **fields):
    body = json.dumps({"contents": contents, **fields}).encode()
    return read_conversation(read_request(body, model="auto", stream=True, sse=False))


def parts(*given, role="model"):
    turns = read([{"role": role, "parts": list(given)}]).turns
    return turns[0].parts if turns else ()


def test_the_turns():
    turns = read(
        [*HI, {"role": "model", "parts": {"text": "Hello"}}, {"parts": [{"text": "a"}]},
         {"role": "user", "parts": [{"text": "b"}]}, {"role": "system", "parts": [{"text": "c"}]},
         {"role": "model", "parts": []}],
        systemInstruction={"role": "user", "parts": [{"text": "Be brief."}, {"text": ""}]},
    ).turns  # fmt: skip

    assert turns == (
        Turn("system", (Text(text="Be brief."),)),
        Turn("user", (Text(text="Hi"),)),
        Turn("assistant", (Text(text="Hello"),)),
        Turn("user", (Text(text="a"), Text(text="b"))),
        Turn("system", (Text(text="c"),)),
    )


def test_the_pieces_of_a_stream_are_one_text_again():
    turns = read(
        [
            {"role": "model", "parts": [{"text": "h", "thought": True}]},
            {"role": "model", "parts": [{"text": "m", "thought": True}]},
            {
                "role": "model",
                "parts": [{"text": "", "thought": True, "thoughtSignature": sign(FOREIGN, "rs_1")}],
            },
            {"role": "model", "parts": [{"text": "He"}, {"text": ""}]},
            {"role": "model", "parts": [{"text": "llo", "thoughtSignature": "s"}]},
            {"role": "model", "parts": [{"text": "!"}]},
        ]
    ).turns

    assert turns == (
        Turn(
            "assistant",
            (
                Thinking(text="hm", opaque=FOREIGN, id="rs_1"),
                Text(text="Hello", opaque=Opaque("gemini", "s")),
                Text(text="!"),
            ),
        ),
    )


def test_a_hidden_thought_comes_back():
    hidden = {"text": "", "thought": True, "thoughtSignature": sign(FOREIGN)}

    assert parts(hidden, hidden) == (
        Thinking(text="", opaque=FOREIGN),
        Thinking(text="", opaque=FOREIGN),
    )
    assert parts({"text": "", "thought": True}, {"text": ""}) == ()
    assert parts({"thoughtSignature": sign(FOREIGN)}) == (Text(text="", opaque=FOREIGN),)


def test_a_call_and_its_result():
    turns = read(
        [
            *HI,
            {
                "role": "model",
                "parts": [
                    {
                        "functionCall": {"id": "1", "name": "f", "args": {"a": 2**64 - 1}},
                        "thoughtSignature": sign(FOREIGN),
                    }
                ],
            },
            {
                "role": "function",
                "parts": [{"functionResponse": {"id": "1", "name": "f", "response": {"a": 1}}}],
            },
        ]
    ).turns

    assert turns[1:] == (
        Turn(
            "assistant",
            (ToolCall(id="1", name="f", arguments='{"a":18446744073709551615}', opaque=FOREIGN),),
        ),
        Turn("user", (ToolResult(call_id="1", parts=(Text(text='{"a":1}'),)),)),
    )


def test_calls_without_ids_are_paired_by_name():
    def call(name):
        return {"functionCall": {"name": name}}

    def response(name):
        return {"function_response": {"name": name, "response": {"output": name}}}

    turns = read(
        [{"role": "model", "parts": [call("f"), call("g"), call("f")]},
         {"role": "user", "parts": [response("g"), response("f"), response("f")]}]
    ).turns  # fmt: skip

    assert [part.id for part in turns[0].parts] == ["call_0", "call_1", "call_2"]
    assert [part.call_id for part in turns[1].parts] == ["call_1", "call_0", "call_2"]
    assert {part.arguments for part in turns[0].parts} == {"{}"}


def test_a_result_without_its_call_is_refused():
    with pytest.raises(BadRequest) as caught:
        parts({"functionResponse": {"name": "f", "response": {}}}, role="user")

    assert caught.value.param == "contents[0].parts[0].functionResponse"


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "plain"}, "plain", False),
        ({"output": [1]}, "[1]", False),
        ({"error": "boom"}, "boom", True),
        ({"result": "x"}, '{"result":"x"}', False),
        ({"output": "x", "more": 1}, '{"output":"x","more":1}', False),
        (None, "{}", False),
    ],
)
def test_what_a_tool_said(response, text, is_error):
    _, result = parts(
        {"functionCall": {"name": "f"}}, {"functionResponse": {"name": "f", "response": response}}
    )

    assert (result.parts, result.is_error) == ((Text(text=text),), is_error)


def test_a_tool_may_show_a_picture():
    blob = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    picture = Media(kind="images", mime="image/png", data="AAAA")

    _, bare = parts(
        {"functionCall": {"name": "f"}},
        {"functionResponse": {"name": "f", "response": {}, "parts": [blob]}},
    )
    _, both = parts(
        {"functionCall": {"name": "f"}},
        {"functionResponse": {"name": "f", "response": {"output": "a"}, "parts": [blob]}},
    )

    assert bare.parts == (picture,)
    assert both.parts == (Text(text="a"), picture)


@pytest.mark.parametrize(
    ("part", "medium"),
    [
        (
            {"inline_data": {"mime_type": "audio/wav", "data": "AAAA"}},
            Media(kind="audio", mime="audio/wav", data="AAAA"),
        ),
        ({"inlineData": {"displayName": "x"}}, Media(kind="files", mime="", data="")),
        (
            {"fileData": {"mimeType": "image/png", "fileUri": "https://x/y.png"}},
            Media(kind="images", mime="image/png", url="https://x/y.png"),
        ),
        (
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/1"}},
            Media(
                kind="files",
                mime="",
                file_id="https://generativelanguage.googleapis.com/v1beta/files/1",
                maker="gemini",
            ),
        ),
    ],
)
def test_media(part, medium):
    assert parts(part, role="user") == (medium,)


@pytest.mark.parametrize("part", [{"executableCode": {"code": "1"}}, {"toolCall": {}}, {}])
def test_what_google_alone_takes_is_refused(part):
    with pytest.raises(CannotCarry) as caught:
        parts(part)

    assert caught.value.param == "contents[0].parts[0]"


def test_every_field_has_its_place():
    conversation = read(
        generationConfig={
            "maxOutputTokens": 7, "temperature": 0.5, "topP": 0.4, "topK": 3.0, "seed": 2,
            "stopSequences": ["x"], "presencePenalty": 1, "frequencyPenalty": -1,
            "thinkingConfig": {"thinkingBudget": 512, "includeThoughts": True},
        }
    )  # fmt: skip

    assert conversation.max_output == 7
    assert (conversation.temperature, conversation.top_p, conversation.top_k) == (0.5, 0.4, 3)
    assert (conversation.seed, conversation.stop) == (2, ("x",))
    assert (conversation.presence_penalty, conversation.frequency_penalty) == (1, -1)
    assert (conversation.effort, conversation.thinking_tokens) == (None, 512)
    assert conversation.shows_thinking
    assert conversation.extra == {}


def test_what_has_no_place_is_extra():
    conversation = read(
        safety_settings=[], generationConfig={"candidate_count": 2}, tools=[{"google_search": {}}]
    )

    assert conversation.extra == {
        "safetySettings": [], "candidateCount": 2, "tools": [{"googleSearch": {}}],
    }  # fmt: skip


def test_tools_are_read_in_both_kinds_of_schema():
    tools = read(
        tools=[
            {
                "functionDeclarations": [
                    {"name": "f", "description": "d", "parameters": {"type": "OBJECT"}},
                    {"name": "g", "parametersJsonSchema": {"type": "object", "$defs": {}}},
                    {"name": "h"},
                ]
            }
        ]
    ).tools

    assert tools == (
        Tool(name="f", description="d", parameters={"type": "object"}),
        Tool(name="g", parameters={"type": "object", "$defs": {}}),
        Tool(name="h"),
    )


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({}, None),
        ({"mode": "MODE_UNSPECIFIED"}, None),
        ({"mode": "AUTO"}, ToolChoice(mode="auto")),
        ({"mode": "any"}, ToolChoice(mode="required")),
        ({"mode": "NONE"}, ToolChoice(mode="none")),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, ToolChoice(mode="named", name="f")),
        (
            {"mode": "ANY", "allowed_function_names": ["f", "g"]},
            ToolChoice(mode="required", among=("f", "g")),
        ),
        (
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
            ToolChoice(mode="auto", among=("f",)),
        ),
    ],
)
def test_the_choice_of_tools(calling, choice):
    assert read(toolConfig={"functionCallingConfig": calling}).tool_choice == choice


def test_an_unknown_choice_is_refused():
    with pytest.raises(BadRequest) as caught:
        read(tool_config={"function_calling_config": {"mode": "SOMETIMES"}})

    assert caught.value.param == "toolConfig.functionCallingConfig.mode"


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({}, None),
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, Format()),
        ({"responseSchema": {"type": "OBJECT"}}, Format(schema={"type": "object"})),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"const": 1}},
            Format(schema={"const": 1}),
        ),
    ],
)
def test_the_shape_of_the_answer(config, wanted):
    assert read(generationConfig=config).format == wanted


def test_an_answer_that_is_no_text_cannot_be_had():
    with pytest.raises(CannotCarry):
        read(generationConfig={"responseMimeType": "text/x.enum"})

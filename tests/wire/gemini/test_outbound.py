"""Requests for Gemini."""

import json

import pytest
from msgspec.structs import replace

from larouter.core.conversation import Conversation, Format, Text, Tool, ToolChoice, Turn
from larouter.core.errors import CannotCarry
from larouter.wire.gemini import losses, read_request
from larouter.wire.gemini.outbound import pass_on, write
from larouter.wire.gemini.signature import SKIP, sign
from larouter.wire.road import Call
from tests.wire.gemini.test_signature import FOREIGN

ARGON = Call(name="gemini-4-argon")
HI = Turn("user", (Text(text="Hi"),))
TOOL = Tool(name="f", description="d", parameters={"type": "object", "$schema": "x"})


def body_of(call=ARGON, turns=(HI,), **fields):
    return json.loads(write(Conversation(turns=turns, **fields), call).body)


def config_of(call=ARGON, **fields):
    return body_of(call, **fields)["generationConfig"]


def test_the_path_names_model_and_method():
    conversation = Conversation(turns=(HI,))

    assert write(conversation, ARGON).path == "v1beta/models/gemini-4-argon:generateContent"
    assert write(conversation, Call(name="a b", stream=True)).path == (
        "v1beta/models/a%20b:streamGenerateContent?alt=sse"
    )


def test_the_least_is_contents():
    assert body_of() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def test_the_system_has_its_own_place():
    system = Turn("system", (Text(text="Be brief."),))

    assert body_of(turns=(system, HI))["systemInstruction"] == {"parts": [{"text": "Be brief."}]}


@pytest.mark.parametrize(
    ("fields", "config"),
    [
        ({"max_output": 7}, {"maxOutputTokens": 7}),
        ({"temperature": 0.0}, {"temperature": 0.0}),
        ({"top_p": 0.5}, {"topP": 0.5}),
        ({"top_k": 3}, {"topK": 3}),
        ({"stop": ("a", "b")}, {"stopSequences": ["a", "b"]}),
        ({"seed": 5}, {"seed": 5}),
        ({"seed": 2**40 + 1}, {"seed": 1}),
        ({"effort": "high"}, {"thinkingConfig": {"thinkingLevel": "HIGH"}}),
        ({"thinking_tokens": 512}, {"thinkingConfig": {"thinkingLevel": "LOW"}}),
        ({"shows_thinking": True}, {"thinkingConfig": {"includeThoughts": True}}),
        ({"format": Format()}, {"responseMimeType": "application/json"}),
        (
            {"format": Format(schema={"const": "a"}, description="d")},
            {
                "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "string", "enum": ["a"], "description": "d"},
            },
        ),
    ],
)
def test_a_field_has_its_place(fields, config):
    assert config_of(**fields) == config


def test_what_the_model_refuses_is_left_out():
    call = Call(name="gemini-4-argon", refuses=frozenset({"temperature", "top_p"}))

    assert "generationConfig" not in body_of(call, temperature=1.0, top_p=0.5, top_k=3)


@pytest.mark.parametrize("loss", losses.OF_WIRE)
def test_what_is_left_out_changes_nothing(loss):
    value = {"user": "u", "parallel_tools": False}.get(loss.field, 0.5)

    assert body_of(**{loss.field: value}) == body_of()


def test_too_many_stop_texts_are_refused():
    with pytest.raises(CannotCarry) as caught:
        body_of(stop=tuple("abcdef"))

    assert caught.value.param == "stop"


def test_an_answer_is_not_continued_where_the_model_refuses_it():
    turns = (HI, Turn("assistant", (Text(text="Once"),)))

    assert body_of(turns=turns)["contents"][-1]["role"] == "model"
    with pytest.raises(CannotCarry):
        body_of(Call(name="gemini-4-argon", refuses=frozenset({"prefill"})), turns=turns)


def test_tools_are_declared():
    bare = Tool(name="g")

    assert body_of(tools=(TOOL, bare))["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}},
                {"name": "g"},
            ]
        }
    ]


def test_a_tool_for_plain_text_takes_it_in_one_field():
    custom = Tool(name="f", custom={"definition": "start: /a+/"})
    (tool,) = body_of(tools=(custom,))["tools"][0]["functionDeclarations"]

    assert tool["parametersJsonSchema"] == {
        "type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"],
    }  # fmt: skip
    assert tool["description"].endswith("start: /a+/")


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        (ToolChoice(mode="auto"), {"mode": "AUTO"}),
        (ToolChoice(mode="none"), {"mode": "NONE"}),
        (ToolChoice(mode="none", among=("f",)), {"mode": "NONE"}),
        (ToolChoice(mode="required"), {"mode": "ANY"}),
        (ToolChoice(mode="named", name="f"), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice(mode="required", among=("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (
            ToolChoice(mode="auto", among=("f",)),
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_the_choice_of_tools(choice, calling):
    config = body_of(tools=(TOOL,), tool_choice=choice)["toolConfig"]

    assert config == {"functionCallingConfig": calling}


def test_a_forced_tool_is_left_to_a_model_that_refuses_force():
    call = Call(name="gemini-4-argon", refuses=frozenset({"forced_tools"}))
    body = body_of(call, tools=(TOOL,), tool_choice=ToolChoice(mode="required"))

    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}


def test_a_choice_among_no_tools_is_none():
    assert body_of(tool_choice=ToolChoice(mode="auto")) == body_of()


def passed_on(body, call=ARGON, **options):
    return pass_on(read_request(json.dumps(body).encode(), model="auto", **options), call)


CONTENTS = [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_a_clients_body_passes_as_it_is():
    body = {
        "contents": CONTENTS, "safetySettings": [{"category": "x", "threshold": "y"}],
        "generation_config": {"max_output_tokens": 7, "candidate_count": 2},
        "tools": [{"googleSearch": {}}], "cachedContent": "cachedContents/1", "unknown": [1.5],
    }  # fmt: skip

    sending = passed_on(body)

    assert sending.path == "v1beta/models/gemini-4-argon:generateContent"
    assert json.loads(sending.body) == body


def test_a_stream_is_always_asked_for_as_events():
    call = Call(name="gemini-4-argon", stream=True)

    sending = passed_on({"contents": CONTENTS}, call, stream=True, sse=False)

    assert sending.path.endswith(":streamGenerateContent?alt=sse")
    assert json.loads(sending.body) == {"contents": CONTENTS}


@pytest.mark.parametrize(
    "config", [{}, {"generationConfig": {"maxOutputTokens": 9, "topK": 2}},
               {"generation_config": {"max_output_tokens": 9, "top_k": 2}}],
)  # fmt: skip
def test_a_lower_limit_replaces_the_clients(config):
    request = read_request(json.dumps({"contents": CONTENTS, **config}).encode(), model="auto")

    body = json.loads(pass_on(replace(request, max_output=5), ARGON).body)

    assert "generation_config" not in body
    assert body["generationConfig"]["maxOutputTokens"] == 5
    assert "max_output_tokens" not in body["generationConfig"]
    assert len(body["generationConfig"]) == (2 if config else 1)


def test_what_others_made_is_kept_from_google():
    contents = [
        *CONTENTS,
        {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True, "thoughtSignature": sign(FOREIGN)},
                {"functionCall": {"name": "f"}, "thoughtSignature": sign(FOREIGN)},
            ],
        },
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
    ]

    body = json.loads(passed_on({"contents": contents}).body)

    assert body["contents"][1]["parts"] == [
        {"functionCall": {"name": "f"}, "thoughtSignature": SKIP}
    ]

"""A client's chat completion, read whole."""

import pytest

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
from larouter.core.errors import BadRequest, CannotCarry
from larouter.wire.chat.conversation import conversation
from tests.fakes import a_request

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
PNG = "data:image/png;base64,iVBORw0KGgo="
CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}}


def _read(**fields):
    return conversation(a_request(**fields))


def _turns(*messages):
    return _read(messages=list(messages)).turns


def _parts(content, role="user"):
    (turn,) = _turns({"role": role, "content": content})
    assert turn.role == role
    return turn.parts


def _assistant(**message):
    turns = _turns({"role": "user", "content": "?"}, {"role": "assistant", **message})
    return turns[1].parts if len(turns) > 1 else ()


def test_a_short_request():
    assert _read() == Conversation(turns=(Turn("user", (Text(text="hello"),)),))


def test_who_says_what():
    turns = _turns(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "In German."}]},
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": [{"type": "text", "text": "you"}]},
        {"role": "assistant", "content": "Hallo"},
        {"role": "assistant", "content": None},
        {"role": "system", "content": "Late."},
        {"role": "user", "content": ""},
    )

    assert turns == (
        Turn("system", (Text(text="Be brief."), Text(text="In German."))),
        Turn("user", (Text(text="Hi"), Text(text="you"))),
        Turn("assistant", (Text(text="Hallo"),)),
        Turn("system", (Text(text="Late."),)),
    )


def test_a_tool_s_result_is_said_by_the_user():
    call = {"role": "assistant", "content": "I look.", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "t1", "content": [{"type": "text", "text": "42"}]}

    turns = _turns(call, result, {"role": "user", "content": "Well?"})

    assert turns == (
        Turn("assistant", (Text(text="I look."), ToolCall(id="t1", name="f", arguments='{"a":1}'))),
        Turn("user", (ToolResult(call_id="t1", parts=(Text(text="42"),)), Text(text="Well?"))),
    )


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ({"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
         Media(kind="images", mime="image/png", data="iVBORw0KGgo=", detail="low")),
        ({"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": None}},
         Media(kind="images", mime="image/*", url="https://a/b.png")),
        ({"type": "image_url", "image_url": {"url": "data:IMAGE/PNG;charset=x;base64,QQ=="}},
         Media(kind="images", mime="image/png", data="QQ==")),
        ({"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}},
         Media(kind="audio", mime="audio/mpeg", data="QQ==")),
        ({"type": "input_audio", "input_audio": {"data": "QQ==", "format": "flac"}},
         Media(kind="audio", mime="audio/flac", data="QQ==")),
        ({"type": "file", "file": {"file_id": "f1", "filename": "a.pdf"}},
         Media(kind="files", mime="application/pdf", file_id="f1", maker="chat", name="a.pdf")),
        ({"type": "file", "file": {"file_data": "data:text/plain;base64,QQ=="}},
         Media(kind="files", mime="text/plain", data="QQ==")),
        ({"type": "file", "file": {"file_data": "QQ==", "filename": "a.pdf"}},
         Media(kind="files", mime="application/pdf", data="QQ==", name="a.pdf")),
        ({"type": "file", "file": {"file_data": "https://a/b.pdf"}},
         Media(kind="files", mime="application/pdf", url="https://a/b.pdf")),
        ({"type": "refusal", "refusal": "No."}, Text(text="No.")),
    ],
)  # fmt: skip
def test_parts(part, found):
    assert _parts([{"type": "text", "text": "see"}, part]) == (Text(text="see"), found)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ({"type": "image_url", "image_url": {}}, "messages[0].content[0].image_url.url"),
        ({"type": "image_url", "image_url": {"url": "iVBORw0KGgo="}}, None),
        ({"type": "image_url", "image_url": {"url": "data:image/png,x"}}, None),
        ({"type": "image_url", "image_url": {"url": "data:;base64,x"}}, None),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64"}}, None),
        ({"type": "input_audio", "input_audio": {"data": "x"}},
         "messages[0].content[0].input_audio.format"),
        ({"type": "input_audio", "input_audio": {"data": "x", "format": []}},
         "messages[0].content[0].input_audio.format"),
        ({"type": "input_audio", "input_audio": {"format": "wav"}},
         "messages[0].content[0].input_audio.data"),
        ({"type": "file", "file": {}}, "messages[0].content[0].file.file_data"),
        ({"type": "refusal", "refusal": None}, "messages[0].content[0].type"),
        ({"type": "hologram"}, "messages[0].content[0].type"),
    ],
)  # fmt: skip
def test_a_part_that_cannot_be_read_is_named(part, name):
    with pytest.raises(BadRequest) as caught:
        _parts([part])

    assert caught.value.param == name


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"refusal": "No."}, (Text(text="No."),)),
        ({"content": "Hm", "refusal": None}, (Text(text="Hm"),)),
        ({"reasoning_content": "Hm", "content": "Hi"}, (Thinking(text="Hm"), Text(text="Hi"))),
        ({"reasoning": "Hm"}, (Thinking(text="Hm"),)),
        ({"reasoning": {"odd": 1}}, ()),
        ({"tool_calls": [{"id": "t", "function": {"name": "f", "arguments": None}}]},
         (ToolCall(id="t", name="f", arguments=""),)),
        ({"tool_calls": [{"id": "t", "type": "custom", "custom": {"name": "f", "input": "ls"}}]},
         (ToolCall(id="t", name="f", arguments="ls", custom=True),)),
        ({"tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "s"}}}]},
         (ToolCall(id="t1", name="f", arguments='{"a":1}', opaque=Opaque("gemini", "s")),)),
        ({"tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": 1}}}]},
         (ToolCall(id="t1", name="f", arguments='{"a":1}'),)),
        ({"tool_calls": [{**CALL, "extra_content": {"google": 1}}]},
         (ToolCall(id="t1", name="f", arguments='{"a":1}'),)),
    ],
)  # fmt: skip
def test_what_the_assistant_said(message, parts):
    assert _assistant(**message) == parts


@pytest.mark.parametrize(
    ("details", "parts"),
    [
        ([{"type": "reasoning.text", "text": "A", "signature": "lar1.anthropic.s.1", "id": "r"}],
         (Thinking(text="A", opaque=Opaque("anthropic", "s.1"), id="r"),)),
        ([{"type": "reasoning.encrypted", "data": "theirs"}],
         (Thinking(text="", opaque=Opaque("chat", "theirs")),)),
        ([{"type": "reasoning.text", "text": "A"}], (Thinking(text="A"),)),
        ([{"type": "reasoning.summary", "summary": "A"}, "odd"], (Thinking(text="bare"),)),
        ("odd", (Thinking(text="bare"),)),
    ],
)  # fmt: skip
def test_a_thought_s_details_say_more_than_its_text(details, parts):
    assert _assistant(reasoning_content="bare", reasoning_details=details) == parts


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ({"tool_calls": "odd"}, "tool_calls"),
        ({"tool_calls": ["odd"]}, "tool_calls[0]"),
        ({"tool_calls": [{"id": "t", "type": "mcp", "mcp": {}}]}, "tool_calls[0]"),
        ({"tool_calls": [{"type": "function", "function": {"name": "f"}}]}, "tool_calls[0]"),
        ({"tool_calls": [{"id": "t", "function": {}}]}, "tool_calls[0].function"),
        ({"tool_calls": [{"id": "t", "function": {"name": "f", "arguments": {"a": 1}}}]},
         "tool_calls[0].function"),
        ({"function_call": {"name": "f", "arguments": "{}"}}, "function_call"),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_read_is_named(message, name):
    with pytest.raises(BadRequest) as caught:
        _assistant(**message)

    assert caught.value.param == f"messages[1].{name}"


@pytest.mark.parametrize("id", [None, "", 7])
def test_a_result_names_its_call(id):
    with pytest.raises(BadRequest) as caught:
        _turns({"role": "tool", "tool_call_id": id, "content": "42"})

    assert caught.value.param == "messages[0].tool_call_id"


def test_the_older_form_of_tools_is_refused():
    with pytest.raises(CannotCarry, match="older form"):
        _turns({"role": "function", "name": "f", "content": "42"})


@pytest.mark.parametrize(
    ("tool", "found"),
    [
        ({"type": "function", "function": {"name": "f"}}, Tool(name="f")),
        ({"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA,
                                           "strict": True}},
         Tool(name="f", description="d", parameters=SCHEMA, strict=True)),
        ({"type": "custom", "custom": {"name": "f", "description": "d"}},
         Tool(name="f", description="d", custom={})),
        ({"type": "custom", "custom": {"name": "f", "format": {"type": "text"}}},
         Tool(name="f", custom={"type": "text"})),
        ({"type": "custom", "custom": {"name": "f", "format": GRAMMAR}},
         Tool(name="f", custom={"type": "grammar", "syntax": "lark", "definition": "start: A"})),
    ],
)  # fmt: skip
def test_tools(tool, found):
    assert _read(tools=[tool]).tools == (found,)


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ({"type": "web_search"}, "type"),
        ({"type": "web_search", "web_search": {}}, "type"),
        ({"type": "custom"}, "type"),
        ({"type": "custom", "custom": {}}, "custom.name"),
        ({"type": "custom", "custom": {"name": "f", "format": "x"}}, "custom.format"),
        ({"type": "function", "function": {"name": "f", "parameters": []}}, "function.parameters"),
        ({"type": "function", "function": {"name": "f", "description": 1}}, "function.description"),
        ({"type": "function", "function": {"name": "f", "strict": "yes"}}, "function.strict"),
    ],
)
def test_a_tool_that_cannot_be_read_is_named(tool, name):
    with pytest.raises(BadRequest) as caught:
        _read(tools=[tool])

    assert caught.value.param == f"tools[0].{name}"


def _allowed(*tools, mode="auto"):
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (None, None),
        ("auto", ToolChoice(mode="auto")),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(mode="named", name="f")),
        ({"type": "custom", "custom": {"name": "f"}}, ToolChoice(mode="named", name="f")),
        (_allowed({"type": "function", "function": {"name": "f"}}, {"name": "g"}),
         ToolChoice(mode="auto", among=("f", "g"))),
        (_allowed({"type": "custom", "custom": {"name": "f"}}, mode="required"),
         ToolChoice(mode="required", among=("f",))),
    ],
)  # fmt: skip
def test_the_choice_of_a_tool(choice, found):
    assert _read(tool_choice=choice).tool_choice == found


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ({"type": "function"}, "tool_choice"),
        ({"type": "function", "function": {}}, "tool_choice"),
        ({"type": ["odd"]}, "tool_choice"),
        ({"type": "web_search"}, "tool_choice"),
        ({"type": "allowed_tools", "allowed_tools": {}}, "tool_choice.allowed_tools.tools"),
        (_allowed("f"), "tool_choice.allowed_tools.tools"),
        (_allowed({"type": "function"}), "tool_choice.allowed_tools.tools[0].name"),
        (_allowed({"function": "f"}), "tool_choice.allowed_tools.tools[0].name"),
    ],
)
def test_a_choice_that_cannot_be_read_is_named(choice, name):
    with pytest.raises(BadRequest) as caught:
        _read(tool_choice=choice)

    assert caught.value.param == name


def _schema(**fields):
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, **fields}}


@pytest.mark.parametrize(
    ("form", "found"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, Format()),
        (_schema(), Format(schema=SCHEMA, name="x")),
        (_schema(name=None), Format(schema=SCHEMA)),
        (_schema(strict=True, description="d"),
         Format(schema=SCHEMA, name="x", strict=True, description="d")),
    ],
)  # fmt: skip
def test_the_answer_s_form(form, found):
    assert _read(response_format=form).format == found


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (_schema(schema=None), "schema"),
        (_schema(strict="yes"), "strict"),
        (_schema(description=1), "description"),
    ],
)
def test_a_form_that_cannot_be_read_is_named(form, name):
    with pytest.raises(BadRequest) as caught:
        _read(response_format=form)

    assert caught.value.param == f"response_format.json_schema.{name}"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, (None, None, False)),
        ({"reasoning_effort": "high"}, ("high", None, True)),
        ({"reasoning_effort": "none"}, ("none", None, False)),
        ({"reasoning_effort": 3}, (None, None, True)),
        ({"thinking": {"type": "disabled"}}, ("none", None, False)),
        ({"thinking": {"type": "enabled", "budget_tokens": 99}}, (None, 99, True)),
        ({"thinking": {"type": "enabled", "budget_tokens": "99"}}, (None, None, True)),
        ({"thinking": "odd"}, (None, None, False)),
    ],
)
def test_how_hard_to_think(fields, found):
    read = _read(**fields)

    assert (read.effort, read.thinking_tokens, read.shows_thinking) == found


def test_every_other_field():
    read = _read(
        max_tokens=5, temperature=0.5, top_p=0.9, top_k=4, stop="x", seed=7,
        presence_penalty=0.1, frequency_penalty=0.2, parallel_tool_calls=False, user="me",
    )  # fmt: skip

    assert read == Conversation(
        turns=read.turns, max_output=5, temperature=0.5, top_p=0.9, top_k=4, stop=("x",), seed=7,
        presence_penalty=0.1, frequency_penalty=0.2, parallel_tools=False, user="me",
    )  # fmt: skip
    assert _read(stop=["a", "b"]).stop == ("a", "b")
    assert _read(user="me", safety_identifier="hash").user == "hash"


@pytest.mark.parametrize(
    "fields", [{"user": 7}, {"safety_identifier": []}, {"top_k": "many"}, {"top_k": 1.5}]
)
def test_a_field_of_the_wrong_kind_is_named(fields):
    with pytest.raises(BadRequest) as caught:
        _read(**fields)

    assert [caught.value.param] == list(fields)


def test_what_has_no_field_is_extra():
    messages = [{"role": "user", "content": "Hi", "name": "Ann"},
                {"role": "assistant", "audio": {"id": "a1"}},
                {"role": "user", "content": "Again", "name": None}]  # fmt: skip

    read = _read(messages=messages, n=2, logprobs=False, unheard_of={"a": 1}, stream=True)

    assert read.extra == {
        "n": 2, "logprobs": False, "unheard_of": {"a": 1},
        "messages.name": ["Ann"], "messages.audio": [{"id": "a1"}],
    }  # fmt: skip

from typing import Any

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
from larouter.wire.losses import refuse_what_is_lost
from larouter.wire.responses import DIALECT, WIRE
from larouter.wire.responses.conversation import LOSSES, conversation
from larouter.wire.road import Wire
from tests.wire.responses.answers import asked

FUNCTION = {"type": "function", "name": "f", "description": "Does.", "parameters": {"a": 1}}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}
ELSEWHERE = Wire(
    name="elsewhere",
    write=WIRE.write,
    reader=WIRE.reader,
    pass_on=WIRE.pass_on,
    relay=WIRE.relay,
)


def read(given="Hi", **fields):
    return conversation(asked(given, **fields))


def parts(*content):
    return read([{"role": "user", "content": list(content)}]).turns[0].parts


def reasoning(sealed=None, text=None, **more):
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"type": "reasoning", "summary": summary, "encrypted_content": sealed, **more}


def call(id="c", **more):
    return {"type": "function_call", "call_id": id, "name": "f", "arguments": "{}", **more}


def assistant(text):
    content = [{"type": "output_text", "text": text}]
    return {"type": "message", "role": "assistant", "content": content}


def test_bare_text_is_one_turn():
    assert read() == Conversation(turns=(Turn("user", (Text(text="Hi"),)),))


def test_who_said_what():
    turns = read(
        [
            {"role": "developer", "content": "Rules"},
            {"role": "user", "content": "One"},
            {"role": "user", "content": ""},
            assistant("Two"),
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]},
            {"role": "system", "content": "Late"},
        ],
        instructions="Be brief.",
    ).turns

    assert turns == (
        Turn("system", (Text(text="Be brief."), Text(text="Rules"))),
        Turn("user", (Text(text="One"),)),
        Turn("assistant", (Text(text="Two"), Text(text="No"))),
        Turn("system", (Text(text="Late"),)),
    )


def test_calls_and_results_keep_their_ids():
    turns = read(
        [
            call("c1"),
            call("c2", namespace="ops"),
            {"type": "custom_tool_call", "call_id": "c3", "name": "patch", "input": "***"},
            {"type": "function_call_output", "call_id": "c1", "output": "42"},
            {
                "type": "custom_tool_call_output",
                "call_id": "c3",
                "output": [
                    {"type": "input_text", "text": "see"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                ],
            },
        ]
    ).turns

    assert turns == (
        Turn(
            "assistant",
            (
                ToolCall(id="c1", name="f", arguments="{}"),
                ToolCall(id="c2", name="ops__f", arguments="{}"),
                ToolCall(id="c3", name="patch", arguments="***", custom=True),
            ),
        ),
        Turn(
            "user",
            (
                ToolResult(call_id="c1", parts=(Text(text="42"),)),
                ToolResult(
                    call_id="c3",
                    parts=(
                        Text(text="see"),
                        Media(kind="images", mime="image/png", data="AAAA"),
                    ),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("item", "thought"),
    [
        (reasoning("enc", "Hm", id="rs_1"), Thinking(
            text="Hm", opaque=Opaque("responses", "enc"), id="rs_1"
        )),
        (reasoning("lar1.anthropic.c2ln", "Hm"), Thinking(
            text="Hm", opaque=Opaque("anthropic", "c2ln")
        )),
        (reasoning(None, "Hm"), Thinking(text="Hm")),
        (reasoning(content=[{"type": "reasoning_text", "text": "Raw"}, 7]), Thinking(text="Raw")),
    ],
)  # fmt: skip
def test_thoughts_keep_what_only_their_maker_reads(item, thought):
    assert read([item]).turns == (Turn("assistant", (thought,)),)


def test_signatures_find_their_places_again():
    turns = read(
        [
            assistant("Words"),
            reasoning("lar1.gemini@.d29yZHM="),
            reasoning("lar1.gemini@c2.Y2FsbA=="),
            call("c1"),
            call("c2"),
        ]
    ).turns

    assert turns == (
        Turn(
            "assistant",
            (
                Text(text="Words", opaque=Opaque("gemini", "d29yZHM=")),
                ToolCall(id="c1", name="f", arguments="{}"),
                ToolCall(id="c2", name="f", arguments="{}", opaque=Opaque("gemini", "Y2FsbA==")),
            ),
        ),
    )


@pytest.mark.parametrize(
    "before", [[], [{"role": "user", "content": "Hi"}], [call()], [assistant("")]]
)
def test_a_signature_without_its_words_is_left_out(before):
    sealed = reasoning("lar1.gemini@.d29yZHM=")

    assert read([*before, sealed, {"role": "user", "content": "Go"}]) == read(
        [*before, {"role": "user", "content": "Go"}]
    )


@pytest.mark.parametrize(
    ("part", "medium"),
    [
        (
            {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "low"},
            Media(kind="images", mime="image/*", url="https://x.test/a.png", detail="low"),
        ),
        (
            {"type": "input_image", "file_id": "file_1"},
            Media(kind="images", mime="image/*", file_id="file_1", maker="responses"),
        ),
        (
            {"type": "input_file", "file_id": "file_1"},
            Media(kind="files", mime="application/pdf", file_id="file_1", maker="responses"),
        ),
        (
            {"type": "input_file", "file_data": "data:text/plain;base64,QQ==", "filename": "a"},
            Media(kind="files", mime="text/plain", data="QQ==", name="a"),
        ),
        (
            {"type": "input_file", "file_url": "https://x.test/a.pdf"},
            Media(kind="files", mime="application/pdf", url="https://x.test/a.pdf"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}},
            Media(kind="audio", mime="audio/mpeg", data="QQ=="),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "flac"}},
            Media(kind="audio", mime="audio/flac", data="QQ=="),
        ),
    ],
)
def test_media(part, medium):
    assert parts(part) == (medium,)


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "input_image"}, "input[0].content[0].image_url"),
        ({"type": "input_file"}, "input[0].content[0].file_data"),
        ({"type": "input_audio", "input_audio": {}}, "input[0].content[0].data"),
        ({"type": "input_smell"}, "input[0].content[0].type"),
    ],
)
def test_a_part_that_cannot_be_read_is_named(part, param):
    with pytest.raises(BadRequest) as caught:
        parts(part)

    assert caught.value.param == param


def test_tools():
    tools = read(
        tools=[
            FUNCTION,
            {"type": "function", "name": "g", "strict": True},
            {"type": "custom", "name": "patch", "format": GRAMMAR},
            {"type": "custom", "name": "say"},
            {"type": "namespace", "name": "ops", "tools": [FUNCTION]},
            {"type": "web_search"},
        ]
    ).tools

    assert tools == (
        Tool(name="f", description="Does.", parameters={"a": 1}),
        Tool(name="g", strict=True),
        Tool(name="patch", custom=GRAMMAR),
        Tool(name="say", custom={}),
        Tool(name="ops__f", description="Does.", parameters={"a": 1}),
    )


@pytest.mark.parametrize(
    ("choice", "read_as"),
    [
        (None, None),
        ("required", ToolChoice(mode="required")),
        ({"type": "function", "name": "f"}, ToolChoice(mode="named", name="f")),
        ({"type": "custom", "name": "p"}, ToolChoice(mode="named", name="p")),
        (
            {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [FUNCTION, {"type": "custom", "name": "p"}, {"type": "mcp"}],
            },
            ToolChoice(mode="auto", among=("f", "p")),
        ),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [FUNCTION]},
            ToolChoice(mode="required", among=("f",)),
        ),
        ({"type": "web_search"}, None),
    ],
)
def test_tool_choices(choice, read_as):
    assert read(tool_choice=choice).tool_choice == read_as


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, Format()),
        (
            {"type": "json_schema", "name": "a", "schema": {"b": 1}},
            Format(schema={"b": 1}, name="a"),
        ),
        (
            {
                "type": "json_schema",
                "name": "a",
                "schema": {},
                "strict": True,
                "description": "It.",
            },
            Format(schema={}, name="a", strict=True, description="It."),
        ),
    ],
)
def test_formats(given, read_as):
    assert read(text={"format": given}).format == read_as


def test_settings():
    said = read(
        temperature=0.5,
        top_p=0.9,
        max_output_tokens=99,
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        safety_identifier="u1",
        user="u2",
    )

    assert (said.temperature, said.top_p, said.max_output) == (0.5, 0.9, 99)
    assert (said.parallel_tools, said.effort, said.shows_thinking) == (False, "low", True)
    assert (said.user, said.extra) == ("u1", {})


LOST: dict[str, Any] = {
    "input.compaction": {"given": [{"type": "compaction", "encrypted_content": "gAAA"}]},
    "input.compaction_trigger": {"given": [{"type": "compaction_trigger"}]},
    "input.items": {"given": [{"type": "web_search_call"}, {"role": "user", "content": "Hi"}]},
    "tools": {"tools": [{"type": "web_search"}, {"type": "local_shell"}]},
    "tool_choice": {"tool_choice": {"type": "web_search"}},
    "top_logprobs": {"top_logprobs": 3},
    "include": {"include": ["file_search_call.results"]},
    "reasoning": {"reasoning": {"effort": "low", "context": "auto"}},
    "text.verbosity": {"text": {"verbosity": "low"}},
}


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.field)
def test_what_is_lost_is_known_by_its_row(loss):
    fields = dict(LOST.get(loss.field, {loss.field: {"a": 1}}))
    said = read(fields.pop("given", "Hi"), **fields)

    assert loss.field in said.extra
    if loss.becomes == "refused":
        with pytest.raises(CannotCarry) as caught:
            refuse_what_is_lost(said, DIALECT, ELSEWHERE)
        assert caught.value.param == loss.field
    else:
        refuse_what_is_lost(said, DIALECT, ELSEWHERE)


def test_no_logprobs_are_nothing_lost():
    refuse_what_is_lost(read(top_logprobs=0), DIALECT, ELSEWHERE)


def test_what_codex_sends_is_carried():
    """github.com/openai/codex, codex-rs/codex-api/src/common.rs, `ResponsesApiRequest`."""
    said = read(
        [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "ls"}]}],
        instructions="You are Codex.",
        tools=[
            {**FUNCTION, "strict": False},
            {"type": "custom", "name": "apply_patch", "description": "P", "format": GRAMMAR},
            {"type": "web_search", "external_web_access": False},
            {"type": "namespace", "name": "mcp__ops", "description": "", "tools": [FUNCTION]},
            {"type": "tool_search", "execution": "client", "description": "", "parameters": {}},
            {"type": "image_generation", "output_format": "png"},
        ],
        tool_choice="auto",
        parallel_tool_calls=True,
        reasoning={"effort": "medium", "summary": "auto"},
        store=False,
        stream=True,
        include=["reasoning.encrypted_content"],
        prompt_cache_key="0199",
        client_metadata={"x-codex-installation-id": "1"},
    )
    refuse_what_is_lost(said, DIALECT, ELSEWHERE)

    assert [tool.name for tool in said.tools] == ["f", "apply_patch", "mcp__ops__f"]
    assert [turn.role for turn in said.turns] == ["system", "user"]

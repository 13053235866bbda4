"""Each row of what gets lost is true, nothing else gets lost, and the page shows every row."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields, replace

from larouter.core.conversation import (
    Conversation,
    Format,
    Media,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    Turn,
)
from larouter.core.errors import CannotCarry
from larouter.core.turns import Turns
from larouter.wire.dialects import DIALECTS, WIRES
from larouter.wire.embeddings import request as embeddings
from larouter.wire.losses import Loss, refuse_what_is_lost
from larouter.wire.road import Call, Dialect, open_road
from tests.wire.formats import CALLS, SHORT, read

PAGE = Path(__file__).resolve().parents[2].joinpath("docs/translation.md")
WORDS = (Text(text="Hi"),)
TOOL = Tool(name="f")
PNG = Media(kind="images", mime="image/png", data="iVBORw0KGgo=")
WAV = Media(kind="audio", mime="audio/wav", data="UklGRg==")
PDF = Media(kind="files", mime="application/pdf", data="JVBERi0=")
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
_PARTS = {"images": PNG, "audio": WAV, "files": PDF}


def _said(*parts):
    return {"turns": (Turn("user", (*WORDS, *parts)),)}


PLAIN = Conversation(**_said())
WITH_TOOL = replace(PLAIN, tools=(TOOL,))
# Each field of a conversation: what it is compared with, and what it is set to.
FIELDS = {
    "turns": (PLAIN, {"turns": (Turn("user", (Text(text="Bye"),)),)}),
    "tools": (PLAIN, {"tools": (TOOL,)}),
    "tool_choice": (WITH_TOOL, {"tool_choice": ToolChoice(mode="none")}),
    "parallel_tools": (WITH_TOOL, {"parallel_tools": False}),
    "format": (PLAIN, {"format": Format(schema=SCHEMA)}),
    "max_output": (PLAIN, {"max_output": 50}),
    "temperature": (PLAIN, {"temperature": 0.5}),
    "top_p": (PLAIN, {"top_p": 0.5}),
    "top_k": (PLAIN, {"top_k": 5}),
    "stop": (PLAIN, {"stop": ("x",)}),
    "seed": (PLAIN, {"seed": 7}),
    "presence_penalty": (PLAIN, {"presence_penalty": 0.5}),
    "frequency_penalty": (PLAIN, {"frequency_penalty": 0.5}),
    "effort": (PLAIN, {"effort": "high"}),
    "thinking_tokens": (PLAIN, {"thinking_tokens": 4096}),
    "shows_thinking": (PLAIN, {"shows_thinking": True}),
    "user": (PLAIN, {"user": "me"}),
    **{kind: (PLAIN, _said(part)) for kind, part in _PARTS.items()},
}
NOTHING_LOST = Dialect(
    name="none", conversation=DIALECTS["chat"].conversation, writer=DIALECTS["chat"].writer,
    write_error=DIALECTS["chat"].write_error,
)  # fmt: skip


def _body(wire, conversation):
    refuse_what_is_lost(conversation, NOTHING_LOST, WIRES[wire])
    return WIRES[wire].write(conversation, CALLS[wire]).body


def _rows(losses, becomes):
    return [loss.field for loss in losses if loss.becomes == becomes]


def test_every_field_is_looked_at():
    names = {field.name for field in fields(Conversation)}

    assert names - set(FIELDS) == {"extra"}
    assert set(FIELDS) - names == set(_PARTS)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_carried_left_out_or_refused_as_its_row_says(wire, field):
    before, changes = FIELDS[field]
    after = replace(before, **changes)

    if field in _rows(WIRES[wire].losses, "refused"):
        with pytest.raises(CannotCarry) as caught:
            _body(wire, after)
        assert caught.value.param == field
        return
    lost = field in _rows(WIRES[wire].losses, "left out")
    # Without the check: a plain completion refuses tools before it leaves out their choice.
    wrote = [WIRES[wire].write(one, CALLS[wire]).body for one in (before, after)]
    assert (wrote[0] == wrote[1]) == lost


@pytest.mark.parametrize("wire", WIRES)
def test_a_wire_is_told_nothing_of_what_is_extra(wire):
    assert _body(wire, PLAIN) == _body(wire, replace(PLAIN, extra={"unheard_of": 1, "n": 1}))


@pytest.mark.parametrize("wire", WIRES)
def test_a_row_names_a_field(wire):
    assert {loss.field for loss in WIRES[wire].losses} <= set(FIELDS)


@pytest.mark.parametrize("kind", _PARTS)
def test_media_that_a_tool_has_shown_are_looked_at_too(kind):
    shown = ToolResult(call_id="t", parts=(*WORDS, _PARTS[kind]))

    with pytest.raises(CannotCarry) as caught:
        _body("completions", replace(PLAIN, turns=(Turn("user", (shown,)),)))

    assert caught.value.param == kind


@pytest.mark.parametrize("wire", WIRES)
def test_instructions_are_text(wire):
    shown = (Turn("system", (*WORDS, PNG)), Turn("user", WORDS))

    with pytest.raises(CannotCarry):
        _body(wire, replace(PLAIN, turns=shown))


def test_servers_that_know_top_k_are_sent_it():
    asked = replace(PLAIN, top_k=5)

    for wire in ("chat", "completions"):
        assert json.loads(WIRES[wire].write(asked, Call(name="m")).body)["top_k"] == 5


# What a client's body looks like with the field of a row. Without an entry the field is on top.
_ITEM = {"role": "user", "content": "Hi"}
SAMPLES: dict[str, Any] = {
    "chat": {
        "messages.audio": {"messages": [{"role": "assistant", "audio": {"id": "a"}}, _ITEM]},
        "messages.name": {"messages": [{**_ITEM, "name": "Ann"}]},
        "functions": {"functions": [{"name": "f"}]},
        "function_call": {"function_call": {"name": "f"}},
        "logprobs": {"logprobs": True},
        "top_logprobs": {"top_logprobs": 3},
        "n": {"n": 2},
        "chat_template_kwargs": {"chat_template_kwargs": {"enable_thinking": False}},
    },
    "responses": {
        "input.compaction": {"input": [_ITEM, {"type": "compaction", "encrypted_content": "x"}]},
        "input.compaction_trigger": {"input": [_ITEM, {"type": "compaction_trigger"}]},
        "input.items": {"input": [_ITEM, {"type": "web_search_call", "id": "ws_1"}]},
        "tools": {"tools": [{"type": "web_search"}]},
        "tool_choice": {"tool_choice": {"type": "web_search"}},
        "reasoning": {"reasoning": {"context": "all"}},
        "text.verbosity": {"text": {"verbosity": "low"}},
        "include": {"include": ["file_search_call.results"]},
        "top_logprobs": {"top_logprobs": 3},
        "metadata": {"metadata": {"a": "b"}},
        "stream_options": {"stream_options": {"include_obfuscation": False}},
    },
    "completions": {
        "echo": {"echo": True}, "logprobs": {"logprobs": 1}, "n": {"n": 2},
        "best_of": {"best_of": 2},
    },
    "anthropic": {
        "prefill": {"messages": [_ITEM, {"role": "assistant", "content": "Well,"}]},
        "server_tools": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        "mcp_servers": {"mcp_servers": [{"type": "url"}]},
        "betas": {"betas": ["x-2026"]},
        "anthropic_beta": {"anthropic_beta": ["x-2026"]},
        "cache_control": {
            "cache_control": {"type": "ephemeral"},
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}],
        },
    },
    "gemini": {
        "tools": {"tools": [{"googleSearch": {}}]},
        "candidateCount": {"generationConfig": {"candidateCount": 2}},
        "responseLogprobs": {"generationConfig": {"responseLogprobs": True}},
        "logprobs": {"generationConfig": {"logprobs": 3}},
        **{name: {"generationConfig": {name: ["AUDIO"]}} for name in (
            "responseModalities", "responseFormat", "speechConfig", "imageConfig",
            "translationConfig", "audioTranscriptionConfig", "mediaResolution",
            "enableEnhancedCivicAnswers")},
    },
    "ollama": {
        "logprobs": {"logprobs": True},
        **{loss.field: {"options": {loss.field.removeprefix("options."): 1}}
           for loss in DIALECTS["ollama"].losses if loss.field.startswith("options.")},
    },
}  # fmt: skip
ROWS = [
    pytest.param(name, loss, id=f"{name}-{loss.field}")
    for name, dialect in DIALECTS.items()
    for loss in dialect.losses
]


def _sample(name, loss):
    return {**SHORT[name], **SAMPLES[name].get(loss.field, {loss.field: "something"})}


def _with(name, field, value):
    """The sample's shape with another value."""
    changes = SAMPLES[name].get(field, {})
    inside = changes.get("generationConfig")
    return {**SHORT[name], **({"generationConfig": {field: value}} if inside else {field: value})}


def _road(name, body, wire):
    return open_road(read(name, body), CALLS[wire], DIALECTS[name], WIRES[wire], Turns())[0].body


def _others(name):
    return [wire for wire in WIRES if wire not in (name, "completions")]


@pytest.mark.parametrize(("name", "loss"), ROWS)
def test_what_a_client_asks_is_left_out_or_refused_as_its_row_says(name, loss):
    for wire in _others(name):
        if loss.becomes == "refused":
            with pytest.raises(CannotCarry) as caught:
                _road(name, _sample(name, loss), wire)
            assert caught.value.param == loss.field
        else:
            assert _road(name, _sample(name, loss), wire) == _road(name, SHORT[name], wire)


@pytest.mark.parametrize(("name", "loss"), ROWS)
def test_a_harmless_value_passes(name, loss):
    for value in (*loss.harmless, None):
        for wire in _others(name):
            given = _with(name, loss.field, value)
            assert _road(name, given, wire) == _road(name, SHORT[name], wire)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_field_that_nobody_knows_goes_to_its_own_dialect_alone(name):
    given = {**SHORT[name], "unheard_of": {"a": 1}}

    for wire in _others(name):
        assert b"unheard_of" not in _road(name, given, wire)
    if name in WIRES:
        assert b"unheard_of" in _road(name, given, name)


# The page. Its tables are these rows, word for word.
TITLES = {
    "chat": "Chat completions", "responses": "Responses", "completions": "Legacy completions",
    "anthropic": "Anthropic Messages", "gemini": "Gemini", "ollama": "Ollama",
    embeddings.OPENAI: "OpenAI", embeddings.GEMINI: "Gemini", embeddings.OLLAMA: "Ollama",
}  # fmt: skip
TABLES = (
    ("What a client may ask that its provider is not told", "of",
     {name: dialect.losses for name, dialect in DIALECTS.items()}),
    ("What a provider has no words for", "to", {name: wire.losses for name, wire in WIRES.items()}),
    ("Embeddings", "of embeddings,", embeddings.LOSSES),
)  # fmt: skip


def table(losses: tuple[Loss, ...]) -> str:
    lines = ["| field | becomes | why | passes with |", "|---|---|---|---|"]
    for loss in losses:
        values = ", ".join(f"`{json.dumps(value)}`" for value in loss.harmless)
        lines.append(f"| `{loss.field}` | {loss.becomes} | {loss.why} | {values} |")
    return "\n".join(lines)


def tables() -> list[str]:
    """What the page must hold, heading by heading."""
    found = []
    for title, word, rows in TABLES:
        found.append(f"## {title}")
        for name, losses in rows.items():
            found += [f"### {word.capitalize()} {TITLES[name]}", table(losses)]
    return found


def test_the_page_shows_every_row_and_no_other():
    page = PAGE.read_text(encoding="utf-8")
    found = [page.find(block) for block in tables()]

    assert found == sorted(found), "run: python -m tests.wire.test_losses"
    assert -1 not in found, "run: python -m tests.wire.test_losses"
    lines = [line for block in tables() for line in block.splitlines() if line.startswith("| `")]
    assert re.findall(r"^\| `.*(?:left out|refused).*$", page, re.MULTILINE) == lines


if __name__ == "__main__":
    sys.stdout.write("\n\n".join(tables()) + "\n")

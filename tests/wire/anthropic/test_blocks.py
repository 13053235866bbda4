"""Content blocks as parts, and thoughts that travel through a client."""

import base64

import pytest

from larouter.core.conversation import Media, Opaque, Text, Thinking, ToolCall, ToolResult
from larouter.core.errors import BadRequest, CannotCarry
from larouter.wire.anthropic.blocks import is_foreign, read_blocks, sealed, unsealed

SEARCHED = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBO"}


def _read(*blocks):
    return read_blocks("messages[0].content", list(blocks))


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        ({"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}, [Text(text="Hi")]),
        ({"type": "text", "text": ""}, []),
        (
            {"type": "thinking", "thinking": "Hm", "signature": "EqQ+/=="},
            [Thinking(text="Hm", opaque=Opaque("anthropic", "EqQ+/=="))],
        ),
        (
            {"type": "thinking", "thinking": "Hm", "signature": "lar1.gemini.AbC.d"},
            [Thinking(text="Hm", opaque=Opaque("gemini", "AbC.d"))],
        ),
        (
            {"type": "thinking", "thinking": "Hm", "signature": "lar1.none."},
            [Thinking(text="Hm")],
        ),
        (
            {"type": "redacted_thinking", "data": "Em+/"},
            [Thinking(text="", opaque=Opaque("anthropic", "redacted:Em+/"))],
        ),
        (
            {"type": "redacted_thinking", "data": "lar1.responses~rs_1.gAAA"},
            [Thinking(text="", opaque=Opaque("responses", "gAAA"), id="rs_1")],
        ),
        (
            {"type": "redacted_thinking", "data": "lar1.none."},
            [Thinking(text="")],
        ),
        (
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "ü"}, "caller": {}},
            [ToolCall(id="t", name="f", arguments='{"a":"ü"}')],
        ),
        (
            {"type": "tool_result", "tool_use_id": "t"},
            [ToolResult(call_id="t", parts=())],
        ),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": "no", "is_error": True},
            [ToolResult(call_id="t", parts=(Text(text="no"),), is_error=True)],
        ),
        (
            {
                "type": "tool_result",
                "tool_use_id": "t",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image", "source": PNG},
                    {"type": "tool_reference", "tool_name": "g"},
                ],
            },
            [
                ToolResult(
                    call_id="t",
                    parts=(
                        Text(text="see"),
                        Media(kind="images", mime="image/png", data="iVBO"),
                        Text(text="The tool g can be called now."),
                    ),
                )
            ],
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            [Media(kind="images", mime="image/*", url="https://x/y.png")],
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            [Media(kind="images", mime="image/*", file_id="file_1", maker="anthropic")],
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}, "title": "Y"},
            [Media(kind="files", mime="application/pdf", url="https://x/y.pdf", name="Y")],
        ),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "Grüße"},
                "context": "a letter",
            },
            [
                Text(text="a letter"),
                Media(
                    kind="files",
                    mime="text/plain",
                    data=base64.b64encode("Grüße".encode()).decode(),
                ),
            ],
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "plain"}},
            [Text(text="plain")],
        ),
        (
            {
                "type": "search_result",
                "title": "T",
                "source": "https://x",
                "content": [{"type": "text", "text": "found"}],
            },
            [Text(text="T – https://x"), Text(text="found")],
        ),
        ({"type": "search_result", "content": []}, []),
        ({"type": "compaction", "content": "until now"}, [Text(text="until now")]),
        (SEARCHED, []),
        ({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, []),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_a_block_is_read(block, parts):
    assert _read(block) == parts


def test_a_string_is_one_text():
    assert read_blocks("x", "Hi") == [Text(text="Hi")]
    assert read_blocks("x", "") == []
    assert read_blocks("x", None) == []


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({"type": "thinking", "thinking": "Hm"}, "messages[0].content[0]"),
        ({"type": "thinking", "signature": "x"}, "messages[0].content[0]"),
        ({"type": "redacted_thinking"}, "messages[0].content[0].data"),
        ({"type": "tool_use", "id": "t", "input": {}}, "messages[0].content[0]"),
        ({"type": "tool_use", "id": "t", "name": "f"}, "messages[0].content[0].input"),
        ({"type": "image", "source": {"type": "url"}}, "messages[0].content[0].source.url"),
    ],
)
def test_a_wrong_block_is_named(block, param):
    with pytest.raises(BadRequest) as caught:
        _read(block)

    assert caught.value.param == param


@pytest.mark.parametrize(
    "block",
    [
        {"type": "container_upload", "file_id": "f"},
        {"type": "strange"},
        {"type": "image", "source": {"type": "strange"}},
    ],
)
def test_what_only_anthropic_understands_is_refused(block):
    with pytest.raises(CannotCarry):
        _read(block)


@pytest.mark.parametrize(
    ("opaque", "id"),
    [
        (Opaque("anthropic", "EqQ+/=="), None),
        (Opaque("gemini", "AbC.d/e=="), None),
        (Opaque("responses", "gAAAAA"), "rs_0123"),
        (Opaque("chat", ""), None),
        (None, None),
    ],
)
def test_a_seal_comes_back_as_it_was(opaque, id):
    assert unsealed(sealed(opaque, id)) == (opaque, id)


def test_anthropics_own_signature_has_no_mark():
    assert sealed(Opaque("anthropic", "EqQ+/=="), None) == "EqQ+/=="


def test_an_id_that_would_not_come_back_is_left_out():
    assert unsealed(sealed(Opaque("responses", "x"), "a.b")) == (Opaque("responses", "x"), None)


@pytest.mark.parametrize(
    ("block", "foreign"),
    [
        ({"type": "thinking", "signature": "EqQ"}, False),
        ({"type": "thinking", "signature": "lar1.gemini.x"}, True),
        ({"type": "thinking", "signature": "lar1.none."}, True),
        ({"type": "redacted_thinking", "data": "lar1.responses.x"}, True),
        ({"type": "redacted_thinking", "data": "Em"}, False),
        ({"type": "document", "data": "lar1.responses.x"}, False),
        ({"type": "thinking"}, False),
        ("text", False),
    ],
)
def test_what_we_sealed_for_others_is_known(block, foreign):
    assert is_foreign(block) is foreign


@pytest.mark.parametrize("source", [None, "x", {}, {"type": 1}])
def test_a_picture_without_a_source_is_named(source):
    with pytest.raises(BadRequest) as caught:
        _read({"type": "image", "source": source})

    assert caught.value.param == "messages[0].content[0].source"

"""Counting the failures of an agent's tools."""

from __future__ import annotations

import pytest

from larouter.core.chat import Message
from larouter.routing.stalled import tool_errors
from larouter.wire.anthropic.request import read_request as read_anthropic
from larouter.wire.gemini.request import read_given
from larouter.wire.strict_json import encode

ASKED, SAID = Message("user", "fix it"), Message("assistant", "")
BAD, GOOD = Message("tool", "Error: no such file"), Message("tool", "42")
REMINDER = Message("user", "<system-reminder>")


def _turn(*results):
    """A turn of the user with these results of tools in it."""
    return [ASKED, *[message for result in results for message in (SAID, result)]]


@pytest.mark.parametrize(
    ("messages", "count"),
    [
        ([], 0),
        ([ASKED], 0),
        ([Message("system", "Be brief."), ASKED], 0),
        (_turn(BAD, BAD, BAD), 3),
        ([*_turn(BAD, BAD, BAD), SAID, ASKED], 3),
        ([*_turn(BAD, BAD, GOOD), SAID, ASKED], 0),
        ([*_turn(GOOD, BAD, BAD), SAID, ASKED], 2),
        # What failed in a turn before is forgiven.
        ([*_turn(BAD, BAD, BAD), SAID, ASKED, SAID, ASKED], 0),
        ([*_turn(BAD, BAD), SAID, *_turn(BAD), SAID, ASKED], 1),
        # Several calls at once, and words beside their results.
        ([ASKED, SAID, BAD, BAD, REMINDER, SAID, BAD, REMINDER], 3),
        ([ASKED, SAID, BAD, REMINDER, SAID, BAD, SAID, ASKED], 2),
    ],
)
def test_errors_in_a_row_are_counted(messages, count):
    assert tool_errors(messages) == count


@pytest.mark.parametrize(
    "text",
    [
        "Error: no such file",
        "error",
        "TypeError: 'int' object is not iterable",
        "Traceback (most recent call last):\n  File …",
        "<tool_use_error>String to replace not found</tool_use_error>",
        "fatal: not a git repository",
        "Exit code 1\ncat: x: No such file",
        "Exit Code: 2",
        "Chunk ID: 1\nWall time: 0.1 seconds\nProcess exited with code 127\nOutput:",
        '{"output":"","metadata":{"exit_code":1}}',
        "Command failed: make",
        "the command exited with status 2",
        "Output: \n(exit status 101)",
    ],
)
def test_what_agents_call_a_failure(text):
    assert tool_errors(_turn(Message("tool", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "Error handling is described in chapter 3.",
        "Exit code 0",
        "Process exited with code 0",
        '{"exit_code": 0}',
        "src/errors.py",
        "x" * 400 + "Exit code 1",
    ],
)
def test_what_is_no_failure(text):
    assert tool_errors(_turn(Message("tool", text))) == 0


@pytest.mark.parametrize(
    ("flag", "count"), [({"is_error": True}, 1), ({"is_error": False}, 0), ({}, 0)]
)
def test_anthropics_flag_counts(flag, count):
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "no such file", **flag}
    body = {
        "model": "auto",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "fix it"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "x", "input": {}}],
            },
            {"role": "user", "content": [result]},
        ],
    }

    assert tool_errors(read_anthropic(encode(body)).messages) == count


@pytest.mark.parametrize(
    ("response", "text", "count"),
    [
        ({"error": "no such file"}, "Error: no such file", 1),
        ({"output": "Exit Code: 1"}, "Exit Code: 1", 1),
        ({"output": "42"}, "42", 0),
        ({"output": 42, "error": ""}, "", 0),
        ({"weather": "fine"}, "", 0),
        ("fine", "", 0),
    ],
)
def test_geminis_results_are_read(response, text, count):
    part = {"functionResponse": {"name": "x", "response": response}}
    contents = [
        {"role": "user", "parts": [{"text": "fix it"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "x", "args": {}}}]},
        {"role": "user", "parts": [part]},
    ]

    messages = read_given({"contents": contents}, 9, model="auto").messages

    assert messages[-1] == Message("tool", text)
    assert tool_errors(messages) == count

"""Has an agent run into a wall? Counts the results of tools, at the end, that were errors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from larouter.core.chat import Message

_LOOKED_AT = 400
"""Characters of a result: whoever reports a failure says so first."""
# Where a format can mark a result as an error, its reader has put "Error: " before it. Else: what
# Claude Code, Codex, Gemini CLI, opencode and their shells write.
_BEGINS = re.compile(
    r"\s*(?:<(?:tool_use_)?error>|\w*error(?:\s*:|\s*$)|traceback \(most recent call|fatal: "
    r"|command failed|failed to )",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\bexit(?:ed)?[ _](?:with )?(?:code|status)\"?[ :=\"']{1,4}-?[1-9]", re.IGNORECASE
)


def tool_errors(messages: Sequence[Message]) -> int:
    """How many results of tools in a row, the last ones of the turn before the user spoke (or of
    this turn, while it goes on), were errors."""
    count = 0
    for index in range(_end(messages), -1, -1):
        role, text = messages[index]
        if role == "tool":
            if not _failed(text[:_LOOKED_AT]):
                break
            count += 1
        elif role == "user" and not _is_reminder(messages, index):
            break
    return count


def _end(messages: Sequence[Message]) -> int:
    """The place of the last message before what the user says now."""
    place = len(messages) - 1
    while place >= 0 and messages[place].role == "user":
        place -= 1
    return place


def _is_reminder(messages: Sequence[Message], index: int) -> bool:
    """Agents speak with the user's voice beside a tool's result: that is no new turn."""
    return index > 0 and messages[index - 1].role == "tool"


def _failed(text: str) -> bool:
    return _BEGINS.match(text) is not None or _CODE.search(text) is not None

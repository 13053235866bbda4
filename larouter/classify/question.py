"""What is being asked: the last user turn, cut to a length that costs no time to look at."""

from __future__ import annotations

from larouter.core.chat import ChatRequest

_LOOKED_AT = 2_000
"""Characters. A rule reads the start of a prompt; its cost must not grow with the prompt."""


def question(request: ChatRequest) -> str:
    """The text of the last user turn, `""` if there is none."""
    for message in reversed(request.messages):
        if message.role == "user":
            return message.text[:_LOOKED_AT].strip()
    return ""

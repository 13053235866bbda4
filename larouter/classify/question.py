"""What is being asked: the last user turn without its client's boilerplate, cut to a length that
costs no time to look at."""

from __future__ import annotations

from larouter.core.chat import ChatRequest

_LOOKED_AT = 2_000
"""Characters. A rule reads the start of a prompt; its cost must not grow with the prompt."""
_SEARCHED = 64 * 1024
"""Characters in which boilerplate is looked for; what stands behind a longer one is not seen."""

# What agents put around the words of their user: Claude Code's reminders, Codex's environment and
# instructions, Cline's details.
_BOILERPLATE = (
    "system-reminder",
    "environment_context",
    "user_instructions",
    "environment_details",
)
_BILLING = "x-anthropic-billing-header:"
"""A line of Claude Code's that changes with each request."""


def question(request: ChatRequest) -> str:
    """The text of the last user turn that says something, `""` if there is none."""
    for message in reversed(request.messages):
        if message.role == "user":
            text = _plain(message.text)
            if text or not message.text:
                return text
    return ""


def _plain(text: str) -> str:
    if "<" in text or text.startswith(_BILLING):
        text = text[:_SEARCHED]
        for tag in _BOILERPLATE:
            text = _without(text, f"<{tag}>", f"</{tag}>")
        text = text.partition("\n")[2] if text.startswith(_BILLING) else text
    return text[:_LOOKED_AT].strip()


def _without(text: str, begin: str, end: str) -> str:
    """By hand: a regular expression looks for the end again at each beginning that has none."""
    kept, at = [], 0
    while (start := text.find(begin, at)) >= 0 and (stop := text.find(end, start)) >= 0:
        kept.append(text[at:start])
        at = stop + len(end)
    return "".join([*kept, text[at:]])

"""Turns in the order that every wire can say: neighbours of one role are one turn."""

from __future__ import annotations

from collections.abc import Iterable

from larouter.core.conversation import Conversation, Part, Text, ToolResult, Turn


def merged(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Join neighbours of one role; a turn that says nothing is left out."""
    joined: list[Turn] = []
    for turn in turns:
        if not turn.parts:
            continue
        if joined and joined[-1].role == turn.role:
            joined[-1] = Turn(turn.role, joined[-1].parts + turn.parts)
        else:
            joined.append(turn)
    return tuple(joined)


def instructions(conversation: Conversation) -> list[str]:
    """The system's texts, early and late: for wires that hold them apart from the turns."""
    return [
        part.text
        for turn in conversation.turns
        if turn.role == "system"
        for part in turn.parts
        if isinstance(part, Text) and part.text
    ]


def spoken(conversation: Conversation) -> tuple[Turn, ...]:
    """The turns without the system's."""
    return merged(turn for turn in conversation.turns if turn.role != "system")


def results_first(parts: Iterable[Part]) -> list[Part]:
    """A user's turn with the results of tools before what else is said."""
    given = list(parts)
    results = [part for part in given if isinstance(part, ToolResult)]
    return [*results, *(part for part in given if not isinstance(part, ToolResult))]

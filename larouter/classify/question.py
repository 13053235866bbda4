"""What is being asked: the last user turn that says something, without its client's boilerplate
and without what it says about itself, and a little of what stands before it, all cut to lengths
that cost no time to look at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from larouter.classify.claims import Claims
from larouter.classify.clients import CUT, Clients
from larouter.config import folder
from larouter.core.chat import ChatRequest, Message

SEARCHED = 32 * 1024
"""Characters of one message in which boilerplate is looked for: half of them at its start, half at
its end. The cost of a look must not grow with the prompt."""
_LOOKED_AT = 2_000
"""Characters that a rule may read."""
_MOST_TURNS = 20
"""User turns that are looked at, the last ones first: of those that hold boilerplate alone there
are seldom two in a row."""
_TEXT = (560, 340)
_BEFORE = (150, 100)
_ANSWER = (120, 80)
_SYSTEM = (120, 80)
"""Characters kept of the start and of the end. An instruction stands before or after what it is
about, hardly ever in the middle."""
_SAYS = frozenset({"user", "assistant"})
_INSTRUCTS = frozenset({"system", "developer"})


class Asked(NamedTuple):
    """A request as a classifier sees it. Texts are cut: the middle of a long one is left out."""

    text: str
    """What is asked; `""`: nothing in words."""
    before: str = ""
    """What the user had said before that."""
    answer: str = ""
    """What the assistant had last said to it."""
    system: str = ""
    turns: int = 0
    """Messages of the user's and the assistant's before the one that asks."""
    length: int = 0
    """Characters of the whole turn, boilerplate excepted."""


def asked(request: ChatRequest) -> Asked:
    """What is asked, in its context. Reads at most `SEARCHED` characters of a message."""
    messages = request.messages
    at, text, length = _last(messages, len(messages))
    if at < 0:
        return Asked("", system=_system(messages))
    before = messages[:at]
    return Asked(
        text=_cut(_claims().without(text), _TEXT),
        before=_cut(_last(before, at)[1], _BEFORE),
        answer=_answer(before),
        system=_system(before),
        turns=sum(message.role in _SAYS for message in before),
        length=length,
    )


def question(request: ChatRequest, most: int = _LOOKED_AT) -> str:
    """The text of the last user turn that says something, `""` if there is none; its first `most`
    characters."""
    text = _last(request.messages, len(request.messages))[1]
    return _claims().without(text)[:most].strip()


def _last(messages: Sequence[Message], end: int) -> tuple[int, str, int]:
    """Where before `end` the user last said something, what (at most `SEARCHED` characters of it),
    and how long it was. A turn without text may hold a picture: that says something too."""
    left = _MOST_TURNS
    clients = _clients()
    for at in range(end - 1, -1, -1):
        if messages[at].role == "user":
            whole = messages[at].text
            seen = _ends(whole)
            text = clients.words(seen)
            if text or not whole:
                return at, text, len(whole) - len(seen) + len(text)
            left -= 1
            if not left:
                break
    return -1, "", 0


def _answer(messages: Sequence[Message]) -> str:
    """The assistant's last words; its calls of tools have none."""
    for message in reversed(messages):
        if message.role == "assistant" and message.text:
            return _cut(message.text, _ANSWER)
    return ""


def _system(messages: Sequence[Message]) -> str:
    words = _clients().words
    texts = [words(_ends(message.text)) for message in messages if message.role in _INSTRUCTS]
    return _cut("\n".join(texts), _SYSTEM)


def _ends(text: str) -> str:
    if len(text) <= SEARCHED:
        return text
    half = (SEARCHED - len(CUT)) // 2
    return f"{text[:half]}{CUT}{text[-half:]}"


def _cut(text: str, most: tuple[int, int]) -> str:
    head, tail = most
    if len(text) <= head + tail:
        return text
    return f"{text[:head]}{CUT}{text[-tail:]}"


@cache
def _clients() -> Clients:
    """Read once: every request is looked at by these."""
    return Clients((folder("data") / "clients.toml").read_text("utf-8"))


@cache
def _claims() -> Claims:
    return Claims((folder("data") / "claims.toml").read_text("utf-8"))

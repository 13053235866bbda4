"""Is an answer any good? What can be told without a model: it is empty, refused, cut, malformed.

Conservative: a false alarm costs a second answer, so what is not certain passes. Pure and linear in
the answer's length; the one thing that is not, whether JSON fits a schema, is asked of `fits`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import msgspec

from larouter.core.chat import Usage
from larouter.core.conversation import Conversation, Text, Tool, ToolCall
from larouter.core.events import Folded

SHORT = 200
"""Characters. A refusal is hardly ever longer; what begins like one and goes on has more to say."""
LOOP = 800
"""Characters at the end of an answer that are one phrase over and over."""
_REPEATS = 8
"""Times, at least: a chorus or a row of a table may come a few times."""
_PERIOD = LOOP // _REPEATS
"""Characters of such a phrase, at most."""
UNSURE = -2.0
"""Mean log-probability (natural) of the first tokens below which an answer is a guess. Measured
with the starter, 135M parameters and the least sure of all: -1.5 to 0.0 over eleven plain
questions, -2.05 where the question was gibberish."""
_ENOUGH_TOKENS = 8
"""Of which the log-probability is known, before a mean means anything."""
_FRAME = " \t\r\n*_#>\"'`“”„«»"
"""What may stand before the first word."""

_decode = msgspec.json.Decoder().decode

Fits = Callable[[Mapping[str, Any], Any], bool]
"""Does a value fit a JSON Schema? True also where nobody can say."""


class Heard(msgspec.Struct, kw_only=True):
    """What is known of an answer so far, whatever its dialect."""

    answer: Folded
    asked: Conversation | None = None
    """The request; None: it is not known, or the answer has not ended."""
    logprobs: list[float] = []
    """Of the tokens so far, where the answer says them."""
    ended: bool = False
    broken: bool = False
    """It came to no proper end."""

    @property
    def has_begun(self) -> bool:
        """Has it said anything yet (words, thoughts, a call)? White space alone is nothing."""
        said = self.answer.parts
        return bool(self.answer.refusal) or any(
            not isinstance(part, Text) or part.text.strip() for part in said
        )


class Faults:
    """Finds what is wrong with answers."""

    def __init__(self, refusals: str = "", fits: Fits = lambda schema, value: True) -> None:
        """`refusals`: the text of `data/refusals.toml`."""
        rows = tomllib.loads(refusals).get("refusal", ())
        self._refusals = tuple(
            _plain("".join(parts)) for row in rows for parts in product(*row["parts"])
        )
        self._fits = fits

    def of(self, heard: Heard, *, held: bool = False) -> str | None:
        """A key of `escalation.FAULTS`, or None: nothing is known against the answer.

        `held`: the project lets the first tokens wait for this, so that they count too.
        """
        if heard.broken:
            return "broken"
        if heard.ended:
            return self._whole(heard)
        if heard.answer.refusal:
            return "refused"
        if not held:
            return None
        if self._begins_like_a_refusal(_said(heard.answer)):
            return "refused"
        return "unsure" if _is_unsure(heard.logprobs) else None

    def _whole(self, heard: Heard) -> str | None:
        answer, finished = heard.answer, heard.answer.finished
        assert finished is not None, "an answer that has ended says how"
        text = _said(answer)
        if finished.reason == "refusal" or answer.refusal or self._is_refusal(text):
            return "refused"
        if repeats(text):
            return "degenerate"
        if finished.reason == "length":
            # What the client's own limit has cut is what it asked for.
            return None if _is_own_limit(heard, finished.usage) else "cut"
        calls = [part for part in answer.parts if isinstance(part, ToolCall)]
        if not text.strip() and not calls:
            # Where it stops at the client's words, nothing may be all there is to say.
            return None if heard.asked is not None and heard.asked.stop else "empty"
        if heard.asked is not None and not self._is_as_asked(text, calls, heard.asked):
            return "malformed"
        return None

    def _is_refusal(self, text: str) -> bool:
        return len(text) <= SHORT and self._begins_like_a_refusal(text)

    def _begins_like_a_refusal(self, text: str) -> bool:
        return bool(self._refusals) and _plain(text[:SHORT]).startswith(self._refusals)

    def _is_as_asked(self, text: str, calls: list[ToolCall], asked: Conversation) -> bool:
        if calls:
            tools = {tool.name: tool for tool in asked.tools}
            return not tools or all(self._is_call(call, tools) for call in calls)
        choice = asked.tool_choice
        if choice is not None and choice.mode in ("required", "named"):
            return False
        return asked.format is None or self._fits_schema(text, asked.format.schema)

    def _is_call(self, call: ToolCall, tools: Mapping[str, Tool]) -> bool:
        """Is it a call of a tool that was offered, with arguments that it takes?"""
        tool = tools.get(call.name)
        if tool is None:
            return False
        if call.custom or tool.custom is not None:
            return True
        return self._fits_schema(call.arguments, tool.parameters)

    def _fits_schema(self, text: str, schema: Mapping[str, Any] | None) -> bool:
        try:
            value = _decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return False
        # Without a schema any object was asked for; a schema may ask for a list.
        return self._fits(schema, value) if schema else type(value) is dict


def repeats(text: str) -> bool:
    """Is the end of the text one phrase over and over? Searched in C, over `LOOP` characters."""
    tail = text[-LOOP:]
    if len(tail) < LOOP:
        return False
    # The last characters, as many as the longest phrase has, came before at the shortest period.
    before = tail.rfind(tail[-_PERIOD:], 0, LOOP - 1)
    period = LOOP - _PERIOD - before
    return before >= 0 and period <= _PERIOD and tail[period:] == tail[:-period]


def _said(answer: Folded) -> str:
    return "".join(part.text for part in answer.parts if isinstance(part, Text))


def _plain(text: str) -> str:
    """As phrases are compared: without what frames them, in one case, with one apostrophe."""
    return text.lstrip(_FRAME).casefold().replace("’", "'")


def _is_own_limit(heard: Heard, usage: Usage | None) -> bool:
    """Did the client's own limit end the answer, and not the model's or its context's?"""
    if heard.asked is None:
        return True
    limit = heard.asked.max_output
    return limit is not None and (usage is None or usage.output >= limit)


def _is_unsure(logprobs: list[float]) -> bool:
    count = len(logprobs)
    return count >= _ENOUGH_TOKENS and sum(logprobs) / count < UNSURE

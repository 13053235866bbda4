"""What every fake says: the same rules in each dialect, so that any test can drive it.

- It repeats the user's last words: `You said: …`.
- `call NAME {json}` in them calls that tool, if it is offered; several are parallel calls.
  A tool that takes text gets the text that is `input` in it.
- Results of tools are quoted: `Results: …`. A result that holds `call NAME {json}` calls again.
- A forced tool is called with the smallest value that its schema allows.
- `refuse` is refused; a JSON schema gets the smallest value that fits it.
- Up to three tokens of output are too few; stop sequences cut.
- A token is four characters. A prompt with the word `cached` has half of it read from the cache.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tests.clouds.schemas import example

Reason = Literal["stop", "length", "stop_sequence", "tools", "refusal"]
ANY = "*"
"""Forced to call, whichever tool."""
_CALL = re.compile(r"\bcall ([\w.:-]+) (?=\{)")


@dataclass(frozen=True, kw_only=True)
class Tool:
    name: str
    schema: Any = None
    custom: bool = False
    """Takes text, not JSON."""
    namespace: str = ""


@dataclass(frozen=True, kw_only=True)
class Call:
    name: str
    args: Any
    custom: bool = False
    namespace: str = ""

    @property
    def text(self) -> str:
        if self.custom and isinstance(self.args, dict) and [*self.args] == ["input"]:
            return str(self.args["input"])
        return json.dumps(self.args, ensure_ascii=False)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request in no dialect."""

    text: str
    """What the user said last."""
    everything: str
    """The whole prompt, for counting."""
    results: tuple[str, ...] = ()
    """What tools said after that."""
    tools: tuple[Tool, ...] = ()
    forced: str = ""
    parallel: bool = True
    schema: Any = None
    json_mode: bool = False
    stop: tuple[str, ...] = ()
    limit: int | None = None
    thinks: bool = False


@dataclass(frozen=True, kw_only=True)
class Count:
    """Tokens; `cached` and `written` are part of `input`, `reasoning` of `output`."""

    input: int
    cached: int
    written: int
    output: int
    reasoning: int

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer in no dialect."""

    thinking: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()
    reason: Reason = "stop"
    stop: str | None = None
    count: Count = field(default=Count(input=0, cached=0, written=0, output=0, reasoning=0))


def tokens(text: str) -> int:
    return -(-len(text) // 4)


def pieces(text: str, most: int = 4) -> list[str]:
    """Cut a text into a few deltas."""
    size = max(1, -(-len(text) // most))
    return [text[at : at + size] for at in range(0, len(text), size)]


def say(ask: Ask) -> Said:
    said = _said(ask)
    if ask.thinks:
        said = replace(said, thinking=f"The user wants: {ask.text[:40]} – é🙂.")
    return replace(said, count=_count(ask, said))


def strings(value: Any) -> Iterable[str]:
    """Every text in a JSON value: what a prompt consists of."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def _said(ask: Ask) -> Said:
    if "refuse" in ask.text and not ask.results:
        return Said(text="I can't help with that.", reason="refusal")
    if ask.limit is not None and ask.limit <= 3:
        return Said(text=_words(ask)[: ask.limit * 2], reason="length")
    if calls := _calls(ask):
        return Said(calls=calls if ask.parallel else calls[:1], reason="tools")
    return _cut(_words(ask), ask)


def _words(ask: Ask) -> str:
    if ask.schema is not None:
        return json.dumps(example(ask.schema), ensure_ascii=False)
    words = f"Results: {'; '.join(ask.results)}" if ask.results else f"You said: {ask.text}"
    return json.dumps({"said": words}, ensure_ascii=False) if ask.json_mode else words


def _cut(text: str, ask: Ask) -> Said:
    stops = [(text.find(stop), stop) for stop in ask.stop if stop in text]
    if stops:
        at, stop = min(stops)
        return Said(text=text[:at], reason="stop_sequence", stop=stop)
    if ask.limit is not None and tokens(text) > ask.limit:
        return Said(text=text[: ask.limit * 4], reason="length")
    return Said(text=text)


def _calls(ask: Ask) -> tuple[Call, ...]:
    offered = {tool.name: tool for tool in ask.tools}
    wanted = set(offered) if ask.forced in {"", ANY} else {ask.forced} & set(offered)
    source = "\n".join(ask.results) if ask.results else ask.text
    calls = tuple(_call(offered[name], args) for name, args in _asked(source) if name in wanted)
    if calls or not ask.forced or not wanted:
        return calls
    tool = offered[next(name for name in offered if name in wanted)]
    return (_call(tool, example(tool.schema or {})),)


def _call(tool: Tool, args: Any) -> Call:
    return Call(name=tool.name, args=args, custom=tool.custom, namespace=tool.namespace)


def _asked(text: str) -> Iterable[tuple[str, Any]]:
    for match in _CALL.finditer(text):
        try:
            args, _ = json.JSONDecoder().raw_decode(text, match.end())
        except ValueError:
            continue
        yield match[1], args


def _count(ask: Ask, said: Said) -> Count:
    given = tokens(ask.everything)
    is_cached = "cached" in ask.everything
    reasoning = tokens(said.thinking)
    spoken = tokens(said.text) + sum(tokens(call.name + call.text) for call in said.calls)
    return Count(
        input=given,
        cached=given // 2 if is_cached else 0,
        written=given // 4 if is_cached else 0,
        output=reasoning + max(1, spoken),
        reasoning=reasoning,
    )

"""What clients put around the words of their user, taken away. The names are in
`data/clients.toml`; what has no end stays, for then it is the user who names it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

CUT = "\n…\n"
"""Stands where the middle of a long text was left out."""
_TRIES = 50
"""Lines beginning with a tag that are looked at, from the end."""
_NEAR_END = 1_500
"""Characters: how far from its end a template's question begins."""
_RESULT = 200
"""Characters: how soon the name of a tool is followed by "Result:"."""

_COLONS = ":\N{FULLWIDTH COLON}"


class _After(NamedTuple):
    starts: tuple[str, ...]
    marks: tuple[str, ...]


class Clients:
    """Knows `data/clients.toml`. The cost grows with the text: the caller bounds it."""

    def __init__(self, text: str) -> None:
        data = tomllib.loads(text)
        rows = data["client"]
        self._blocks = re.compile(f"<({_openings(_all(rows, 'blocks'))})")
        self._words = _tags(rows, "words")
        self._first = _tags(rows, "first")
        self._answers = _tags(rows, "answers")
        self._lines = _all(rows, "lines")
        self._turns = _all(rows, "turns")
        self._results = _all(rows, "results")
        self._endings = _all(rows, "endings")
        self._after = [
            _After(tuple(after["starts"]), tuple(after["marks"]))
            for row in rows
            for after in row.get("after", ())
        ]
        self._template = _Template(data["template"])

    def words(self, text: str) -> str:
        """The user's own words in a turn; `""` where the client alone speaks."""
        text = text.strip()
        if "<" in text:
            text = self._marked(self._without_blocks(text))
        text = self._without_lines(text)
        for starts, marks in self._after:
            if text.startswith(starts):
                text = _after_last(text, marks)
        if text.startswith(self._turns) or self._is_result(text):
            return ""
        return self._template.question(self._without_ending(text))

    def _without_blocks(self, text: str) -> str:
        kept, at = [], 0
        endless: set[str] = set()
        while (found := self._blocks.search(text, at)) is not None:
            tag = found[1].partition(">")[0]
            end = f"</{tag}>"
            stop = -1 if tag in endless else text.find(end, found.end())
            if stop < 0:
                endless.add(tag)
                # It may be in the middle, which was left out.
                end = CUT
                if _begins_line(text, found.start()):
                    stop = text.find(CUT, found.end())
            if stop < 0:
                stop, end = found.end(), ""
                kept.append(text[at:stop])
            else:
                kept.append(text[at : found.start()])
            at = stop + len(end)
        return "".join([*kept, text[at:]]).strip() if at else text

    def _marked(self, text: str) -> str:
        """What is inside a tag for the user's words; half of a pair is no such tag."""
        said = _last_inside(self._words, text)
        if said is None:
            said = _inside(self._first, text, 0)
        if said is None and self._is_result(text):
            said = _last_inside(self._answers, text)
        if said is None and (found := self._answers.match(text)):
            whole = text.endswith(f"</{found[1]}>")
            said = text[found.end() : -len(found[0]) - 1] if whole else None
        return text if said is None else said.strip()

    def _is_result(self, text: str) -> bool:
        if not text.startswith(self._results):
            return False
        return text[0] != "[" or "] Result:" in text[:_RESULT]

    def _without_lines(self, text: str) -> str:
        while text.startswith(self._lines):
            text = text.partition("\n")[2].lstrip()
        while (start := text.rfind("\n") + 1) and text.startswith(self._lines, start):
            text = text[:start].rstrip()
        return text

    def _without_ending(self, text: str) -> str:
        for ending in self._endings:
            at = text.find(ending)
            if at > 0:
                text = text[:at].rstrip()
        return text


class _Template:
    """Finds the question in a template that was filled in by a program."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._starts = tuple(data["starts"])
        self._instruction = data["instruction"]
        self._response = data["response"]
        questions = "|".join(map(re.escape, data["questions"]))
        answers = "|".join(map(re.escape, data["answers"]))
        self._question = re.compile(rf"\n[#* ]{{0,8}}(?:{questions})[* ]{{0,3}}[{_COLONS}]\**")
        self._answer = re.compile(
            rf"\n[#* ]{{0,8}}(?:{answers})[^\n{_COLONS}]{{0,30}}[{_COLONS}][*\s]*\Z"
        )

    def question(self, text: str) -> str:
        if text.endswith(self._response):
            before, _, after = text[: -len(self._response)].partition(self._instruction)
            return after.strip() or before.strip()
        if not text.startswith(self._starts):
            return text
        asked = list(self._question.finditer(text, max(0, len(text) - _NEAR_END)))
        if not asked:
            return text
        found = asked[-1]
        answer = self._answer.search(text, found.end())
        return text[found.end() : answer.start() if answer else None].strip() or text


def _all(rows: Iterable[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(name for row in rows for name in row.get(key, ()))


def _openings(names: Iterable[str]) -> str:
    """By their first letters: dozens of names would all be tried at each `<` of a page of HTML."""
    by_letter: dict[str, list[str]] = {}
    for name in names:
        by_letter.setdefault(name[0], []).append(_opening(name)[1:])
    return "|".join(f"{letter}(?:{'|'.join(rest)})" for letter, rest in by_letter.items())


def _opening(name: str) -> str:
    """As a pattern: a name alone may have attributes, `name>text` stands as it is."""
    tag, _, text = name.partition(">")
    return rf"{tag}>\s*{re.escape(text)}" if text else rf"{tag}(?=[\s>])"


def _tags(rows: Iterable[Mapping[str, Any]], key: str) -> re.Pattern[str]:
    return re.compile(rf"<({'|'.join(_all(rows, key))})>")


def _inside(tags: re.Pattern[str], text: str, at: int) -> str | None:
    """What the pair of tags that begins at `at` holds."""
    found = tags.match(text, at)
    end = text.find(f"</{found[1]}>", found.end()) if found else -1
    return text[found.end() : end] if found and end >= 0 else None


def _last_inside(tags: re.Pattern[str], text: str) -> str | None:
    """What the last pair that begins a line holds."""
    at = len(text)
    for _ in range(_TRIES):
        at = text.rfind("\n<", 0, at)
        said = _inside(tags, text, at + 1)
        if said is not None or at < 0:
            return said
    return None


def _begins_line(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _after_last(text: str, marks: Iterable[str]) -> str:
    for mark in marks:
        _, found, after = text.rpartition(mark)
        if found:
            return after.strip()
    return text

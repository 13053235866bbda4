"""The same request as another hand would have typed it: its tier must not change."""

from __future__ import annotations

import random
from dataclasses import replace

from larouter.classify.question import asked
from larouter.core.chat import Message
from training.rows import Row

_BESIDE = {"a": "s", "e": "r", "i": "o", "o": "p", "n": "m", "t": "r", "s": "d", "l": "k", "u": "i"}


def noisy(rows: list[Row], seed: int = 0) -> list[Row]:
    """One noisy twin of each row, its weight told by `file == "noise"`."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    return [_twin(row, chance) for row in rows]


def _twin(row: Row, chance: random.Random) -> Row:
    turns = list(row.request.messages)
    at = max(place for place, turn in enumerate(turns) if turn.role == "user")
    text = chance.choice(_CHANGES)(turns[at].text, chance)
    turns[at] = Message("user", text)
    request = type(row.request)(model="auto", messages=tuple(turns), body={}, size=row.request.size)
    return replace(row, request=request, asked=asked(request), file="noise")


def _prefixed(text: str, chance: random.Random) -> str:
    mark = "".join(chance.choices("0123456789abcdef", k=chance.choice((4, 8, 12))))
    form = chance.choice(("[{}] {}", "#{} {}", "req-{}: {}", "({}) {}", "id={}\n{}", "{}: {}"))
    return form.format(mark, text)


def _typos(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // 30)):
        at = chance.randrange(len(letters)) if letters else 0
        if not letters or not letters[at].isalpha():
            continue
        kind = chance.random()
        if kind < 0.3:
            del letters[at]
        elif kind < 0.6:
            letters[at] = _BESIDE.get(letters[at], letters[at] * 2)
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters) or text


def _spaced(text: str, chance: random.Random) -> str:
    return (
        chance.choice(("  ", "\n", "\n\n", "\t"))
        + text
        + chance.choice((" ", "\n", " \n\n", "..."))
    )


def _cased(text: str, chance: random.Random) -> str:
    return chance.choice((str.lower, str.upper, str.capitalize))(text)


def _bare(text: str, _: random.Random) -> str:
    return "".join(char for char in text if char not in ".,!?;:'\"") or text


def _polite(text: str, chance: random.Random) -> str:
    before = chance.choice(("hi, ", "hey ", "pls: ", "quick one - ", "Q: ", "ok so ", "hello! "))
    after = chance.choice(("", "", " thx", " pls", " 🙏", " thanks!", "??"))
    return before + text + after


_CHANGES = (_prefixed, _typos, _typos, _spaced, _cased, _bare, _polite)

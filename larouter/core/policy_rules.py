"""Rules in words: `if tag = legal and tokens > 4000 then COMPLEX`, read and applied. Pure.

    rule      = "if" condition { "and" condition } "then" action
    condition = field operator value
    field     = tag | language | needs | tier | tokens | turns | model
    operator  = = | != | < | <= | > | >=       the last four for tier, tokens and turns alone
    action    = a tier | a model | local

What is unknown (a language that is not plain, the tier of a request that names its model) equals
nothing, and is neither above nor below anything.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from larouter.core.errors import BadRequest
from larouter.core.policy import Condition, Rule

EXAMPLE = "if tag = legal and tokens > 4000 then COMPLEX"
LOCAL = "local"
"""The action that keeps a request on this machine."""
NEEDS = ("tools", "json_schema", "images", "audio", "files", "logprobs")
"""What a request may need of a model (`ChatRequest.needs`)."""
MAX_LENGTH = 500
"""Characters of one rule."""

_EQUALITY: Mapping[str, Callable[[object, object], bool]] = {"=": operator.eq, "!=": operator.ne}
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERED = frozenset({"tier", "tokens", "turns"})
_NUMBERS = frozenset({"tokens", "turns"})
_TOKEN = re.compile(r"<=|>=|!=|[=<>]|[^\s=<>!]+|!")
_NUMBER = re.compile(r"[0-9]{1,12}")
_MODEL = re.compile(r"[\w./:@+-]{1,256}")
_WORDS = {
    "tag": re.compile(r"[a-z][a-z0-9_-]{0,39}"),
    "language": re.compile(r"[a-z]{2}"),
    "needs": re.compile("|".join(NEEDS)),
    "tier": re.compile(r"[a-z][a-z0-9_-]{0,39}"),
    "model": _MODEL,
}
_SHOULD_BE = {
    "tag": "a subject in one word, such as legal or code",
    "language": "two letters, such as de or ja",
    "needs": f"one of {', '.join(NEEDS)}",
    "tier": "a tier, such as COMPLEX",
    "tokens": "a whole number, such as 4000",
    "turns": "a whole number, such as 10",
    "model": "the model's name as programs ask for it, such as auto",
}
FIELDS = tuple(_SHOULD_BE)


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of a request when the rules are asked."""

    tags: frozenset[str] = frozenset()
    language: str | None = None
    needs: frozenset[str] = frozenset()
    tier: str | None = None
    """As found or asked for, in capitals."""
    ranks: Mapping[str, int] = {}
    """Of the tiers, by name in capitals; the cheapest has the lowest."""
    tokens: int = 0
    """Of the prompt, estimated."""
    turns: int = 0
    model: str = ""
    """As the client wrote it."""


def parse_rule(text: str) -> Rule:
    """Read one rule. Raises `BadRequest` that shows where in the sentence it goes wrong."""
    text = " ".join(text.split())
    if len(text) > MAX_LENGTH or not text.isprintable():
        raise BadRequest(f"A rule has at most {MAX_LENGTH} printable characters.", param="rules")
    words = _Words(text)
    words.expect("if", "a rule begins with: if")
    conditions = [_condition(words)]
    while words.take().word.lower() == "and":
        conditions.append(_condition(words))
    words.back()
    words.expect("then", "here must stand: and, or: then")
    action = words.take()
    if not _MODEL.fullmatch(action.word):
        raise words.wrong(action, "then is followed by a tier, a model, or: local")
    last = words.take()
    if last.word:
        raise words.wrong(last, "a rule ends after one tier, one model, or: local")
    is_local = action.word.lower() == LOCAL
    return Rule(tuple(conditions), LOCAL if is_local else action.word, text)


def holds(rule: Rule, facts: Facts) -> bool:
    """Do all of the rule's conditions hold?"""
    return all(_holds(condition, facts) for condition in rule.conditions)


class _Word(NamedTuple):
    word: str
    """Empty behind the end."""
    at: int


class _Words:
    """The words of a rule, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [_Word(found[0], found.start()) for found in _TOKEN.finditer(text)]
        self._next = 0

    def take(self) -> _Word:
        self._next += 1
        if self._next > len(self._words):
            return _Word("", len(self._text))
        return self._words[self._next - 1]

    def back(self) -> None:
        self._next -= 1

    def expect(self, word: str, otherwise: str) -> None:
        found = self.take()
        if found.word.lower() != word:
            raise self.wrong(found, otherwise)

    def wrong(self, word: _Word, why: str) -> BadRequest:
        """The error that points at a word."""
        shown = f"{self._text[: word.at]}▸{self._text[word.at :]}"
        return BadRequest(
            f"This rule cannot be read at the mark ▸: {shown} – {why}. A rule that can: {EXAMPLE}",
            param="rules",
        )


def _condition(words: _Words) -> Condition:
    name = words.take()
    field = name.word.lower()
    if field not in FIELDS:
        raise words.wrong(name, f"a condition begins with one of {', '.join(FIELDS)}")
    sign = words.take()
    if sign.word not in _EQUALITY and sign.word not in _ORDER:
        raise words.wrong(sign, f"{field} is followed by one of {_signs(field)}")
    if sign.word in _ORDER and field not in _ORDERED:
        raise words.wrong(sign, f"{field} has no order; write one of {_signs(field)}")
    value = words.take()
    if field in _NUMBERS:
        if _NUMBER.fullmatch(value.word):
            return Condition(field, sign.word, int(value.word))
    elif field == "model" and _MODEL.fullmatch(value.word):
        return Condition(field, sign.word, value.word)
    elif field != "model" and _WORDS[field].fullmatch(value.word.lower()):
        word = value.word
        return Condition(field, sign.word, word.upper() if field == "tier" else word.lower())
    raise words.wrong(value, f"{field} is {_SHOULD_BE[field]}")


def _signs(field: str) -> str:
    return " ".join((*_EQUALITY, *_ORDER) if field in _ORDERED else _EQUALITY)


def _holds(condition: Condition, facts: Facts) -> bool:
    field, sign, value = condition.field, condition.operator, condition.value
    if field in ("tag", "needs"):
        is_there = value in (facts.tags if field == "tag" else facts.needs)
        return is_there == (sign == "=")
    if field == "tier" and sign in _ORDER:
        return _tier_holds(sign, str(value), facts)
    found = getattr(facts, field)
    if sign in _EQUALITY:
        return _EQUALITY[sign](found, value)
    return _ORDER[sign](found, float(value))


def _tier_holds(sign: str, wanted: str, facts: Facts) -> bool:
    """A tier that the catalogue no longer has is in no order with the others."""
    rank, found = facts.ranks.get(wanted), facts.ranks.get(facts.tier or "")
    return rank is not None and found is not None and _ORDER[sign](found, rank)

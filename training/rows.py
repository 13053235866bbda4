"""The labelled requests that the classifier learns from.

Own rows are in `training/data/*.jsonl`: `{"tier", "lang", "tags", "turns", "system"?, "alt"?}`,
where `turns` alternates user, assistant, user … and ends with the turn to judge; or, of a text that
was pasted, `{"lang", "kind", "doc", "asks": [{"tier", "text", "where"?, "alt"?}]}`. Further rows
come from the folder that `LAROUTER_ROUTING_DATA` names (`authored.jsonl`, `train.jsonl`,
`dev.jsonl`).
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from larouter.classify.question import Asked, asked
from larouter.core.chat import ChatRequest, Message

TIERS = ("HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER")
OWN = Path(__file__).parent / "data"
PARAPHRASES = Path(__file__).parent / "paraphrases.jsonl"
VARIABLE = "LAROUTER_ROUTING_DATA"

SHARE_ALIKE = ("CC-BY-SA",)
"""Rows under such a licence are left out, so that the weights carry no such duty."""
_WEIGHTS = {
    # Many rows that are much alike: each of them counts little.
    "own-templates": 0.3, "own-templates+gsm8k-text": 0.3, "self-instruct-seed": 0.25,
    "arena-hard-v0.1": 0.25, "arena-hard-v2": 0.25, "clinc150": 0.08, "zeroeval-crux": 0.05,
}  # fmt: skip
_PASTED = 0.6
"""Of one of the ten requests about the same text."""
_WEIGHT = 0.1
"""Of rows of other public sources: exam questions, which nobody sends to a laptop all day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request and what is known about it."""

    asked: Asked
    request: ChatRequest
    file: str
    """own, authored, train, dev, noise (the twin of another row) or paraphrase."""
    source: str
    licence: str
    lang: str
    tags: tuple[str, ...]
    tier: int | None
    """Index in `TIERS`; None: only the outcome is known."""
    alt: int | None = None
    """A neighbour that a careful colleague could also defend."""
    weak: float | None = None
    """The share of small models that answered correctly."""
    strong: float | None = None
    group: str | None = None
    wish: str | None = None
    """What is wanted, where the last turn was put together from a wish and what it is about."""
    wish_is_last: bool = False

    @property
    def weight(self) -> float:
        if self.file not in {"own", "authored"}:
            return _WEIGHTS.get(self.source, _WEIGHT)
        return 1.0 if self.wish is None else _PASTED


_FORMS = {
    "before": (
        "{wish}\n\n{text}", "{wish}\n{text}", "{wish}: {text}", "{wish}\n---\n{text}",
        "{wish}\n```\n{text}\n```", "{wish}\n<document>\n{text}\n</document>", '{wish}\n\n"{text}"',
    ),
    "after": (
        "{text}\n\n{wish}", "{text}\n{wish}", "{text} {wish}", "{text}\n---\n{wish}",
        "```\n{text}\n```\n{wish}", "<document>\n{text}\n</document>\n\n{wish}",
        '"{text}"\n\n{wish}',
    ),
}  # fmt: skip
_EASY, _LONG = ("HEARTBEAT", "SIMPLE", "MODERATE"), 600


def load() -> list[Row]:
    """Own rows first, then those of the shared folder, if it is named."""
    rows = [row for path in sorted(OWN.glob("*.jsonl")) for row in _own_rows(path)]
    folder = os.environ.get(VARIABLE)
    if folder:
        for file in ("authored", "train", "dev"):
            rows += [_shared(line, file) for line in _lines(Path(folder) / f"{file}.jsonl")]
    return [row for row in rows if not row.licence.startswith(SHARE_ALIKE)]


def paraphrases() -> list[Row]:
    """Own rows and two paraphrases of each, in one `group`: never learnt from, only measured."""
    rows = []
    for at, line in enumerate(_lines(PARAPHRASES)):
        for text in (line["text"], *line["as"]):
            row = _own({"tier": None, "lang": line["lang"], "turns": [text]}, line["source"])
            rows.append(replace(row, file="paraphrase", group=str(at)))
    return rows


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _own_rows(path: Path) -> Iterator[Row]:
    chance = random.Random(path.stem)  # noqa: S311 - no secret
    for line in _lines(path):
        if "doc" not in line:
            yield _own(line, path.stem)
        for ask in line.get("asks", ()):
            yield _pasted(line, ask, path.stem, chance)


def _pasted(line: dict[str, Any], ask: dict[str, Any], source: str, chance: random.Random) -> Row:
    form = chance.choice(_FORMS[ask.get("where") or chance.choice(tuple(_FORMS))])
    wish, text = ask["text"].strip(), line["doc"].strip()
    whole = form.replace("{wish}", wish).replace("{text}", text)
    tags = ("paste", *(("long-easy",) if ask["tier"] in _EASY and len(text) > _LONG else ()))
    made = {"lang": line["lang"], **ask, "turns": [whole], "tags": tags}
    return replace(_own(made, source), wish=wish, wish_is_last=form.endswith("{wish}"))


def _own(line: dict[str, Any], source: str) -> Row:
    turns = [
        Message("assistant" if at % 2 else "user", text) for at, text in enumerate(line["turns"])
    ]
    if line.get("system"):
        turns.insert(0, Message("system", line["system"]))
    return _row(line, tuple(turns), file="own", source=f"own-{source}", licence="Apache-2.0")


def _shared(line: dict[str, Any], file: str) -> Row:
    turns = tuple(Message(turn["role"], turn["content"]) for turn in line["messages"])
    return _row(line, turns, file=file, source=line["source"], licence=line["licence"])


def _row(
    line: dict[str, Any], turns: tuple[Message, ...], *, file: str, source: str, licence: str
) -> Row:
    size = sum(len(turn.text) for turn in turns)
    request = ChatRequest(model="auto", messages=turns, body={}, size=size)
    tier, alt = line["tier"], line.get("alt")
    return Row(
        asked=asked(request),
        request=request,
        file=file,
        source=source,
        licence=licence,
        lang=line["lang"],
        tags=tuple(line.get("tags", ())),
        tier=TIERS.index(tier) if tier else None,
        alt=TIERS.index(alt) if alt else None,
        weak=line.get("weak"),
        strong=line.get("strong"),
        group=line.get("group"),
    )

"""The labelled requests that the classifier learns from.

Own rows are in `training/data/*.jsonl`: `{"tier", "lang", "tags", "turns", "system"?, "alt"?}`,
where `turns` alternates user, assistant, user … and ends with the turn to judge. Further rows come
from the folder that `LAROUTER_ROUTING_DATA` names (`authored.jsonl`, `train.jsonl`, `dev.jsonl`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from larouter.classify.question import Asked, asked
from larouter.core.chat import ChatRequest, Message

TIERS = ("HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER")
OWN = Path(__file__).parent / "data"
VARIABLE = "LAROUTER_ROUTING_DATA"

SHARE_ALIKE = ("CC-BY-SA",)
"""Rows under such a licence are left out, so that the weights carry no such duty."""
_WEIGHTS = {
    # Many rows that are much alike: each of them counts little.
    "own-templates": 0.3, "own-templates+gsm8k-text": 0.3, "self-instruct-seed": 0.25,
    "arena-hard-v0.1": 0.25, "arena-hard-v2": 0.25, "clinc150": 0.08, "zeroeval-crux": 0.05,
}  # fmt: skip
_WEIGHT = 0.1
"""Of rows of other public sources: exam questions, which nobody sends to a laptop all day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request and what is known about it."""

    asked: Asked
    request: ChatRequest
    file: str
    """own, authored, train or dev."""
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

    @property
    def weight(self) -> float:
        return 1.0 if self.file in {"own", "authored"} else _WEIGHTS.get(self.source, _WEIGHT)


def load() -> list[Row]:
    """Own rows first, then those of the shared folder, if it is named."""
    rows = [_own(line, path.stem) for path in sorted(OWN.glob("*.jsonl")) for line in _lines(path)]
    folder = os.environ.get(VARIABLE)
    if folder:
        for file in ("authored", "train", "dev"):
            rows += [_shared(line, file) for line in _lines(Path(folder) / f"{file}.jsonl")]
    return [row for row in rows if not row.licence.startswith(SHARE_ALIKE)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


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
    tier, alt = line.get("tier"), line.get("alt")
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

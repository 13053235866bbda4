"""How well requests are routed: `LAROUTER_ROUTING_DATA=FOLDER python benchmarks/routing.py`.

Reads `dev.jsonl` in that folder, which no training saw, asks the shipped classifier about each row,
and prints its scores beside those of chance, of length, of the rules alone and of the cautious
guess. How requests of other authors fare is in docs/classifier.md, by leaving out whole sources.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from larouter.classify import cascade
from larouter.classify.default import Default
from larouter.classify.learned import Learned
from larouter.classify.rules import Rules
from larouter.config import folder
from larouter.core.chat import ChatRequest, Message
from larouter.core.route import Verdict
from training import metrics
from training.noise import noisy
from training.rows import TIERS, VARIABLE, Row, load

HEAD = ("n", "accuracy", "macro_f1", "kappa", "hard_to_local", "frontier_to_local", "easy_to_cloud")
TAGS = ("injection", "long_easy", "long_hard", "real_user", "multi_turn", "template", "noise")
LEAST = 15
"""Rows below which a share says nothing."""

Judge = Callable[[ChatRequest], Verdict]


def main() -> None:
    if not os.environ.get(VARIABLE):
        print(f"Skipped: {VARIABLE} names no folder with dev.jsonl.")
        return
    rows = [row for row in load() if row.file == "dev"]
    judges = _judges()
    labelled = [row for row in rows if row.tier is not None]
    print(f"{len(labelled)} labelled rows of the development set\n")
    _table({name: (judge, labelled) for name, judge in judges.items()})
    shipped = judges["shipped"]
    parts = {f"tag {tag}": [row for row in labelled if tag in row.tags] for tag in TAGS}
    parts["not English"] = [row for row in labelled if row.lang != "en"]
    for source in sorted({row.source for row in labelled}):
        parts[source] = [row for row in labelled if row.source == source]
    print("\nthe shipped classifier, by part\n")
    _table({name: (shipped, some) for name, some in parts.items() if len(some) >= LEAST})
    _noise(labelled, shipped)
    _apgr(rows, shipped)
    _time(judges)


def _judges() -> dict[str, Judge]:
    rules = Rules((folder("data") / "rules.toml").read_text("utf-8"))
    learned = Learned(folder("data") / "learned.npz")
    chance = random.Random(0)

    def by_chance(_: ChatRequest) -> Verdict:
        return _guess(chance.randrange(5))

    def by_length(request: ChatRequest) -> Verdict:
        length = len(request.messages[-1].text)
        return _guess(sum(length > limit for limit in (12, 60, 200, 800)))

    return {
        "chance": by_chance,
        "length": by_length,
        "rules and a guess": cascade((rules, Default())),
        "learned alone": learned.judge,
        "shipped": cascade((rules, learned)),
    }


def _guess(tier: int) -> Verdict:
    score = tier / 4
    return Verdict(
        tier=TIERS[tier], score=score, need_strong=score, confidence=0, stage="", reason=""
    )


def _found(judge: Judge, rows: list[Row]) -> np.ndarray:
    return np.array([TIERS.index(judge(row.request).tier) for row in rows])


def _table(parts: dict[str, tuple[Judge, list[Row]]]) -> None:
    print(f"{'':28}" + "".join(f"{name:>18}" for name in HEAD))
    for name, (judge, rows) in parts.items():
        wanted = np.array([row.tier for row in rows])
        scores = metrics.tier_scores(wanted, _found(judge, rows))
        print(f"{name:28}" + "".join(f"{scores[key]:18.3f}" for key in HEAD))


def _noise(rows: list[Row], judge: Judge) -> None:
    same = np.mean(_found(judge, rows) == _found(judge, noisy(rows)))
    print(f"\nthe same tier under noise: {same:.3f}")


def _apgr(rows: list[Row], judge: Judge) -> None:
    print("\nneed_strong as a threshold: APGR by source (0.5 is chance)")
    sources = sorted({row.source for row in rows if row.weak is not None})
    for source in sources:
        some = [row for row in rows if row.source == source and row.weak is not None]
        need = np.array([judge(row.request).need_strong for row in some])
        weak, strong = (
            np.array([getattr(row, name) for row in some]) for name in ("weak", "strong")
        )
        print(f"  {source:28} {metrics.apgr(need, weak, strong):.3f}  ({len(some)} rows)")


def _time(judges: dict[str, Judge]) -> None:
    print("\nmicroseconds of CPU for one prompt")
    words = "Please look at the report below and tell me whether the figures add up, and why. "
    for size in (80, 1_000, 8_192, 1_000_000):
        text = (words * (size // len(words) + 1))[:size]
        request = ChatRequest(model="auto", messages=(Message("user", text),), body={}, size=size)
        for name in ("rules and a guess", "learned alone"):
            stage = judges[name]
            spent = []
            for _ in range(300):
                began = time.perf_counter()
                stage(request)
                spent.append((time.perf_counter() - began) * 1e6)
            cuts = quantiles(spent, n=100)
            print(f"  {size:>9} characters, {name:18} p50 {cuts[49]:7.0f}  p99 {cuts[98]:7.0f}")


if __name__ == "__main__":
    main()

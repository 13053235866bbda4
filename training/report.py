"""What the network scores on rows of sources that it had not seen, and the numbers that follow:
temperature, border, the scale of `need_strong`."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from training import metrics
from training.network import softmax
from training.rows import Row

HARD_TO_LOCAL = 0.04
"""The share of hard prompts that may stay local: the border is set by it, on the authored rows if
there are any. Own rows are harder than life: they were written where the classifier had failed."""
_BORDERS = (0.2, 0.5)
"""Where the border may be: below the first, too much that is easy would leave the machine."""
TAGS = ("claim", "misleading", "short-hard", "long-easy", "jargon-easy", "follow-up", "paste",
        "longdoc", "voice", "agent", "noise")  # fmt: skip
_LEAST = 20
"""Rows below which a share says nothing."""
_LEAST_OUTCOMES = 40

Said = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def chances(said: Said, heat: float) -> Said:
    return softmax(said[:, :5] / heat)


def tiers(chances: Said, border: float) -> Places:
    """As `classify.learned.Learned.tier_of`, for many."""
    cloud = chances[:, metrics.CLOUD :]
    found: Places = np.where(
        cloud.sum(1) >= border,
        metrics.CLOUD + cloud.argmax(1),
        chances[:, : metrics.CLOUD].argmax(1),
    )
    return found


def realistic(rows: list[Row], known: Any) -> Places:
    """The rows by people and programs as they are, which the network judged unseen."""
    return np.array(
        [at for at, row in enumerate(rows)
         if known[at] and row.file in {"own", "authored"} and row.tier is not None]
    )  # fmt: skip


def calibrated(rows: list[Row], said: Said, known: Any) -> dict[str, Any]:
    chosen = realistic(rows, known)
    wanted = np.array([rows[at].tier for at in chosen])
    every = np.arange(len(chosen))

    def loss(heat: float) -> float:
        return float(-np.log(chances(said[chosen], heat)[every, wanted] + 1e-9).mean())

    heat = float(min(np.linspace(0.5, 2.5, 81), key=loss))
    cloud = chances(said[chosen], heat)[:, metrics.CLOUD :].sum(1)
    is_hard = wanted >= metrics.CLOUD
    is_alike = np.array([rows[at].file == "authored" for at in chosen])
    hard = np.sort(cloud[is_hard & (is_alike | ~is_alike.any())])
    border = float(np.clip(hard[int(HARD_TO_LOCAL * len(hard))], *_BORDERS))

    def need_loss(pair: tuple[float, float]) -> float:
        odds = pair[0] * said[chosen, 5] + pair[1]
        return float(np.mean(np.logaddexp(0, odds) - is_hard * odds))

    need = min(product(np.linspace(0.4, 2.0, 33), np.linspace(-1.5, 1.5, 31)), key=need_loss)
    return {"heat": heat, "border": round(border, 3), "need": tuple(map(float, need))}


def need_strong(said: Said, settings: dict[str, Any]) -> Said:
    slope, offset = settings["need"]
    needed: Said = 1 / (1 + np.exp(-(slope * said[:, 5] + offset)))
    return needed


def scored(rows: list[Row], said: Said, known: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """By part: scores of `metrics.tier_scores`; then calibration and APGR."""
    shares = chances(said, settings["heat"])
    found = tiers(shares, settings["border"])
    wanted = np.array([-1 if row.tier is None else row.tier for row in rows])
    real = realistic(rows, known)
    result: dict[str, Any] = {
        name: {
            key: round(value, 3)
            for key, value in metrics.tier_scores(wanted[some], found[some]).items()
        }
        for name, some in _parts(rows, known, real).items()
    }
    right = (shares[real].argmax(1) == wanted[real]).astype(float)
    need = need_strong(said, settings)
    is_hard = (wanted[real] >= metrics.CLOUD).astype(float)
    result["ece"] = {
        "tier": round(metrics.calibration_error(shares[real].max(1), right), 3),
        "need_strong": round(metrics.calibration_error(need[real], is_hard), 3),
    }
    result["apgr_dev"] = _outcomes(rows, said)
    result["paraphrase"] = _alike(rows, found)
    return result


def _parts(rows: list[Row], known: Any, real: Places) -> dict[str, Places]:
    def some(test: Any, of: Any = real) -> Places:
        return np.array([at for at in of if test(rows[at])], np.int64)

    parts = {
        "all": real,
        "authored": some(lambda row: row.file == "authored"),
        "not English": some(lambda row: row.lang != "en"),
        "dev": some(lambda row: row.file == "dev" and row.tier is not None, range(len(rows))),
        "noise": some(lambda row: row.file == "noise", np.flatnonzero(known)),
    }
    for tag in TAGS:
        parts[f"tag {tag}"] = some(lambda row, tag=tag: tag in row.tags)
    for source in sorted({rows[at].source for at in real}):
        parts[source] = some(lambda row, source=source: row.source == source)
    for lang in sorted({rows[at].lang for at in real}):
        parts[f"language {lang}"] = some(lambda row, lang=lang: row.lang == lang)
    return {name: places for name, places in parts.items() if len(places) >= _LEAST}


def _alike(rows: list[Row], found: Places) -> dict[str, float]:
    """The share of paraphrases that get the tier of what they paraphrase."""
    groups: dict[str | None, list[int]] = {}
    for at, row in enumerate(rows):
        if row.file == "paraphrase":
            groups.setdefault(row.group, []).append(int(found[at]))
    same = [tier == first for first, *others in groups.values() for tier in others]
    return {"n": float(len(same)), "same": round(float(np.mean(same)), 3)}


def _outcomes(rows: list[Row], said: Said) -> dict[str, float]:
    """APGR on the development rows of each source with outcomes."""
    result = {}
    for source in sorted({row.source for row in rows if row.weak is not None}):
        some = [at for at, row in enumerate(rows)
                if row.file == "dev" and row.source == source
                and row.weak is not None and row.strong is not None]  # fmt: skip
        if len(some) >= _LEAST_OUTCOMES:
            weak, strong = (
                np.array([getattr(rows[at], name) for at in some]) for name in ("weak", "strong")
            )
            value = metrics.apgr(said[some, 5], weak, strong)
            if value == value:  # no gain, no share of it
                result[source] = round(value, 3)
    return result


def guard_lines(rows: list[Row], said: Said, known: Any, settings: dict[str, Any]) -> list[Any]:
    """About 500 own rows as numbers, each judged by a network that never saw its source."""
    own = [at for at in realistic(rows, known) if rows[at].file == "own"]
    shares, need = chances(said, settings["heat"]), need_strong(said, settings)
    return [
        [rows[at].tier, round(float(need[at]), 4), *(round(float(p), 4) for p in shares[at])]
        for at in own[:: max(1, len(own) // 500)]
    ]

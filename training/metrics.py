"""How good a router is. Definitions in docs/routing-model.md."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Tiers = npt.NDArray[np.int64]

CLOUD = 3
"""The first tier whose model is in a cloud."""


def tier_scores(wanted: Tiers, found: Tiers) -> dict[str, float]:
    """Accuracy, macro-F1, quadratic kappa, and the two ways across the border."""
    hard, easy = wanted >= CLOUD, wanted < CLOUD
    return {
        "n": float(len(wanted)),
        "accuracy": _mean(wanted == found),
        "macro_f1": float(np.mean([_f1(wanted == tier, found == tier) for tier in range(5)])),
        "kappa": kappa(wanted, found),
        "hard_to_local": _mean(found[hard] < CLOUD),
        "frontier_to_local": _mean(found[wanted == 4] < CLOUD),
        "easy_to_cloud": _mean(found[easy] >= CLOUD),
    }


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _f1(wanted: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> float:
    both = float((wanted & found).sum())
    return 2 * both / max(1.0, float(wanted.sum() + found.sum()))


def kappa(wanted: Tiers, found: Tiers) -> float:
    """Cohen's kappa with quadratic weights: a mistake of two tiers counts four times."""
    observed = np.zeros((5, 5))
    np.add.at(observed, (wanted, found), 1)
    expected = np.outer(observed.sum(1), observed.sum(0)) / max(1, len(wanted))
    cost = (np.arange(5)[:, None] - np.arange(5)) ** 2
    return float(1 - (cost * observed).sum() / max(1e-9, (cost * expected).sum()))


def calibration_error(chances: Floats, came_true: Floats, bins: int = 15) -> float:
    """Expected calibration error over bins of equal width (Guo et al., arXiv 1706.04599)."""
    which = np.minimum((chances * bins).astype(int), bins - 1)
    error = 0.0
    for at in range(bins):
        some = which == at
        if some.any():
            error += some.mean() * abs(chances[some].mean() - came_true[some].mean())
    return float(error)


def apgr(need: Floats, weak: Floats, strong: Floats) -> float:
    """Average performance gap recovered, over all shares of calls to the strong model (RouteLLM,
    arXiv 2406.18665). 0.5 is random; ties are broken by the expected value."""
    order = np.argsort(-need, kind="stable")
    gain = (strong - weak)[order]
    total = gain.sum()
    if total <= 0:
        return float("nan")
    # Equal values of `need` share their gain, so that no order of the rows helps.
    ordered = need[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.append(begins, len(ordered)))
    gain = np.repeat(np.add.reduceat(gain, begins) / sizes, sizes)
    recovered = np.concatenate(([0.0], np.cumsum(gain))) / total
    return float(np.trapezoid(recovered, dx=1 / len(gain)))

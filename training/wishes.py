"""Teach which sentences of a long turn read like a wish, from rows that were put together from a
wish and what it is about. The table is used by `classify/learned/wish.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize

from larouter.classify.learned import wish
from training.rows import Row

_WANTED_WEIGHT = 2.0
"""A wish that is overlooked is worse than a sentence too many."""
_SHRINK = 0.3
_ROUNDS = 200


def table(rows: Iterable[Row]) -> bytes:
    """Logistic regression on the marks of each sentence; rows without a known wish are ignored."""
    marks: list[int] = []
    ends, wanted = [0], []
    for row in rows:
        for seen, is_wanted in _sentences(row):
            marks += map(wish.place, seen)
            ends.append(len(marks))
            wanted.append(is_wanted)
    shape = (len(wanted), 1 << wish.BITS)
    counted = sparse.csr_matrix((np.ones(len(marks)), marks, ends), shape=shape)
    steps = np.round(_fit(counted, np.array(wanted)) / wish.STEP) + wish.NOTHING
    return bytes(np.clip(steps, 0, 255).astype(np.uint8))


def _sentences(row: Row) -> Iterator[tuple[list[str], bool]]:
    """Of a row whose wish is known: the marks of each sentence that would be looked at, and whether
    it is of the wish."""
    text = row.asked.text
    if row.wish is None or len(text) <= wish.SHORT:
        return
    begin = text.rfind(row.wish) if row.wish_is_last else text.find(row.wish)
    if begin < 0:
        return
    spans = wish.sentences(text)
    for at in sorted(wish.either_end(len(spans))):
        left, right = spans[at]
        is_wanted = begin <= (left + right) / 2 < begin + len(row.wish)
        yield wish.marks(text, spans, at), is_wanted


def _fit(seen: sparse.csr_matrix, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    sign = np.where(wanted, 1.0, -1.0)
    weight = np.where(wanted, _WANTED_WEIGHT, 1.0)

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        odds = sign * (seen @ weights)
        slope = seen.T @ (weight * sign / (1 + np.exp(odds)))
        value = float((weight * np.logaddexp(0, -odds)).sum() + _SHRINK / 2 * weights @ weights)
        return value, _SHRINK * weights - slope

    found: npt.NDArray[np.float64] = minimize(
        loss, np.zeros(seen.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS}
    ).x
    return found

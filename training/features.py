"""What the network sees of each row, computed by the product's own code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from larouter.classify.learned.encoder import Encoder
from larouter.classify.learned.grams import BITS
from larouter.classify.learned.network import FAMILIES, parts_of
from training.rows import Row

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """Of n rows."""

    counts: Floats
    """Shape (n, number of scalars), as they are."""
    codes: Floats
    """Shape (n, 4 · width): the encoder's numbers of the text and of its context."""
    grams: tuple[sparse.csr_matrix, ...]
    """By family, shape (n, 2^18): how often each bucket occurs."""


def features_of(rows: list[Row], encoder: Encoder) -> Features:
    seen = [parts_of(row.asked, encoder) for row in rows]
    return Features(
        np.array([parts.counts for parts in seen], np.float32),
        np.array([parts.codes for parts in seen], np.float32),
        tuple(_counted([parts.grams[at] for parts in seen]) for at in range(len(FAMILIES))),
    )


def _counted(lists: list[npt.NDArray[np.int64]]) -> sparse.csr_matrix:
    ends = np.concatenate(([0], np.cumsum([len(grams) for grams in lists])))
    columns = np.concatenate(lists).astype(np.int32)
    shape = (len(lists), 1 << BITS)
    matrix = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=shape)
    matrix.sum_duplicates()
    return matrix

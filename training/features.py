"""What the network sees of each row, computed by the product's own code."""

from __future__ import annotations

from collections.abc import Callable
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
    """Shape (n, 10 · width): the encoder's numbers of the wish and of what stands beside it."""
    grams: tuple[sparse.csr_matrix, ...]
    """By family, shape (n, 2^18): how often each bucket occurs."""


def features_of(rows: list[Row], encoder: Encoder, wishes: Callable[[Row], bytes]) -> Features:
    """`wishes` gives the table that tells the wish of a row from its matter."""
    seen = [parts_of(row.asked, encoder, wishes(row)) for row in rows]
    nothing = np.zeros(encoder.size, np.float32)
    codes = [[nothing if code is None else code for code in parts.codes] for parts in seen]
    return Features(
        np.array([parts.counts for parts in seen], np.float32),
        np.array(codes, np.float32).reshape(len(seen), -1),
        tuple(_counted([parts.grams[at] for parts in seen]) for at in range(len(FAMILIES))),
    )


def _counted(lists: list[npt.NDArray[np.int64]]) -> sparse.csr_matrix:
    ends = np.concatenate(([0], np.cumsum([len(grams) for grams in lists])))
    columns = np.concatenate(lists).astype(np.int32)
    shape = (len(lists), 1 << BITS)
    matrix = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, ends), shape=shape)
    matrix.sum_duplicates()
    return matrix

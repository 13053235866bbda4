"""The file of weights: whole numbers of 8 bits with a scale each where there are many."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from larouter.classify.learned.network import FAMILIES
from training.network import Trained

FILE = Path(__file__).parents[1] / "larouter/data/learned.npz"

_MOST_GRAMS = 420_000
"""Those that say most, by the length of their vectors: the file may have 20 MB."""


def encoder_arrays(
    keys: npt.NDArray[np.uint64], classes: npt.NDArray[np.uint8], weights: dict[str, Any]
) -> dict[str, Any]:
    """`weights` as `training.encoder.fit` returns them; their row 0 stands for no piece."""
    vectors, scales = _by_row(weights["pieces"][1:])
    return {
        "classes": classes,
        "piece_keys": keys,
        "pieces": vectors,
        "pieces_scale": scales,
        "importance": weights["importance"][1:].astype(np.float16),
        "kernel": weights["kernel"].astype(np.float16),
        "kernel_bias": weights["kernel_bias"].astype(np.float16),
    }


def layer_arrays(trained: Trained) -> dict[str, Any]:
    arrays: dict[str, Any] = {"mean": trained.mean, "spread": trained.spread}
    sizes = [np.linalg.norm(vectors, axis=1) for vectors in trained.grams]
    least = np.sort(np.concatenate(sizes))[-_MOST_GRAMS:][0]
    for name, buckets, vectors, size in zip(
        FAMILIES, trained.buckets, trained.grams, sizes, strict=True
    ):
        used = size >= least
        rounded, scale = _by_column(vectors[used])
        arrays[f"{name}_buckets"] = buckets[used].astype(np.int32)
        arrays[f"{name}_grams"], arrays[f"{name}_scale"] = rounded, scale
    for name, value in trained.merged().items():
        arrays[name] = value.astype(np.float16 if value.ndim == 2 else np.float32)
    return arrays


def write(arrays: dict[str, Any], file: Path = FILE) -> str:
    """Write the file; return its SHA-256."""
    np.savez_compressed(file, **arrays)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _by_row(values: Any) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]:
    scales = (np.abs(values).max(1) / 127 + 1e-9).astype(np.float16)
    rounded = np.round(values / np.maximum(scales.astype(np.float32), 1e-6)[:, None])
    return np.clip(rounded, -127, 127).astype(np.int8), scales


def _by_column(values: Any) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    # The few largest are cut off: else one outlier would make all others coarse.
    largest = (
        np.quantile(np.abs(values), 0.9995, axis=0) if len(values) else np.ones(values.shape[1])
    )
    scale = (largest / 127 + 1e-9).astype(np.float32)
    return np.clip(np.round(values / scale), -127, 127).astype(np.int8), scale

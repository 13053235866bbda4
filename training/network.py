"""The layer on top of the encoder, and the n-grams' vectors, trained together.

Plain numpy and scipy with the slopes written out: most of the weights are vectors of n-grams, of
which a batch touches few, and a framework would walk over all of them at each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from larouter.classify.learned.network import FAMILIES, gelu
from training.features import Features, Floats

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Targets:
    """What each row should be answered with; a weight of 0 leaves a head alone."""

    tiers: Floats
    """(n, 5), rows summing to 1."""
    need: Floats
    """(n,): the chance that a small model's answer would be worse."""
    tags: Floats
    """(n, tags): 0 or 1."""
    languages: Floats
    """(n, languages): rows summing to 1."""
    tier_weight: Floats
    need_weight: Floats
    tag_weight: Floats
    language_weight: Floats

    @property
    def chance(self) -> Floats:
        """How often a row is drawn."""
        return np.maximum(self.tier_weight, self.need_weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was chosen by leaving out whole sources, see the model card."""

    members: int = 3
    """Networks that start from other numbers; what they say is averaged."""
    width: int = 6
    hidden: int = 128
    epochs: float = 8.0
    batch: int = 256
    seldom: int = 3
    """An n-gram that fewer rows have is not learnt."""
    rate: float = 2e-3
    gram_rate: float = 0.05
    decay: float = 0.05
    drop: float = 0.3
    gram_drop: float = 0.4
    seed: int = 0


@dataclass(slots=True)
class _Adam:
    rate: float
    decay: float
    first: Any
    second: Any
    steps: int = 0

    def step(self, weights: Floats, slope: Floats, share: float) -> None:
        self.steps += 1
        self.first += 0.1 * (slope - self.first)
        self.second += 0.01 * (slope * slope - self.second)
        first = self.first / (1 - 0.9**self.steps)
        second = np.sqrt(self.second / (1 - 0.99**self.steps)) + 1e-7
        weights -= self.rate * share * (first / second + self.decay * weights)


@dataclass(slots=True)
class Trained:
    """The weights of all members: every array of `layers` has them first."""

    plan: Plan
    mean: Floats
    spread: Floats
    buckets: tuple[Rows, ...]
    grams: list[Floats]
    """By family, shape (buckets, members · width)."""
    layers: dict[str, Floats] = field(default_factory=dict)

    def predict(self, features: Features, rows: Rows) -> Floats:
        """(len(rows), 6 + tags + languages)."""
        seen, layers, said = self.seen(features, rows), self.layers, []
        for at in range(0, len(rows), 1024):
            inputs, _ = self.inputs(seen, np.arange(at, min(at + 1024, len(rows))))
            hidden = gelu(inputs @ layers["first"] + layers["first_bias"])
            members = hidden @ layers["last"] + layers["last_bias"] + inputs @ layers["straight"]
            said.append(members.mean(0))
        return np.concatenate(said)

    def seen(self, features: Features, rows: Rows) -> Seen:
        dense = ((features.counts[rows] - self.mean) / self.spread, features.codes[rows])
        grams = []
        for matrix, buckets in zip(features.grams, self.buckets, strict=True):
            some = matrix[rows]
            sizes = np.maximum(np.sqrt(np.asarray(some.sum(1)).ravel()), 1)
            scaled = sparse.diags_array(2 / sizes) @ some[:, buckets]
            grams.append(sparse.csr_matrix(scaled, dtype=np.float32))
        return Seen(np.concatenate(dense, 1, dtype=np.float32), tuple(grams))

    def inputs(
        self, seen: Seen, rows: Rows, random: np.random.Generator | None = None
    ) -> tuple[Floats, list[sparse.csr_matrix]]:
        """What the first layers see, (members, len(rows), inputs), and the n-grams in it."""
        plan, used = self.plan, []
        parts = [np.broadcast_to(seen.dense[rows], (plan.members, len(rows), seen.dense.shape[1]))]
        for matrix, vectors in zip(seen.grams, self.grams, strict=True):
            some = matrix[rows]
            if random is not None and plan.gram_drop:
                kept = random.random(len(some.data)) >= plan.gram_drop
                some.data *= kept.astype(np.float32) / np.float32(1 - plan.gram_drop)
            used.append(some)
            parts.append(_by_member(some @ vectors, plan))
        return np.concatenate(parts, 2), used

    def merged(self) -> dict[str, Floats]:
        """The members as one network, as `classify/learned/network.py` computes it: their hidden
        numbers side by side, their answers' mean."""
        plan, layers = self.plan, self.layers
        families, width = len(self.grams), plan.width
        dense = layers["first"].shape[1] - families * width
        outputs = layers["last"].shape[2]
        first = np.zeros((dense + families * plan.members * width, plan.members * plan.hidden))
        straight = np.zeros((len(first), outputs))
        straight[:dense] = layers["straight"][:, :dense].mean(0)
        for member in range(plan.members):
            columns = slice(member * plan.hidden, (member + 1) * plan.hidden)
            first[:dense, columns] = layers["first"][member, :dense]
            for family in range(families):
                begin = dense + (family * plan.members + member) * width
                own = slice(dense + family * width, dense + (family + 1) * width)
                first[begin : begin + width, columns] = layers["first"][member, own]
                straight[begin : begin + width] = layers["straight"][member, own] / plan.members
        return {
            "first": first,
            "first_bias": layers["first_bias"].ravel(),
            "last": layers["last"].reshape(-1, outputs) / plan.members,
            "last_bias": layers["last_bias"].mean((0, 1)),
            "straight": straight,
        }


class Seen(NamedTuple):
    """Of some rows, what is the same in every step."""

    dense: Floats
    grams: tuple[sparse.csr_matrix, ...]
    """By family, only the buckets that are learnt, each row scaled as the product does."""


def _by_member(sums: Floats, plan: Plan) -> Floats:
    """(rows, members · width) to (members, rows, width)."""
    return sums.reshape(len(sums), plan.members, plan.width).swapaxes(0, 1)


def train(features: Features, targets: Targets, rows: Rows, plan: Plan) -> Trained:
    """Fit the network to `rows`."""
    random = np.random.default_rng(plan.seed)
    buckets = tuple(
        np.flatnonzero(np.bincount(matrix[rows].indices, minlength=matrix.shape[1]) >= plan.seldom)
        for matrix in features.grams
    )
    grams = [
        (random.normal(size=(len(some), plan.members * plan.width)) * 0.02).astype(np.float32)
        for some in buckets
    ]
    counts = features.counts[rows]
    inputs = counts.shape[1] + features.codes.shape[1] + plan.width * len(FAMILIES)
    outputs = 6 + targets.tags.shape[1] + targets.languages.shape[1]

    def drawn(rows: int, columns: int, scale: float) -> Floats:
        shape = (plan.members, rows, columns)
        return (random.normal(size=shape) * scale / np.sqrt(rows)).astype(np.float32)

    layers = {
        "first": drawn(inputs, plan.hidden, 1.0),
        "first_bias": np.zeros((plan.members, 1, plan.hidden), np.float32),
        "last": drawn(plan.hidden, outputs, 0.5),
        "last_bias": np.zeros((plan.members, 1, outputs), np.float32),
        "straight": np.zeros((plan.members, inputs, outputs), np.float32),
    }
    model = Trained(plan, counts.mean(0), counts.std(0) + 1e-6, buckets, grams, layers)
    seen = model.seen(features, rows)
    steppers = {
        name: _Adam(plan.rate, 0.0 if "bias" in name else plan.decay, 0 * value, 0 * value)
        for name, value in layers.items()
    }
    heat = [np.full(len(some), 1e-6, np.float32) for some in buckets]
    chance = targets.chance[rows]
    steps = int(plan.epochs * chance.sum() * 1.3 / plan.batch)
    for at in range(steps):
        batch = random.choice(len(rows), plan.batch, p=chance / chance.sum())
        share = 0.5 * (1 + np.cos(np.pi * at / steps))
        _step(model, seen, targets, rows, batch, random, steppers, heat, share)
    return model


def _step(
    model: Trained, seen: Seen, targets: Targets, rows: Rows, batch: Rows,
    random: np.random.Generator, steppers: dict[str, _Adam], heat: list[Floats], share: float,
) -> None:  # fmt: skip
    plan, layers = model.plan, model.layers
    inputs, used = model.inputs(seen, batch, random)
    dropped = _dropout(inputs.shape, plan.drop, random)
    inputs *= dropped
    before = inputs @ layers["first"] + layers["first_bias"]
    hidden_dropped = _dropout(before.shape, plan.drop, random)
    hidden = gelu(before) * hidden_dropped
    said = hidden @ layers["last"] + layers["last_bias"] + inputs @ layers["straight"]
    wrong = _wrong(said, targets, rows[batch])
    slopes = {
        "last": hidden.swapaxes(1, 2) @ wrong,
        "last_bias": wrong.sum(1, keepdims=True),
        "straight": inputs.swapaxes(1, 2) @ wrong,
    }
    back = (wrong @ layers["last"].swapaxes(1, 2)) * hidden_dropped * _gelu_slope(before)
    slopes["first"] = inputs.swapaxes(1, 2) @ back
    slopes["first_bias"] = back.sum(1, keepdims=True)
    at_inputs = back @ layers["first"].swapaxes(1, 2) + wrong @ layers["straight"].swapaxes(1, 2)
    at_inputs *= dropped
    for name, slope in slopes.items():
        steppers[name].step(layers[name], slope.astype(np.float32), share)
    begin = seen.dense.shape[1]
    for matrix, vectors, warm in zip(used, model.grams, heat, strict=True):
        touched, places = np.unique(matrix.indices, return_inverse=True)
        shape = (matrix.shape[0], len(touched))
        few = sparse.csr_matrix((matrix.data, places, matrix.indptr), shape=shape)
        own = at_inputs[:, :, begin : begin + plan.width].swapaxes(0, 1)
        slope = few.T @ own.reshape(len(batch), -1)
        begin += plan.width
        warm[touched] += (slope**2).mean(1)
        vectors[touched] -= plan.gram_rate * share * slope / np.sqrt(warm[touched])[:, None]


def _wrong(said: Floats, targets: Targets, batch: Rows) -> Floats:
    """The slope of the loss at the outputs: cross-entropy for every head of every member."""
    tags = 6 + targets.tags.shape[1]
    drawn = targets.chance[batch]
    parts = (
        (softmax(said[..., :5]) - targets.tiers[batch], targets.tier_weight, 1.0),
        (_sigmoid(said[..., 5:6]) - targets.need[batch, None], targets.need_weight, 1.0),
        (_sigmoid(said[..., 6:tags]) - targets.tags[batch], targets.tag_weight, 0.2),
        (softmax(said[..., tags:]) - targets.languages[batch], targets.language_weight, 0.2),
    )
    columns = [slope * (weight[batch] / drawn)[:, None] * share for slope, weight, share in parts]
    return (np.concatenate(columns, 2) / len(batch)).astype(np.float32)


def _dropout(shape: tuple[int, ...], share: float, random: np.random.Generator) -> Floats:
    kept = random.random(shape, dtype=np.float32) >= share
    return kept.astype(np.float32) / np.float32(1 - share)


def _gelu_slope(values: Floats) -> Floats:
    bend = np.tanh(0.7978845608 * (values + 0.044715 * values**3))
    inner = 0.7978845608 * (1 + 3 * 0.044715 * values**2)
    return 0.5 * (1 + bend) + 0.5 * values * (1 - bend**2) * inner


def softmax(values: Floats) -> Floats:
    raised = np.exp(values - values.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def _sigmoid(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-values))

"""What a local model needs of this machine, added up line by line, and whether that is there.

Memory is the weights, what is kept of every token, and room to compute in. Speed is how often
the weights that one token is computed with can be read from memory in a second: a ceiling, and a
prediction until the model itself was timed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from larouter.core.catalog import Model
from larouter.core.machine import Machine
from larouter.core.shape import Load, Shape

LOADS = (
    Load(context=32_768, slots=8),
    Load(context=32_768, slots=4),
    Load(context=16_384, slots=2),
    Load(context=8_192, slots=1),
)
"""How an engine may be started, the roomiest first."""

_METAL_BATCH = 512
_PROCESS = 150_000_000
"""The engine itself: 70 MB were measured beside weights and context of the starter model, idle."""
_PROMPT_CACHE = 512 * 2**20
"""Prompts that the engine keeps beside its slots, at most (`engines/worker.py`)."""
_LOGIT = 4
"""Bytes of one word's score; there is one for each word of the vocabulary."""

Measured = Callable[[str], float | None]
"""Tokens a second that a model, by its id, was timed at on this machine; None: not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One summand of what a model needs."""

    what: str
    bytes: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """`fits` None: not known, as the catalogue lacks a fact."""

    model: Model
    fits: bool | None
    why: str
    load: Load | None = None
    lines: tuple[Line, ...] = ()
    may_use: int = 0

    @property
    def needs(self) -> int | None:
        return sum(line.bytes for line in self.lines) if self.lines else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Tokens a second of one answer that is written alone."""

    tokens_per_s: float
    is_measured: bool
    how: str


def fit(model: Model, machine: Machine, loads: Sequence[Load] = LOADS) -> Fit:
    """Does this model alone fit beside what the machine keeps for everything else?"""
    may_use = machine.budget_bytes
    if not machine.runs_engine:
        return Fit(model=model, fits=False, why=NO_AVX2, may_use=may_use)
    missing = _missing(model)
    if missing:
        return Fit(model=model, fits=None, why=missing, may_use=may_use)
    for load in loads:
        lines = needs(model, load, machine)
        if sum(line.bytes for line in lines) <= may_use:
            break
    total = sum(line.bytes for line in lines)
    fits = total <= may_use
    verdict = "fits" if fits else "does not fit"
    return Fit(
        model=model,
        fits=fits,
        why=f"needs {size(total)} of the {size(may_use)} that models may use: it {verdict}",
        load=load,
        lines=lines,
        may_use=may_use,
    )


def needs(model: Model, load: Load, machine: Machine) -> tuple[Line, ...]:
    """The summands, for a model whose file and shape are known."""
    assert model.file is not None, "asked of models with a file"
    assert model.file.bytes is not None, "asked of files with a size"
    assert model.shape is not None, "asked of models with a shape"
    load = load_of(model, load, machine)
    scores = load.batch * (model.shape.vocabulary or 0) * _LOGIT
    return (
        Line(what="weights", bytes=model.file.bytes, how=f"the file {model.file.name}"),
        *_kept(model.shape, load),
        Line(
            what="computing",
            bytes=_PROCESS + _PROMPT_CACHE + scores,
            how=f"the engine {size(_PROCESS)}, prompts to use again {size(_PROMPT_CACHE)}, scores "
            f"of {load.batch} tokens × {model.shape.vocabulary or 0:,} words × {_LOGIT} bytes",
        ),
    )


def load_of(model: Model, load: Load, machine: Machine) -> Load:
    """The same for this model: no more than two conversations of its full length."""
    context = min(load.context, 2 * model.context) if model.context else load.context
    return replace(
        load, context=context, batch=_METAL_BATCH if machine.system == "darwin" else load.batch
    )


def speed(model: Model, machine: Machine, measured: Measured) -> Speed | None:
    """None: it was not timed, and a fact for a prediction is missing."""
    timed = measured(model.id)
    if timed is not None:
        return Speed(tokens_per_s=timed, is_measured=True, how="timed on this machine")
    shape, file = model.shape, model.file
    if not (machine.bytes_per_s and shape and file and file.bytes):
        return None
    if not (shape.parameters and shape.active_parameters):
        return None
    read = file.bytes * shape.active_parameters // shape.parameters
    return Speed(
        tokens_per_s=machine.bytes_per_s / read,
        is_measured=False,
        how=f"predicted, at most: memory moves {size(machine.bytes_per_s)} a second here, and each "
        f"token reads {size(read)} of the weights",
    )


def size(count: int) -> str:
    """Bytes as people write them: 512 kB, 98 MB, 3.35 GB, 215 GB."""
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.0f} MB"
    places = 2 if count < 10_000_000_000 else 1 if count < 100_000_000_000 else 0
    return f"{count / 1_000_000_000:.{places}f} GB"


NO_AVX2 = (
    "this processor has no AVX2, which the packaged engine needs; leave models to Ollama or to a "
    "llama.cpp that was compiled on this machine, and give LARouter its address"
)


def _missing(model: Model) -> str | None:
    if model.file is None or model.file.bytes is None:
        return "unknown: the catalogue does not say how large its file is"
    if model.shape is None:
        return "unknown: the catalogue does not say how many layers it has, and what each keeps"
    return None


def _kept(shape: Shape, load: Load) -> tuple[Line, ...]:
    full, sliding = shape.full_token_bytes, shape.sliding_token_bytes
    lines = [
        Line(
            what="context",
            bytes=full * load.context,
            how=f"{_layers(shape.full_layers)} × {load.context:,} tokens × "
            f"{full // max(shape.full_layers, 1):,} bytes",
        )
    ]
    if sliding and shape.window is not None:
        cells = shape.window_cells(load)
        lines.append(
            Line(
                what="windows",
                bytes=sliding * cells,
                how=f"{_layers(shape.sliding_layers)} × {cells:,} tokens (a window of "
                f"{shape.window:,} for each of {load.slots} requests) × "
                f"{sliding // shape.sliding_layers:,} bytes",
            )
        )
    return tuple(lines)


def _layers(count: int) -> str:
    return f"{count} layer{'' if count == 1 else 's'}"

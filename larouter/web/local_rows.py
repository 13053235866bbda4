"""This machine, its local models and what is recommended for it, as our own API says them."""

from __future__ import annotations

from typing import Any

from larouter.core.catalog import ModelFile
from larouter.core.fit import Fit, Line, Speed
from larouter.core.machine import Machine
from larouter.core.recommend import Advice
from larouter.core.shape import Load
from larouter.core.standing import LocalModel


def machine_row(machine: Machine) -> dict[str, Any]:
    """None is what could not be found out."""
    return {
        "system": machine.system,
        "architecture": machine.architecture,
        "processor": machine.processor or None,
        "cores": machine.cores,
        "threads": machine.threads,
        "avx2": machine.has_avx2,
        "avx512": machine.has_avx512,
        "apple_silicon": machine.is_apple_silicon,
        "memory_bytes": machine.memory_bytes,
        "available_bytes": machine.available_bytes,
        "limited_by_container": machine.is_limited,
        "left_bytes": machine.left_bytes,
        "models_may_use_bytes": machine.budget_bytes,
        "disk_free_bytes": machine.disk_free_bytes,
        "memory_bytes_per_s": machine.bytes_per_s,
        "cards": [
            {"name": card.name, "memory_bytes": card.memory_bytes, "computes": card.computes}
            for card in machine.cards
        ],
    }


def local_row(row: LocalModel) -> dict[str, Any]:
    """What a local model has besides that of `catalog_api.model_row`."""
    model = row.model
    return {
        "state": row.state,
        "file": _file(model.file),
        "projector": _file(model.projector),
        "mlx": model.mlx,
        "license": model.license,
        "fit": _fit(row.fit),
        "speed": _speed(row.speed),
        "recommended": bool(row.serves),
        "recommended_for": list(row.serves),
    }


def advice_row(advice: Advice) -> dict[str, Any]:
    """An empty list of models: `why` says what stands against it."""
    return {
        "models": [
            {
                "id": pick.model.id,
                "title": pick.model.title,
                "tiers": list(pick.tiers),
                "is_here": pick.is_here,
                "bytes": pick.model.file.bytes if pick.model.file else None,
                "needs_bytes": pick.needs,
                "lines": _lines(pick.lines),
            }
            for pick in advice.picks
        ],
        **_load(advice.load),
        "take_turns": advice.take_turns,
        "download_bytes": advice.download_bytes,
        "memory_bytes": advice.memory_bytes,
        "why": advice.why or None,
    }


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "fits": fit.fits,
        "why": fit.why,
        "needs_bytes": fit.needs,
        "models_may_use_bytes": fit.may_use,
        **_load(fit.load),
        "lines": _lines(fit.lines),
    }


def _load(load: Load | None) -> dict[str, int | None]:
    return {
        "context": load.context if load else None,
        "slots": load.slots if load else None,
    }


def _lines(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [{"what": line.what, "bytes": line.bytes, "how": line.how} for line in lines]


def _speed(speed: Speed | None) -> dict[str, Any] | None:
    if speed is None:
        return None
    return {
        "tokens_per_s": round(speed.tokens_per_s, 1),
        "measured": speed.is_measured,
        "how": speed.how,
    }


def _file(file: ModelFile | None) -> dict[str, Any] | None:
    if file is None:
        return None
    return {
        "name": file.name,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "repo": file.repo,
        "revision": file.revision,
        "package": file.package,
    }

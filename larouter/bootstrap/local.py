"""How the local models stand on this machine: hardware, catalogue and engines put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import gevent

from larouter.config import Settings
from larouter.core.pace import Pace
from larouter.core.ports import Runner
from larouter.core.standing import Standing, standing
from larouter.engines.hardware import Hardware
from larouter.engines.memory import MachineMemory
from larouter.store.catalog import Catalogs


def build_standing(
    settings: Settings, catalogs: Catalogs, runner: Runner, pace: Pace
) -> Callable[[], Standing]:
    """What answers with the state of now; the first time it waits until memory was measured."""
    hardware = Hardware(settings.home, settings.child_environment)
    memory = MachineMemory(
        percent=settings.models.memory_percent, size=settings.models.memory_bytes
    )

    def measured(id: str) -> float | None:
        timing = pace.timing(f"local/{id}")
        return timing.tokens_per_s if timing else None

    def look(states: Mapping[str, str]) -> Standing:
        machine = replace(hardware.machine(), models_bytes=memory.most())
        return standing(
            catalogs.current, machine, lambda model: states.get(model.id, "absent"), measured
        )

    def local_models() -> Standing:
        # Programs are asked here: gevent waits for them beside requests, but in the main thread
        # alone. Disks are looked at in its pool.
        hardware.learn()
        # Engines are asked in the hub: among several processes, their owner answers from there.
        local = [model for model in catalogs.current.models.values() if model.is_local]
        states = {model.id: runner.state(model) for model in local}
        return gevent.get_hub().threadpool.apply(look, (states,))

    return local_models

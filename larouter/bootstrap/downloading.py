"""The downloads of this machine, out of the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from gevent.monkey import is_module_patched

from larouter.config import Settings
from larouter.core.catalog import Model
from larouter.downloads.asking import Asking
from larouter.downloads.order import Order
from larouter.downloads.place import Place
from larouter.downloads.queue import Downloads, here
from larouter.downloads.source import Hub
from larouter.store.catalog import Catalogs
from larouter.store.local_models import LocalModels


def build_downloads(settings: Settings, on_done: Callable[[Order], None]) -> Downloads:
    return Downloads(
        Place(
            models=settings.home / "models",
            endpoint=settings.hub,
            token=settings.hub_token,
            proxies=settings.proxies,
            environment=settings.child_environment,
        ),
        # A command has no hub, and threads of its own.
        offload=in_thread if is_module_patched("threading") else here,
        on_done=on_done,
        is_shared=settings.workers > 1,
    )


def build_asking(settings: Settings) -> Asking:
    hub = Hub(endpoint=settings.hub, token=settings.hub_token, proxies=settings.proxies)
    return Asking(hub, settings.child_environment)


def forgetting(own_models: LocalModels, catalogs: Catalogs) -> Callable[[Model], None]:
    """What is done when a model's files have gone: one of the user's own is called no more."""

    def forget(model: Model) -> None:
        if own_models.get(model.id) is not None:
            own_models.remove(model.id)
            catalogs.use_own(own_models.as_models)

    return forget


def in_thread(work: Callable[[], Any]) -> Any:
    """The hub never waits for the disk; an error is raised here, not printed there."""

    def guarded() -> tuple[Any, Exception | None]:
        try:
            return work(), None
        except Exception as error:  # noqa: BLE001 - raised below
            return None, error

    found, error = gevent.get_hub().threadpool.apply(guarded)
    if error is not None:
        raise error
    return found

"""The app on a folder where no server runs, inside the command that needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from larouter.bootstrap import bootstrap
from larouter.cli.calls import folder_to_ourselves
from larouter.config import Settings, make_private_folder
from larouter.web import create_app


@contextmanager
def opened(settings: Settings) -> Iterator[tuple[Any, str]]:
    """A client that calls the app, and the admin's key. Raises `LARouterError`."""
    make_private_folder(settings.home)
    with folder_to_ourselves(settings):
        services = bootstrap(settings)
        try:
            yield create_app(services).test_client(), services.admin_key
        finally:
            services.close()

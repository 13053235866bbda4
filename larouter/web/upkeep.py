"""What a server does beside its requests, off the hub: it looks through its file and copies it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent

from larouter.bootstrap import Services
from larouter.core.errors import DatabaseDamaged, LARouterError
from larouter.store.backups import Backups
from larouter.store.damage import look_through

FIRST_S = 60.0
"""After a start, which is not to be slowed down."""
EVERY_S = 60.0
RETRY_S = 900.0
"""After a backup that could not be made."""

logger = logging.getLogger(__name__)


def look_at_large_file(services: Services, backups: Backups) -> None:
    """After an unclean end, beside the first requests (TRUST A9): what is found stops them."""
    _apart(services, lambda: look_through(backups.database))


def keep_backups(services: Services, backups: Backups) -> None:
    """Make one whenever it is due, for as long as the server runs."""
    gevent.sleep(FIRST_S)
    while True:
        is_well = True
        if backups.is_due():
            is_well = _apart(services, backups.make)
        gevent.sleep(EVERY_S if is_well else RETRY_S)


def _apart(services: Services, work: Callable[[], object]) -> bool:
    """Do it in a thread of gevent's pool; a fault is one line of the log."""

    def guarded() -> LARouterError | None:
        # Raised there, gevent would print it as well.
        try:
            work()
        except LARouterError as error:
            return error
        return None

    error = gevent.get_hub().threadpool.apply(guarded)
    if isinstance(error, DatabaseDamaged):
        services.stop_writing()
    elif error is not None:
        logger.error("%s", error)
    return error is None

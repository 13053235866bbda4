"""What a server does beside its requests: it looks through its file, copies it, and lets go of what
is older than it is to be kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

from larouter.bootstrap import Services
from larouter.core.errors import DatabaseDamaged, LARouterError
from larouter.store.backups import Backups
from larouter.store.damage import look_through

MEASURES_S = 30.0
"""Between two looks at what was measured: a process that dies loses no more."""
FIRST_S = 60.0
"""After a start, which is not to be slowed down."""
EVERY_S = 60.0
RETRY_S = 900.0
"""After a backup that could not be made."""
PURGE_FIRST_S = 600.0
PURGE_EVERY_S = 3_600.0
PAUSE_S = 0.05
"""Between two transactions that let go of something: whoever asks meanwhile goes first."""
_JUMP_S = 60.0

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


def prewarm(services: Services) -> None:
    """Load what the settings name, beside the first requests; in the order given."""
    for name in services.settings.models.prewarm:
        model = services.catalog.models.get(name.removeprefix("local/"))
        try:
            if model is None or not model.is_local:
                logger.warning("LAROUTER_PREWARM names %r, which is no local model", name)
            else:
                services.runner.ensure_ready(model)
        except LARouterError as error:
            logger.warning("%s was not loaded at the start: %s", name, error)


def keep_measures(services: Services) -> None:
    """How fast models are is written down now and then, for as long as the server runs."""
    while True:
        gevent.sleep(MEASURES_S)
        try:
            services.measures.keep(services.pace)
        except LARouterError as error:
            logger.warning("what was measured cannot be kept: %s", error)


def keep_to_days(services: Services) -> None:
    """Purge every hour, for as long as the server runs. Not while the clock jumps: one that was
    set far ahead would let go of what is young."""
    wait_s = PURGE_FIRST_S
    while services.retention.days is not None:
        wall, steady = time.time(), time.monotonic()
        gevent.sleep(wait_s)
        wait_s = PURGE_EVERY_S
        if abs((time.time() - wall) - (time.monotonic() - steady)) > _JUMP_S:
            continue
        try:
            gone = services.retention.purge(
                services.retention.days, pause=lambda: gevent.sleep(PAUSE_S)
            )
        except LARouterError as error:
            logger.error("old requests could not be let go of: %s", error)
            continue
        if gone.requests or gone.responses:
            logger.info("let go of %d requests and %d responses that were old", *gone[:2])


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

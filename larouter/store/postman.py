"""Carries letters out of the outbox: each webhook in a greenlet of its own, so that a receiver
that hangs holds up nobody else's."""

from __future__ import annotations

import logging
from collections.abc import Callable

import gevent
from gevent import Greenlet

from larouter.core.errors import LARouterError
from larouter.outbound import host_of
from larouter.store.webhooks import Answer, Letter, Webhooks

POLL_S = 2.0
"""How often the outbox is looked into."""
FORGET_S = 3_600.0

Send = Callable[[Letter], Answer]

logger = logging.getLogger(__name__)


class Postman:
    """One in each process that serves; the lease of `Webhooks.claim` keeps them apart."""

    def __init__(self, webhooks: Webhooks, send: Send, run_id: str) -> None:
        self._webhooks = webhooks
        self._send = send
        self._run_id = run_id

    def work(self) -> None:
        """For as long as the process serves."""
        rounds, fails = 0, False
        while True:
            try:
                self.start_round()
                if rounds % int(FORGET_S / POLL_S) == 0:
                    self._webhooks.forget_old()
                fails = False
            except LARouterError as error:
                # Once: a disk that is full stays so for long.
                if not fails:
                    logger.error("the outbox of the webhooks could not be looked into: %s", error)
                fails = True
            rounds += 1
            gevent.sleep(POLL_S)

    def start_round(self) -> list[Greenlet[[int], None]]:
        """Begin with every webhook that has a letter due; return those at work."""
        return [gevent.spawn(self._deliver, id) for id in self._webhooks.due()]

    def _deliver(self, id: int) -> None:
        """Letter after letter, in order, until one fails or none is left."""
        try:
            while (letter := self._webhooks.claim(id, self._run_id)) is not None:
                answer = self._send(letter)
                state = self._webhooks.tried(letter, self._run_id, answer)
                if answer.error is not None:
                    self._log(letter, state, answer.error)
                    return
        except LARouterError:
            # The lease runs out; the letter is sent again, with the same id.
            logger.exception("what became of a webhook's letter could not be written down")

    def _log(self, letter: Letter, state: str, error: str) -> None:
        # Its host alone: many an address is a secret by itself.
        logger.log(
            logging.ERROR if state == "failed" else logging.WARNING,
            "webhook %d at %s: %s; the letter %s %s",
            letter.webhook_id,
            host_of(letter.url),
            error,
            letter.event,
            "is given up" if state == "failed" else "is sent again later",
        )

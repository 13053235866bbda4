"""Sends one letter to a webhook, signed as the Standard Webhooks specification has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping

import gevent
import requests

from larouter.outbound import host_of, look_up, new_session, proxies_for
from larouter.store.webhooks import Answer, Letter

TOTAL_S = 20.0
"""All of it: a receiver that sends a byte now and then holds nobody up."""
_CONNECT_S = 5.0
_MAX_WORDS = 200


def send(
    url: str,
    secret: str,
    event: str,
    body: str,
    at_s: int,
    proxies: Mapping[str, str],
    within_s: float = TOTAL_S,
) -> Answer:
    """Post it once; never raises for what a receiver may do. `at_s` is Unix seconds, of this try.

    A redirect is not followed: a letter goes to the address that the admin gave and to no other
    (TRUST S7).
    """
    try:
        with gevent.Timeout(within_s, TimeoutError("too slow")):
            return _post(url, _head(secret, event, body, at_s), body, proxies, within_s)
    except requests.Timeout:
        return Answer(None, f"{host_of(url)} did not answer in time")
    # What requests raises is an OSError, and so is our own time that is up; a name that cannot be
    # looked up is a ValueError.
    except (OSError, ValueError) as error:
        return Answer(None, f"{host_of(url)} {_why(error)}"[:_MAX_WORDS])


def to(proxies: Mapping[str, str]) -> Callable[[Letter], Answer]:
    """How a postman sends: now, and through these proxies."""

    def carry(letter: Letter) -> Answer:
        return send(letter.url, letter.secret, letter.event, letter.body, int(time.time()), proxies)

    return carry


def signature(secret: str, event: str, at_s: int, body: str) -> str:
    """`v1,` and the HMAC-SHA256 of id, time and body, with the bytes that the secret stands for."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event}.{at_s}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _head(secret: str, event: str, body: str, at_s: int) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "LARouter",
        "Accept-Encoding": "identity",
        "webhook-id": event,
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature(secret, event, at_s, body),
    }


def _post(
    url: str, head: dict[str, str], body: str, proxies: Mapping[str, str], within_s: float
) -> Answer:
    chosen = proxies_for(url, proxies)
    if not chosen:
        look_up(host_of(url))
    with (
        new_session() as session,
        # Its status is all that counts: what else it answers is not read.
        session.post(
            url, data=body.encode(), headers=head, proxies=chosen,
            timeout=(_CONNECT_S, within_s),
            allow_redirects=False, stream=True,
        ) as answer,
    ):  # fmt: skip
        status = answer.status_code
        if 200 <= status < 300:
            return Answer(status, None)
        words = f"{host_of(url)} answered {status}"
        if answer.is_redirect:
            words += ", and a redirect is not followed"
        return Answer(status, words, _retry_after_s(answer))


def _retry_after_s(answer: requests.Response) -> int:
    """Seconds, as nearly everybody sends it; a date counts as none."""
    text = answer.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "has a certificate that this machine does not believe"
    if isinstance(error, requests.exceptions.ProxyError):
        return "cannot be reached through the proxy"
    return "cannot be reached"

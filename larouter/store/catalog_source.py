"""Reads a catalogue from the web: once, when the admin says so, and never by itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from larouter.core.errors import BadRequest, TooLarge, UpstreamError
from larouter.outbound import (
    check_address,
    host_of,
    is_loopback,
    look_up,
    new_session,
    proxies_for,
)
from larouter.store.catalog import MOST_BYTES

_TIMEOUT_S = (5.0, 15.0)
_TOTAL_S = 25.0
_REDIRECTS = 5
_CHUNK = 64 * 1024


_OPTIONS: Mapping[str, Any] = {
    "stream": True,
    "allow_redirects": False,
    "timeout": _TIMEOUT_S,
    "headers": {"Accept": "application/toml, text/plain", "Accept-Encoding": "identity"},
}


def fetch_catalog(url: str, proxies: Mapping[str, str]) -> str:
    """Return the text at `url`; https, or anything on this machine (TRUST S7)."""
    deadline = time.monotonic() + _TOTAL_S
    with new_session() as session:
        _check(url)
        for _ in range(_REDIRECTS + 1):
            chosen = proxies_for(url, proxies)
            try:
                if not chosen:
                    look_up(host_of(url))
                with session.get(url, proxies=chosen, **_OPTIONS) as answer:
                    target = answer.headers.get("Location")
                    if not answer.is_redirect or target is None:
                        return _text(answer, deadline)
            # What requests raises is an OSError; a torn address in a redirect is a ValueError.
            except (OSError, ValueError) as error:
                raise UpstreamError(f"{host_of(url)} does not answer.", sent=False) from error
            url = _next(url, target)
    raise UpstreamError("That address redirects too often.", sent=False)


def _text(answer: requests.Response, deadline: float) -> str:
    if answer.status_code != 200:
        raise UpstreamError(f"{host_of(answer.url)} answered {answer.status_code}.", sent=False)
    body = b""
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge("A catalogue has at most 5 MiB.")
        if time.monotonic() > deadline:
            raise UpstreamError(f"{host_of(answer.url)} is too slow.", sent=False)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("A catalogue is UTF-8 text.", param="url") from None


def _next(url: str, target: str) -> str:
    try:
        following = urljoin(url, target)
    except ValueError:
        following = ""
    _check(following)
    same = urlsplit(following).scheme == urlsplit(url).scheme
    if not same or is_loopback(following) != is_loopback(url):
        raise BadRequest("That address redirects from https to something else.", param="url")
    return following


def _check(url: str) -> None:
    check_address(url, what="a catalogue", example="https://host/catalog.toml")

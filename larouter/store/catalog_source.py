"""Reads a catalogue from the web: once, when the admin says so, and never by itself."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies

from larouter.core.errors import BadRequest, TooLarge, UpstreamError
from larouter.store.catalog import MOST_BYTES

_TIMEOUT_S = (5.0, 15.0)
_TOTAL_S = 25.0
_REDIRECTS = 5
_CHUNK = 64 * 1024
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))


_OPTIONS: Mapping[str, Any] = {
    "stream": True,
    "allow_redirects": False,
    "timeout": _TIMEOUT_S,
    "headers": {"Accept": "application/toml, text/plain", "Accept-Encoding": "identity"},
}


class _SystemTrust(HTTPAdapter):
    """Believes the certificates that this system believes, as providers' connections do."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=_trust())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=_trust())


def fetch_catalog(url: str, proxies: Mapping[str, str]) -> str:
    """Return the text at `url`; https, or anything on this machine (TRUST S7)."""
    deadline = time.monotonic() + _TOTAL_S
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _SystemTrust())
    with session:
        _check(url)
        for _ in range(_REDIRECTS + 1):
            chosen = _proxies(url, proxies)
            try:
                if not chosen:
                    _look_up(_host(url))
                with session.get(url, proxies=chosen, **_OPTIONS) as answer:
                    target = answer.headers.get("Location")
                    if not answer.is_redirect or target is None:
                        return _text(answer, deadline)
            # What requests raises is an OSError; a torn address in a redirect is a ValueError.
            except (OSError, ValueError) as error:
                raise UpstreamError(f"{_host(url)} does not answer.", sent=False) from error
            url = _next(url, target)
    raise UpstreamError("That address redirects too often.", sent=False)


def _proxies(url: str, proxies: Mapping[str, str]) -> dict[str, str]:
    """Those that the settings name; this machine is never reached through one."""
    if _is_loopback(url) or should_bypass_proxies(url, proxies.get("no", "")):
        return {}
    return {scheme: proxy for scheme, proxy in proxies.items() if scheme != "no"}


def _trust() -> ssl.SSLContext:
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _text(answer: requests.Response, deadline: float) -> str:
    if answer.status_code != 200:
        raise UpstreamError(f"{_host(answer.url)} answered {answer.status_code}.", sent=False)
    body = b""
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge("A catalogue has at most 5 MiB.")
        if time.monotonic() > deadline:
            raise UpstreamError(f"{_host(answer.url)} is too slow.", sent=False)
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
    if not same or _is_loopback(following) != _is_loopback(url):
        raise BadRequest("That address redirects from https to something else.", param="url")
    return following


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"https", "http"} and parts.hostname and parts.username is None
    except ValueError:
        good = False
    if not good or _is_metadata(_host(url)):
        raise BadRequest("A catalogue's address is like https://host/catalog.toml.", param="url")
    if parts.scheme == "http" and not _is_loopback(url):
        raise BadRequest("A catalogue comes by https only, except from this machine.", param="url")


def _look_up(host: str) -> None:
    """Raise `OSError` for a name that nobody has, or that leads to a metadata service."""
    for *_, place in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM):
        if _is_metadata(str(place[0])):
            raise OSError("link-local and metadata addresses are not allowed")


def _is_metadata(host: str) -> bool:
    """Is it a link-local address or a cloud's metadata service (TRUST S7)?"""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_link_local or address in _METADATA


def _is_loopback(url: str) -> bool:
    host = _host(url)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""

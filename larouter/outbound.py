"""What our own connections to the web keep to: addresses, certificates, proxies (TRUST S7, A11).

For the catalogue, webhooks and downloads. Calls of models have a client of their own.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies

from larouter.core.errors import BadRequest

_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))


class _SystemTrust(HTTPAdapter):
    """Believes the certificates that this system believes, as providers' connections do."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=_trust())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, ssl_context=_trust())


def new_session() -> requests.Session:
    """Without what the environment says: proxies are handed over, and there are no logins."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", _SystemTrust())
    return session


def proxies_for(url: str, proxies: Mapping[str, str]) -> dict[str, str]:
    """Those that the settings name; this machine is never reached through one."""
    if is_loopback(url) or should_bypass_proxies(url, proxies.get("no", "")):
        return {}
    # One for another scheme is none for this address.
    wanted = {urlsplit(url).scheme, "all"}
    return {scheme: proxy for scheme, proxy in proxies.items() if scheme in wanted}


def check_address(url: str, *, what: str, example: str) -> None:
    """Raises `BadRequest` for anything but https, or http on this machine (TRUST S7)."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"https", "http"} and parts.hostname and parts.username is None
        good = good and parts.port != 0
    except ValueError:
        good = False
    if not good or _is_metadata(host_of(url)):
        raise BadRequest(f"The address of {what} is like {example}.", param="url")
    if parts.scheme == "http" and not is_loopback(url):
        raise BadRequest(
            f"The address of {what} begins with https, except on this machine.", param="url"
        )


def look_up(host: str, resolve: Callable[..., Any] = socket.getaddrinfo) -> None:
    """Raise `OSError` for a name that nobody has, or that leads to a metadata service."""
    places = [] if _is_metadata(host) else resolve(host, None, type=socket.SOCK_STREAM)
    if not places or any(_is_metadata(str(place[0])) for *_, place in places):
        raise OSError("link-local and metadata addresses are not allowed")


def is_loopback(url: str) -> bool:
    """Does this address stay on this machine?"""
    host = host_of(url)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def _trust() -> ssl.SSLContext:
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _is_metadata(host: str) -> bool:
    """Is it a link-local address or a cloud's metadata service (TRUST S7)?"""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_link_local or address in _METADATA

"""Who may talk to this listener at all: the Host and Origin rules of TRUST S1.

A page in the user's browser can reach loopback. Its two ways in are a host name of its own that
resolves to 127.0.0.1 (so Host must be one of ours) and a plain cross-site request (so Origin and
Sec-Fetch-Site must not be foreign). Both are decided here, before any route is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from larouter.core.errors import BadRequest, Forbidden, Misdirected
from larouter.web.http11 import Head

Fields = tuple[tuple[str, str], ...]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PORT = re.compile(r"(?::[0-9]{1,5})?")
_FIELD_NAMES = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z, ]{1,1024}")
_METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
_EXPOSED = "x-request-id, retry-after, x-larouter-max-tokens"


class Guard:
    """Decides on a request by its Host, Origin, Sec-Fetch-Site and path.

    `launch_paths` take a POST of the opaque origin `null`: the launcher's own local file signs in
    that way, with a one-time secret (TRUST S5)."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        ports: Iterable[int],
        origins: Iterable[str] = (),
        launch_paths: Iterable[str] = (),
    ) -> None:
        names = [_bracketed(name) for name in hosts]
        loopback = [name for name in names if name.strip("[]") in _LOOPBACK]
        # A loopback name must come with our port. Another name may have any: it is reached
        # through a forwarder whose port we cannot know, and the name alone defeats rebinding.
        self._authorities = frozenset(_with_ports(loopback, ports))
        self._names = tuple(name for name in names if name not in loopback)
        self._origins = frozenset(origin.lower() for origin in origins) - {"null"}
        self._launch_paths = frozenset(launch_paths)

    def admit(self, head: Head) -> Fields:
        """Return the CORS fields that the answer carries, mostly none.

        Raises BadRequest, Misdirected or Forbidden for a request that must go no further."""
        get = head.variables.get
        host = get("HTTP_HOST")
        if host is None:
            raise BadRequest("The Host header is missing.")
        if host not in self._authorities:
            self._check_host(host.lower())
        origin = get("HTTP_ORIGIN")
        site = get("HTTP_SEC_FETCH_SITE")
        if origin is None and (site is None or site == "same-origin"):
            return ()
        lowered = None if origin is None else origin.lower()
        return self._admit_origin(head, host.lower(), lowered, site)

    def _check_host(self, host: str) -> None:
        if host in self._authorities:
            return
        for name in self._names:
            if host.startswith(name) and _PORT.fullmatch(host, len(name)):
                return
        raise Misdirected("This host name is not served; use the address that LARouter printed.")

    def _admit_origin(self, head: Head, host: str, origin: str | None, site: str | None) -> Fields:
        if origin in self._origins and _is_api(head.path):
            return (
                ("Access-Control-Allow-Origin", head.variables["HTTP_ORIGIN"]),
                ("Access-Control-Expose-Headers", _EXPOSED),
                ("Vary", "Origin"),
            )
        if origin == "null" and head.method == "POST" and head.path in self._launch_paths:
            return ()
        if site == "cross-site" or not (origin is None or _same(origin, host)):
            raise Forbidden("Requests from other origins are not allowed.", code="origin_refused")
        return ()


def preflight(head: Head, cors: Fields) -> Fields | None:
    """Return the fields that answer a CORS preflight which was admitted, or None if it is none."""
    asked: Mapping[str, str] = head.variables
    if not cors or head.method != "OPTIONS" or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in asked:
        return None
    names = asked.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    fields = [*cors, ("Access-Control-Allow-Methods", _METHODS), ("Access-Control-Max-Age", "600")]
    if _FIELD_NAMES.fullmatch(names):
        fields.append(("Access-Control-Allow-Headers", names))
    if asked.get("HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK") == "true":
        fields.append(("Access-Control-Allow-Private-Network", "true"))
    return tuple(fields)


def _same(origin: str, host: str) -> bool:
    # https is what a browser sees when a configured name is served through a TLS proxy.
    return origin in (f"http://{host}", f"https://{host}")


def _is_api(path: str) -> bool:
    return path == "/v1" or path.startswith(("/v1/", "/v1beta/"))


def _bracketed(name: str) -> str:
    name = name.lower()
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def _with_ports(names: Iterable[str], ports: Iterable[int]) -> list[str]:
    pairs = [(name, port) for name in names for port in ports]
    # Port 80 is left out by clients (RFC 9110 section 4.2.3).
    return [f"{name}:{port}" for name, port in pairs] + [n for n, port in pairs if port == 80]

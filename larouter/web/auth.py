"""Who is asking: one function for every header style (TRUST S4)."""

from __future__ import annotations

import contextlib
import hmac
import ipaddress
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from larouter.core.account import Project
from larouter.core.errors import Forbidden, Unauthorized
from larouter.store.projects import DEFAULT, Projects

_WRONG_BEARER_DELAY_S = 0.2
_NO_BEARER = (
    "This request has no bearer. Send 'Authorization: Bearer lr_…'; "
    "make one with: larouter projects create NAME"
)
_NOT_VALID = "This bearer is not valid. Make a new one with: larouter projects rotate NAME"
_ARCHIVED = (
    "The project {!r} of this bearer is archived, so nothing is answered. Take it into use again "
    "with: larouter projects restore NAME"
)
_NOT_ADMIN = (
    "This needs the admin key: LAROUTER_ADMIN_KEY, or the one that the server keeps in admin.key "
    "of its data folder."
)


class Auth:
    """Reads bearers from the WSGI environ. Never logs one, never says which part was wrong."""

    def __init__(
        self, projects: Projects, admin_key: str, *, keyless: bool, is_shared: bool = False
    ) -> None:
        """`is_shared`: another process may have made a bearer an instant ago."""
        self._projects = projects
        self._admin_key = admin_key.encode()
        self._keyless = keyless
        self._is_shared = is_shared
        self._looking = threading.Lock()
        self._looked_at = 0.0

    def project(self, environ: Mapping[str, Any]) -> Project:
        """The project whose bearer the request carries. Raises `Unauthorized`, `Forbidden`."""
        bearer = _bearer(environ)
        # Whoever is on another machine has a bearer, wherever the server listens.
        if bearer is None and self._keyless and _is_from_here(environ):
            return self._projects.get(DEFAULT)
        project = self._projects.of_bearer(bearer) if bearer else None
        if project is None and bearer and self._is_shared:
            self._look_again()
            project = self._projects.of_bearer(bearer)
        if project is None:
            raise _refused(bearer)
        if project.archived_ms is not None:
            raise Forbidden(_ARCHIVED.format(project.name), code="project_archived")
        return project

    def require_admin(self, environ: Mapping[str, Any]) -> None:
        """Raises `Unauthorized` for anything but the admin key; on loopback too."""
        bearer = _bearer(environ)
        if not self._is_admin(bearer):
            raise _refused(bearer, _NOT_ADMIN)

    def project_or_admin(self, environ: Mapping[str, Any]) -> Project | None:
        """The project, or None for the admin, who sees all of them."""
        bearer = _bearer(environ)
        if self._is_admin(bearer):
            return None
        return self.project(environ)

    def _look_again(self) -> None:
        """Read the bearers anew; all who wait meanwhile are content with one look."""
        asked_at = time.monotonic()
        with self._looking:
            if self._looked_at < asked_at:
                self._looked_at = time.monotonic()
                self._projects.refresh()

    def _is_admin(self, bearer: str | None) -> bool:
        given = (bearer or "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, self._admin_key)


def _bearer(environ: Mapping[str, Any]) -> str | None:
    header = environ.get("HTTP_AUTHORIZATION")
    if header is not None:
        scheme, _, bearer = header.partition(" ")
        return bearer.strip() if scheme.lower() == "bearer" else ""
    for name in ("HTTP_X_API_KEY", "HTTP_X_GOOG_API_KEY"):
        key: str | None = environ.get(name)
        if key is not None:
            return key
    return _key_in_query(environ)


def _key_in_query(environ: Mapping[str, Any]) -> str | None:
    """`key=`, as Google's older clients send it, on Google's paths alone (TRUST S4)."""
    query = environ.get("QUERY_STRING", "")
    if "key=" not in query or not environ["PATH_INFO"].startswith("/v1beta"):
        return None
    return next(iter(parse_qs(query).get("key", [])), None)


def _is_from_here(environ: Mapping[str, Any]) -> bool:
    """Is the peer this machine itself? A name or an empty address is not."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
        mapped = getattr(address, "ipv4_mapped", None)
        return bool((mapped or address).is_loopback)
    return False


def _refused(bearer: str | None, why: str | None = None) -> Unauthorized:
    if not bearer:
        return Unauthorized(why or _NO_BEARER)
    # Only who guesses is slowed. Patched by gevent when serving: nobody else waits.
    time.sleep(_WRONG_BEARER_DELAY_S)
    return Unauthorized(why or _NOT_VALID)

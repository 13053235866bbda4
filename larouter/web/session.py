"""Who is signed in to the pages: one-time codes, the session cookie, CSRF tokens (TRUST S5).

A browser gets its session for a one-time code (the launcher's local file, or a link printed to a
terminal) or for the admin key. The cookie is signed with a key made from the admin key, so a new
admin key ends every session. Codes, failed attempts and ended sessions live in this process.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, Protocol

from flask import Flask, Request, current_app, session

Road = Literal["code", "key"]

CODE_LIFE_S = 600
IDLE_S = 12 * 3600
ATTEMPTS = 5
WINDOW_S = 60

_CODES_AT_ONCE = 16
_REFRESH_S = 60
_EXTENSION = "larouter.session"


class OneTimeCodes(Protocol):
    """What signs a browser in, once."""

    def issue(self) -> str: ...

    def redeem(self, code: str) -> bool: ...


class Codes:
    """One-time sign-in codes: 256 random bits, ten minutes, one use. Only hashes are kept."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._ends: dict[bytes, float] = {}

    def issue(self) -> str:
        self._forget()
        while len(self._ends) >= _CODES_AT_ONCE:
            del self._ends[next(iter(self._ends))]
        code = secrets.token_urlsafe(32)
        self._ends[_digest(code)] = self._clock_s() + CODE_LIFE_S
        return code

    def redeem(self, code: str) -> bool:
        """Use a code up; False if it is unknown, used or too old."""
        self._forget()
        asked = _digest(code)
        matches = [known for known in self._ends if hmac.compare_digest(known, asked)]
        # pop, not `in`: of two requests with the same code, one wins.
        return any(self._ends.pop(known, None) is not None for known in matches)

    def _forget(self) -> None:
        now_s = self._clock_s()
        self._ends = {code: end for code, end in self._ends.items() if end > now_s}


class Limiter:
    """Five failures a minute on each road.

    Two roads, so that whoever floods one (any page can post a wrong code) leaves the other open.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._failures: dict[Road, list[float]] = {"code": [], "key": []}

    def wait_s(self, road: Road) -> int:
        """Seconds until another attempt is heard; 0 means now."""
        now_s = self._clock_s()
        recent = [at for at in self._failures[road] if now_s - WINDOW_S < at <= now_s]
        self._failures[road] = recent
        return 0 if len(recent) < ATTEMPTS else int(recent[0] + WINDOW_S - now_s) + 1

    def failed(self, road: Road) -> None:
        self._failures[road].append(self._clock_s())


class Sessions:
    """The sign-in state of one app; `install` puts it there."""

    def __init__(
        self,
        admin_key: str,
        clock_s: Callable[[], float] = time.time,
        codes: OneTimeCodes | None = None,
    ) -> None:
        self._key = _digest(admin_key)
        self._clock_s = clock_s
        self._ended: dict[str, float] = {}
        self.codes = codes or Codes(clock_s)
        self.limiter = Limiter(clock_s)

    def accepts_key(self, text: str) -> bool:
        return hmac.compare_digest(self._key, _digest(text))

    def sign_in(self) -> None:
        """Start a session under a new id: one planted before is worth nothing."""
        session.clear()
        session.permanent = True
        session["id"] = secrets.token_urlsafe(16)
        session["csrf"] = secrets.token_urlsafe(32)
        session["seen"] = int(self._clock_s())

    def sign_out(self) -> None:
        now_s = self._clock_s()
        self._ended = {key: at for key, at in self._ended.items() if now_s - at < IDLE_S}
        if "id" in session:
            self._ended[session["id"]] = now_s
        session.clear()

    def is_live(self) -> bool:
        """Is this request's browser signed in? Looking does not keep the session awake."""
        seen = session.get("seen")
        if not isinstance(seen, int) or session.get("id") in self._ended:
            return False
        return self._clock_s() - seen < IDLE_S

    def touch(self) -> None:
        """Count this request as activity. The cookie is written once a minute, not each time."""
        now_s = int(self._clock_s())
        if now_s - session["seen"] >= _REFRESH_S:
            session["seen"] = now_s


def install(app: Flask, admin_key: str, address: str, sessions: Sessions | None = None) -> None:
    """Make `app` sign its cookies. Cookies know no ports, so the name carries this server's."""
    app.secret_key = hmac.digest(admin_key.encode(), b"larouter session cookie 1", "sha256")
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name(address),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=IDLE_S),
    )
    app.extensions[_EXTENSION] = sessions or Sessions(admin_key)
    app.add_template_global(csrf_token)


def cookie_name(address: str) -> str:
    """The session cookie's name at `host:port`."""
    return f"larouter_session_{address.rpartition(':')[2]}"


def sessions() -> Sessions:
    """The sign-in state of the current app."""
    found = current_app.extensions[_EXTENSION]
    assert isinstance(found, Sessions)
    return found


def issue_code() -> str:
    """Make a one-time sign-in code of the current app."""
    return sessions().codes.issue()


def csrf_token() -> str:
    """What every form sends back as `csrf`; empty when nobody is signed in."""
    return str(session.get("csrf", ""))


def is_csrf_safe(request: Request) -> bool:
    """Does an unsafe request come from one of our own pages, with this session's token?"""
    expected = csrf_token().encode()
    given = (request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")).encode()
    return bool(expected) and hmac.compare_digest(expected, given) and is_own_origin(request)


def is_own_origin(request: Request) -> bool:
    """Was the request made by a page of ours, by what the browser says about it?

    With `Referrer-Policy: no-referrer` a plain form sends `Origin: null` to its own server too
    (Fetch, "append a request Origin header"); Sec-Fetch-Site then tells it from a stranger's.
    """
    origin = request.headers.get("Origin")
    if origin in (None, "null"):
        return request.headers.get("Sec-Fetch-Site") in (None, "same-origin", "none")
    # https is what a browser sees when a configured name is served through a TLS proxy.
    host = request.host.lower()
    return origin in (f"http://{host}", f"https://{host}")


def _digest(text: str) -> bytes:
    # Equal lengths for a comparison in constant time, whatever was typed.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

"""One request to a hub for the bytes of a file, its redirects, and what a refusal means.

The token goes to the hub and to nobody that it redirects to; at most five redirects, never from
https to anything else, never to a metadata service (TRUST S7). Certificates are the system's.
"""

from __future__ import annotations

import email.utils
import re
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin, urlsplit

import requests

from larouter.downloads.failed import Again, Failed
from larouter.downloads.order import Piece
from larouter.outbound import host_of, look_up, new_session, proxies_for

CONNECT_S = 10.0
STALLED_S = 30.0
"""Without a byte for so long, a connection is given up and the next one goes on."""
_REDIRECTS = 5
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_AGENT = "larouter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Where models come from, and as whom we ask."""

    endpoint: str
    token: str | None = field(default=None, repr=False)
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    stalled_s: float = STALLED_S

    def file_url(self, piece: Piece) -> str:
        path = quote(piece.path or piece.name)
        return f"{self.endpoint}/{piece.repo}/resolve/{quote(piece.revision, safe='')}/{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Bytes that are about to come, from `offset` on."""

    response: requests.Response
    offset: int
    total: int | None
    """Of the whole file, as this server says it."""
    etag: str | None
    """A strong one only: what a range may be tied to."""
    sha256: str | None
    """As the hub states it, for a file in its large storage."""


class Source:
    """Asks for one file after the other, on connections that are kept."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._session = new_session()

    def open(self, piece: Piece, offset: int, etag: str | None) -> Answer:
        """Ask for the bytes from `offset` on. Raises `Again`, `Failed`."""
        headers = {"Accept-Encoding": "identity", "User-Agent": _AGENT}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if etag:
                headers["If-Range"] = etag
        try:
            return self._follow(self._hub.file_url(piece), piece, headers, offset)
        # What requests raises is an OSError; a torn address in a redirect is a ValueError.
        except (OSError, ValueError) as error:
            raise no_answer(error, self._hub) from error

    def close(self) -> None:
        self._session.close()

    def _follow(self, url: str, piece: Piece, headers: dict[str, str], offset: int) -> Answer:
        stated: str | None = None
        for _ in range(_REDIRECTS + 1):
            response = self._get(url, headers)
            stated = stated or _stated(response)
            target = response.headers.get("Location")
            if not response.is_redirect or target is None:
                return self._answer(response, piece, offset, stated)
            response.close()
            url = _next(url, target)
        raise Failed("The hub redirects too often.", code="hub_redirects")

    def _get(self, url: str, headers: dict[str, str]) -> requests.Response:
        chosen = proxies_for(url, self._hub.proxies)
        if not chosen:
            # Of an address that a proxy looks up, we cannot know where it leads.
            look_up(host_of(url))
        if self._hub.token and _place(url) == _place(self._hub.endpoint):
            headers = {**headers, "Authorization": f"Bearer {self._hub.token}"}
        return self._session.get(
            url,
            headers=headers,
            proxies=chosen,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_S, self._hub.stalled_s),
        )

    def _answer(
        self, response: requests.Response, piece: Piece, offset: int, stated: str | None
    ) -> Answer:
        headers = response.headers
        etag = headers.get("ETag")
        start, total = 0, _number(headers.get("Content-Length"))
        if response.status_code == 206:
            match = _RANGE.fullmatch(headers.get("Content-Range", ""))
            if match is None or int(match[1]) != offset:
                response.close()
                raise Again("the hub sent another part of the file than it was asked for")
            start, total = offset, int(match[3])
        elif response.status_code == 416:
            # There is nothing from here on: the file is shorter than it was.
            response.close()
            return Answer(response=response, offset=0, total=0, etag=None, sha256=stated)
        elif response.status_code != 200:
            from_hub = _place(response.url) == _place(self._hub.endpoint)
            with response:
                raise refusal(
                    response.status_code, response.headers, piece.repo, self._hub, from_hub=from_hub
                )
        strong = etag if etag and not etag.startswith("W/") else None
        return Answer(response=response, offset=start, total=total, etag=strong, sha256=stated)


def no_answer(error: Exception, hub: Hub) -> Failed | Again:
    """Nobody was reached; that passes, but for what is a danger."""
    host = host_of(hub.endpoint)
    if _is_untrusted(error):
        return Failed(
            f"{host} shows a certificate that this system does not trust. If a proxy of your "
            "network reads along, its certificate belongs into the system's store.",
            code="hub_certificate",
        )
    if type(error) is OSError:  # what `look_up` says of a metadata service
        return Failed(f"{host} leads to an address that is not allowed.", code="hub_redirects")
    return Again(f"{host} does not answer", is_network=True)


def refusal(
    status: int, headers: Mapping[str, str], repo: str, hub: Hub, *, from_hub: bool = True
) -> Failed | Again:
    """What an answer that is no file means, in words that help."""
    host = host_of(hub.endpoint)
    if status in {408, 429} or status >= 500:
        return Again(
            f"{host} wants us to wait" if status == 429 else f"{host} answers {status}",
            wait_s=_retry_after(headers.get("Retry-After")),
        )
    if not from_hub:
        # A link to the storage has run out; the hub gives a fresh one.
        return Again(f"the storage of {host} answers {status}")
    code = headers.get("X-Error-Code")
    if code == "GatedRepo":
        return Failed(
            f"{repo} is gated: open {hub.endpoint}/{repo} in a browser, sign in and accept its "
            "terms, set HF_TOKEN to a token of that account, and start LARouter again.",
            code="hub_gated",
        )
    if status in {401, 403}:
        return Failed(_who_are_you(repo, host, hub), code="hub_token")
    if status in {404, 410, 451}:
        what = {"EntryNotFound": "that file", "RevisionNotFound": "that revision"}.get(code or "")
        return Failed(
            f"{host} has no repository {repo}, or shows it to others only."
            if what is None
            else f"{repo} has {what} no more. A newer catalogue may name another one.",
            code="hub_not_found",
        )
    return Failed(f"{host} refused {repo} with status {status}.", code="hub_refused")


def _who_are_you(repo: str, host: str, hub: Hub) -> str:
    if hub.token:
        return (
            f"{host} refused the token in HF_TOKEN for {repo}. Check that it is right and may read "
            "this repository, set it again, and start LARouter again."
        )
    return (
        f"{host} does not show {repo} to everybody: it is private or gated, or there is none of "
        "this name. If it is yours to read, set HF_TOKEN and start LARouter again."
    )


def _next(url: str, target: str) -> str:
    following = urljoin(url, target)
    before, after = urlsplit(url), urlsplit(following)
    if before.scheme != after.scheme or not after.hostname or after.username is not None:
        raise Failed(
            "The hub redirects to an address that is not safe to follow.", code="hub_redirects"
        )
    return following


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _stated(response: requests.Response) -> str | None:
    """The hash of a file in large storage, which the hub tells before it redirects there."""
    etag = response.headers.get("X-Linked-Etag", "").strip('"')
    return etag if re.fullmatch(r"[0-9a-f]{64}", etag) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _retry_after(text: str | None) -> float | None:
    """Seconds, or a date; None where it says neither."""
    if text is None:
        return None
    if (seconds := _number(text.strip())) is not None:
        return float(seconds)
    with suppress(ValueError, TypeError):
        return max(email.utils.parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    return None

"""What `larouter doctor` looks at beyond the files: port, keys, servers, proxy, certificates.

Nothing on the internet is called: servers of your own and the proxy's door are.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import requests

from larouter.cli.calls import running
from larouter.cli.checks import Check
from larouter.config import Settings
from larouter.providers import ENDPOINTS
from larouter.secrets import Keys, Vault

_WITHIN_S = 1.5
_OWN_SERVERS = ("ollama", "llamacpp", "custom")


def server(settings: Settings) -> Iterator[Check]:
    """Does one run and answer, or could one start?"""
    found = running(settings)
    if found is not None:
        answers = _answers(f"{found.url}/health") is not None
        if answers:
            yield Check(name="server", status="ok", words=f"answers at {found.url}")
        else:
            words = f"holds the data folder, but {found.url} does not answer: start it again"
            yield Check(name="server", status="fail", words=words)
        return
    where = f"{settings.host}:{settings.port}"
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((settings.host, settings.port))
    except OSError as error:
        words = f"none runs, and {where} cannot be used ({error.strerror}): "
        words += "stop the program that has it, or set LAROUTER_PORT"
        yield Check(name="server", status="fail", words=words)
    else:
        yield Check(name="server", status="ok", words=f"none runs; {where} is free")


def keys(settings: Settings) -> Iterator[Check]:
    """Which providers have a key and where it is kept; never the key."""
    kept = Keys(settings.keys, Vault(settings.home))
    clouds = [row.name for row in ENDPOINTS if row.key_variable is not None and row.url]
    places = {name: kept.place(name) for name in clouds}
    has = [f"{name} ({place})" for name, place in places.items() if place != "none"]
    if not has:
        words = "none: local models answer every tier; larouter keys set PROVIDER adds one"
        yield Check(name="keys", status="ok", words=words)
        return
    none = [name for name, place in places.items() if place == "none"]
    lacking = f"; none for {', '.join(none)}" if none else ""
    sealed = "file" in places.values()
    note = "; there is no keyring, so they lie in a file that only you may read" if sealed else ""
    yield Check(
        name="keys", status="warn" if sealed else "ok", words=f"{', '.join(has)}{lacking}{note}"
    )


def own_servers(settings: Settings) -> Iterator[Check]:
    """Those whose address was set: do they answer?"""
    rows = [(name, settings.addresses[name]) for name in _OWN_SERVERS if name in settings.addresses]
    if not rows:
        return
    with ThreadPoolExecutor(len(rows)) as pool:
        found = list(pool.map(lambda row: _answers(_models_of(row[1])), rows))
    for (name, url), status in zip(rows, found, strict=True):
        if status is None:
            words = f"{url} does not answer: start it, or correct LAROUTER_{name.upper()}_URL"
            yield Check(name=name, status="fail", words=words)
        else:
            yield Check(name=name, status="ok", words=f"answers at {url}")


def way_out(settings: Settings) -> Iterator[Check]:
    """Proxy and certificates: what stands between this machine and the providers."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        named = settings.child_environment.get(variable)
        if named and not Path(named).exists():
            words = f"{variable} names {named}, which is not there: correct it, or unset it"
            yield Check(name="certificates", status="fail", words=words)
    for url in sorted({url for name, url in settings.proxies.items() if name != "no"}):
        parts = urlsplit(url)
        where = f"{parts.hostname}:{parts.port or 80}"
        try:
            socket.create_connection((parts.hostname, parts.port or 80), _WITHIN_S).close()
        except OSError:
            words = f"{where} takes no connection: correct https_proxy, or unset it"
            yield Check(name="proxy", status="fail", words=words)
        else:
            yield Check(name="proxy", status="ok", words=f"{where} takes connections")


def _models_of(url: str) -> str:
    return f"{url}/models" if urlsplit(url).path.strip("/") else f"{url}/v1/models"


def _answers(url: str) -> int | None:
    """The status; any is an answer. None: there is none."""
    with requests.Session() as session:
        # Addresses of one's own are not reached through a proxy, whatever the environment says.
        session.trust_env = False
        try:
            answer = session.get(url, timeout=_WITHIN_S, allow_redirects=False, stream=True)
        except requests.RequestException:
            return None
        return int(answer.status_code)

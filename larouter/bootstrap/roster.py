"""Who may be called: every provider over HTTP and the local one, with address, key and price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from larouter.config import Settings
from larouter.core.catalog import FREE, Model, Price
from larouter.core.ports import Provider
from larouter.core.turns import Turns
from larouter.providers import COMPATIBLE, ENDPOINTS, FOR_ALL, Endpoint
from larouter.providers.discovery import Discovery, Found
from larouter.providers.http import HttpProvider
from larouter.providers.lifecycle import Lost, lost_models
from larouter.providers.pool import Pool
from larouter.secrets import Keys
from larouter.store.catalog import Catalogs
from larouter.store.providers import AddedProvider, AddedProviders

# Servers on the user's own machines: what they serve costs nothing here.
_OWN_SERVERS = frozenset({"ollama", "llamacpp"})
# Their address is often given without the path of the OpenAI dialect.
_SERVED_UNDER_V1 = frozenset({"ollama", "llamacpp", "custom"})

Later = Callable[[float, Callable[[], None]], None]
"""Calls something after so many seconds."""


class Roster:
    """Who may be called: every provider with its address and key, built anew when one changes.

    The three tables keep their identity, so whoever holds one sees every change.
    """

    def __init__(
        self,
        settings: Settings,
        catalogs: Catalogs,
        keys: Keys,
        added: AddedProviders,
        connections: Pool,
        turns: Turns,
        local: Provider,
        later: Later,
    ) -> None:
        self._settings = settings
        self._catalogs = catalogs
        self._keys = keys
        self._added = added
        self._connections = connections
        self._turns = turns
        self._local = local
        self._later = later
        self._discovery = Discovery(
            environment=settings.child_environment, proxies=settings.proxies
        )
        self._seen: tuple[list[AddedProvider], int] = ([], 0)
        self.providers: dict[str, Provider] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.prices: dict[str, Price] = {}

    def refresh(self) -> None:
        """Build it anew where another process has changed a provider or a key."""
        if self._seen != self._state():
            self.reload()

    def reload(self) -> None:
        self._seen = self._state()
        rows = [
            replace(row, url=_address(row, self._settings))
            for row in (*ENDPOINTS, *map(_endpoint_of, self._seen[0]))
        ]
        keys = {row.name: self._keys.get(row.name) for row in rows}
        speaking = {row.name: self._speaking(row, keys[row.name]) for row in rows}
        # Only now, as a keyring may take its time: requests go on meanwhile.
        self.endpoints.clear()
        self.endpoints.update((row.name, row) for row in rows)
        self.providers.clear()
        self.providers.update(speaking, local=self._local)
        self.prices.clear()
        self.prices.update({row.name: _unlisted_price(row) for row in rows}, local=FREE)

    def _state(self) -> tuple[list[AddedProvider], int]:
        """All that can change."""
        return self._added.list(), self._keys.stamp()

    def _speaking(self, row: Endpoint, key: str | None) -> HttpProvider:
        return HttpProvider(
            name=row.name,
            url=row.url,
            key=key,
            needs_key=row.key_variable is not None,
            wires=row.wires,
            quirks=row.quirks,
            pool=self._connections,
            later=self._later,
            turns=self._turns,
        )

    def missing(self, model: Model) -> str | None:
        """Why a model cannot answer now; None: it can."""
        provider = self.providers.get(model.provider)
        return "no-key" if provider is None else provider.missing(model)

    def key_refused(self, name: str) -> bool:
        provider = self.providers.get(name)
        return isinstance(provider, HttpProvider) and provider.key_refused

    def check_key(self, name: str) -> tuple[Found, list[Lost]]:
        """Ask a provider what its key opens, and compare that with the catalogue."""
        row = self.endpoints[name]
        key = self._keys.get(name)
        if row.url is None:
            return Found(ok=False, reason="It has no address yet."), []
        if key is None and row.key_variable is not None:
            return Found(ok=False, reason=f"It has no key yet: larouter keys set {name}"), []
        found = self._discovery.check(row.wire, row.url, key)
        if not found.ok:
            return found, []
        today = datetime.now(UTC).date()
        return found, lost_models(self._catalogs.current, name, found.models, today)


def _endpoint_of(provider: AddedProvider) -> Endpoint:
    return Endpoint(
        name=provider.name,
        title=provider.name,
        wire=provider.wire,
        url=provider.url,
        quirks=COMPATIBLE,
        also=FOR_ALL if provider.wire == "openai" else (),
    )


def _unlisted_price(row: Endpoint) -> Price:
    """What a model of this provider costs that the catalogue does not know."""
    return FREE if row.name in _OWN_SERVERS else Price()


def _address(row: Endpoint, settings: Settings) -> str | None:
    """Where a provider is called: an address that was set goes before its own. Anthropic's and
    Google's have no version in them; people write it all the same."""
    url = settings.addresses.get(row.name, row.url)
    if url and row.wire != "openai":
        return url.removesuffix("/v1beta").removesuffix("/v1")
    if url and row.name in _SERVED_UNDER_V1 and url.count("/") == 2:
        url += "/v1"
    return url

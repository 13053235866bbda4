"""Settings in, services out: the only place that names concrete classes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import gevent
from gevent.event import Event

from larouter.classify import cascade
from larouter.classify.default import Default
from larouter.classify.rules import Rules
from larouter.config import Settings, folder, make_private_folder
from larouter.core.catalog import FREE, Catalog, Model, Price
from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import LARouterError
from larouter.core.ports import Leaving, Provider, Runner
from larouter.core.report import TierLine
from larouter.core.route import Decision
from larouter.core.turns import Turns
from larouter.engines.files import Files
from larouter.engines.pool import Pool as Engines
from larouter.gateway import Gateway
from larouter.providers import COMPATIBLE, ENDPOINTS, FOR_ALL, Endpoint
from larouter.providers.discovery import Discovery, Found
from larouter.providers.http import HttpProvider
from larouter.providers.known import Known, read_known
from larouter.providers.lifecycle import Lost, lost_models
from larouter.providers.local import LocalProvider
from larouter.providers.pool import Pool
from larouter.routing import route
from larouter.secrets import Keys, Vault, admin_key
from larouter.store.catalog import Catalogs
from larouter.store.feed import Feed
from larouter.store.ledger import Ledger
from larouter.store.projects import Projects
from larouter.store.providers import AddedProvider, AddedProviders
from larouter.store.reports import Reports
from larouter.store.responses import Responses
from larouter.store.runs import Run
from larouter.store.schema import migrate
from larouter.store.writer import Writer, now_ms

# Servers on the user's own machines: what they serve costs nothing here.
_OWN_SERVERS = frozenset({"ollama", "llamacpp"})
# Their address is often given without the path of the OpenAI dialect.
_SERVED_UNDER_V1 = frozenset({"ollama", "llamacpp", "custom"})
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


@dataclass(slots=True, kw_only=True)
class Services:
    """Everything that is built, once. The doors take what they need from here."""

    settings: Settings
    admin_key: str
    catalogs: Catalogs
    projects: Projects
    gateway: Gateway
    reports: Reports
    feed: Feed
    runner: Runner
    keys: Keys
    added: AddedProviders
    endpoints: Mapping[str, Endpoint]
    """Every provider over HTTP, by name, at the address where it is called."""
    known: Mapping[str, Known]
    """Providers that can be added by their name alone."""
    run: Run
    started_ms: int
    address: str
    """Host and port for people and links; `serve` corrects it once it listens."""
    responses: Responses
    decide: Callable[[ChatRequest], Decision]
    count_tokens: Callable[[ChatRequest], int]
    """How long a prompt is, by the model that would answer it. Nothing is written down."""
    missing: Callable[[Model], str | None]
    prices: Mapping[str, Price]
    check_key: Callable[[str], tuple[Found, list[Lost]]]
    """Asks a provider what its key opens; raises `KeyError` for a name that is nobody's."""
    key_refused: Callable[[str], bool]
    """Did this provider refuse its key the last time that it was asked?"""
    reload_providers: Callable[[], None]
    close: Callable[[], None]

    @property
    def catalog(self) -> Catalog:
        """The one in force now: a day may change its prices, and the admin all of it."""
        return self.catalogs.current

    def tiers(self) -> list[TierLine]:
        """Which model serves each tier now."""
        return [self._tier_line(tier.name, tier.title) for tier in self.catalog.tiers]

    def _tier_line(self, name: str, title: str) -> TierLine:
        try:
            choice = self.decide(_probe(name)).choices[0]
        except LARouterError:
            return TierLine(
                name=name, title=title, model_title="Nobody", model_key="", degraded="engine-down"
            )
        return TierLine(
            name=name,
            title=title,
            model_title=choice.model.title,
            model_key=choice.model.key,
            degraded=choice.degraded,
            is_local=choice.model.is_local,
        )


def bootstrap(settings: Settings) -> Services:
    """Open the data folder and build the house. Raises `LARouterError` with what to do."""
    make_private_folder(settings.home)
    migrate(settings.database_file)
    writer = Writer(settings.database_file)
    catalogs = Catalogs(
        (folder("data") / "catalog.toml").read_text("utf-8"),
        settings.home / "catalog.toml",
        writer,
    )
    feed = Feed()
    run = Run(writer)
    keys = Keys(settings.keys, Vault(settings.home))
    added = AddedProviders(writer)
    connections = Pool(proxies=settings.proxies)
    runner = Engines(
        Files(settings.home / "models", settings.home / "verified.json"),
        logs=settings.home / "logs",
        environment=settings.child_environment,
    )
    turns = Turns()
    roster = Roster(
        settings,
        catalogs,
        keys,
        added,
        connections,
        turns,
        LocalProvider(runner, connections, _later, turns),
    )

    def decide(request: ChatRequest) -> Decision:
        return route(
            request,
            catalogs.current,
            roster.missing,
            classify,
            providers=roster.prices,
            unknown_model=settings.unknown_model,
            caller=lambda asked: turns.model_of(asked.project, asked.answers),
        )

    def count_tokens(request: ChatRequest) -> int:
        model = decide(request).choices[0].model
        return roster.providers[model.provider].count_tokens(model, request)

    def close() -> None:
        runner.stop_all()
        connections.close()
        run.end()
        writer.close()

    roster.reload()
    rules = Rules((folder("data") / "rules.toml").read_text("utf-8"))
    classify = cascade((rules, Default()))
    ledger = Ledger(
        writer,
        run_id=run.id,
        price_versions=catalogs.versions,
        feed=feed,
    )
    return Services(
        settings=settings,
        admin_key=admin_key(settings.home, settings.admin_key),
        catalogs=catalogs,
        projects=Projects(writer),
        gateway=Gateway(
            decide=decide,
            providers=roster.providers,
            ledger=ledger,
            pause=_pause,
            clock=time.time,
        ),
        reports=Reports(settings.database_file),
        feed=feed,
        runner=runner,
        keys=keys,
        added=added,
        endpoints=roster.endpoints,
        known=read_known((folder("data") / "providers.toml").read_text("utf-8")),
        run=run,
        started_ms=now_ms(),
        address=authority(settings.host, settings.port),
        decide=decide,
        count_tokens=count_tokens,
        responses=Responses(writer),
        missing=roster.missing,
        prices=roster.prices,
        check_key=roster.check_key,
        key_refused=roster.key_refused,
        reload_providers=roster.reload,
        close=close,
    )


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
    ) -> None:
        self._settings = settings
        self._catalogs = catalogs
        self._keys = keys
        self._added = added
        self._connections = connections
        self._turns = turns
        self._local = local
        self._discovery = Discovery(
            environment=settings.child_environment, proxies=settings.proxies
        )
        self.providers: dict[str, Provider] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.prices: dict[str, Price] = {}

    def reload(self) -> None:
        rows = [
            replace(row, url=_address(row, self._settings))
            for row in (*ENDPOINTS, *map(_endpoint_of, self._added.list()))
        ]
        keys = {row.name: self._keys.get(row.name) for row in rows}
        speaking = {
            row.name: _http_provider(row, keys[row.name], self._connections, self._turns)
            for row in rows
        }
        # Only now, as a keyring may take its time: requests go on meanwhile.
        self.endpoints.clear()
        self.endpoints.update((row.name, row) for row in rows)
        self.providers.clear()
        self.providers.update(speaking, local=self._local)
        self.prices.clear()
        self.prices.update({row.name: _unlisted_price(row) for row in rows}, local=FREE)

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


def authority(host: str, port: int) -> str:
    """Where a client on this machine reaches a server that listens on `host`."""
    if host in WILDCARDS:
        host = "::1" if host == "::" else "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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


def _http_provider(row: Endpoint, key: str | None, connections: Pool, turns: Turns) -> HttpProvider:
    return HttpProvider(
        name=row.name,
        url=row.url,
        key=key,
        needs_key=row.key_variable is not None,
        wires=row.wires,
        quirks=row.quirks,
        pool=connections,
        later=_later,
        turns=turns,
    )


def _later(seconds: float, callback: Callable[[], None]) -> None:
    gevent.spawn_later(seconds, callback)


def _pause(seconds: float, leaving: Leaving) -> None:
    woken = Event()
    leaving.on_fire(woken.set)
    woken.wait(seconds)
    leaving.on_fire(None)


def _probe(model: str) -> ChatRequest:
    """A request that asks for a tier and for nothing else."""
    return ChatRequest(model=model, messages=(Message("user", "?"),), body={}, size=0)

"""Settings in, services out: the only place that names concrete classes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gevent

from larouter.classify import cascade
from larouter.classify.default import Default
from larouter.classify.rules import Rules
from larouter.config import Settings, folder, make_private_folder
from larouter.core.catalog import FREE, Catalog, Model, Price
from larouter.core.catalog_toml import read_catalog
from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import LARouterError
from larouter.core.ports import Provider, Runner
from larouter.core.report import TierLine
from larouter.core.route import Decision
from larouter.engines.files import Files
from larouter.engines.pool import Pool as Engines
from larouter.gateway import Gateway
from larouter.providers import COMPATIBLE, ENDPOINTS, WIRES, Endpoint
from larouter.providers.http import HttpProvider
from larouter.providers.local import LocalProvider
from larouter.providers.pool import Pool
from larouter.routing import route
from larouter.secrets import Vault, admin_key
from larouter.store.feed import Feed
from larouter.store.ledger import Ledger
from larouter.store.prices import record_prices
from larouter.store.projects import Projects
from larouter.store.providers import AddedProvider, AddedProviders
from larouter.store.reports import Reports
from larouter.store.runs import Run
from larouter.store.schema import migrate
from larouter.store.writer import Writer, now_ms
from larouter.wire import sse
from larouter.wire.openai_chat import write_error

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
    catalog: Catalog
    projects: Projects
    gateway: Gateway
    reports: Reports
    feed: Feed
    runner: Runner
    vault: Vault
    added: AddedProviders
    run: Run
    started_ms: int
    address: str
    """Host and port for people and links; `serve` corrects it once it listens."""
    decide: Callable[[ChatRequest], Decision]
    missing: Callable[[Model], str | None]
    prices: Mapping[str, Price]
    reload_providers: Callable[[], None]
    close: Callable[[], None]

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
    catalog = read_catalog((folder("data") / "catalog.toml").read_text("utf-8"))
    feed = Feed()
    run = Run(writer)
    vault = Vault(settings.home)
    added = AddedProviders(writer)
    connections = Pool(proxies=settings.proxies)
    runner = Engines(
        Files(settings.home / "models", settings.home / "verified.json"),
        logs=settings.home / "logs",
        environment=settings.child_environment,
    )
    providers: dict[str, Provider] = {}
    unspoken = {
        row.name for row in ENDPOINTS if row.wire not in WIRES and row.name in settings.keys
    }
    prices: dict[str, Price] = {}

    def reload_providers() -> None:
        rows = [*ENDPOINTS, *map(_endpoint_of, added.list())]
        speaking = {
            row.name: _http_provider(row, settings, vault, connections)
            for row in rows
            if row.wire in WIRES
        }
        # Only now, as a keyring may take its time: requests go on meanwhile.
        providers.clear()
        providers.update(speaking, local=LocalProvider(runner, connections, _later))
        prices.clear()
        prices.update({row.name: _unlisted_price(row) for row in rows}, local=FREE)

    def missing(model: Model) -> str | None:
        provider = providers.get(model.provider)
        if provider is None:
            return "unspoken" if model.provider in unspoken else "no-key"
        return provider.missing(model)

    def decide(request: ChatRequest) -> Decision:
        return route(
            request,
            catalog,
            missing,
            classify,
            providers=prices,
            unknown_model=settings.unknown_model,
        )

    def close() -> None:
        runner.stop_all()
        connections.close()
        run.end()
        writer.close()

    reload_providers()
    rules = Rules((folder("data") / "rules.toml").read_text("utf-8"))
    classify = cascade((rules, Default()))
    ledger = Ledger(
        writer,
        run_id=run.id,
        price_versions=record_prices(writer, catalog.models.values()),
        feed=feed,
    )
    return Services(
        settings=settings,
        admin_key=admin_key(settings.home, settings.admin_key),
        catalog=catalog,
        projects=Projects(writer),
        gateway=Gateway(
            decide=decide,
            providers=providers,
            ledger=ledger,
            write_error=lambda error: sse.write(write_error(error)),
            clock=time.time,
        ),
        reports=Reports(settings.database_file),
        feed=feed,
        runner=runner,
        vault=vault,
        added=added,
        run=run,
        started_ms=now_ms(),
        address=authority(settings.host, settings.port),
        decide=decide,
        missing=missing,
        prices=prices,
        reload_providers=reload_providers,
        close=close,
    )


def authority(host: str, port: int) -> str:
    """Where a client on this machine reaches a server that listens on `host`."""
    if host in WILDCARDS:
        host = "::1" if host == "::" else "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _endpoint_of(provider: AddedProvider) -> Endpoint:
    return Endpoint(
        name=provider.name, title=provider.name, wire=provider.wire, url=provider.url,
        quirks=COMPATIBLE,
    )  # fmt: skip


def _unlisted_price(row: Endpoint) -> Price:
    """What a model of this provider costs that the catalogue does not know."""
    return FREE if row.name in _OWN_SERVERS else Price()


def _http_provider(
    row: Endpoint, settings: Settings, vault: Vault, connections: Pool
) -> HttpProvider:
    url = settings.addresses.get(row.name, row.url)
    if url and row.name in _SERVED_UNDER_V1 and url.count("/") == 2:
        url += "/v1"
    return HttpProvider(
        name=row.name,
        url=url,
        key=settings.keys.get(row.name) or vault.get(row.name),
        needs_key=row.key_variable is not None,
        quirks=row.quirks,
        pool=connections,
        later=_later,
    )


def _later(seconds: float, callback: Callable[[], None]) -> None:
    gevent.spawn_later(seconds, callback)


def _probe(model: str) -> ChatRequest:
    """A request that asks for a tier and for nothing else."""
    return ChatRequest(model=model, messages=(Message("user", "?"),), body={}, size=0)

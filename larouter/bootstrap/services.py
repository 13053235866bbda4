"""Everything that is built, by its name: what the doors and the pages take from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from larouter.bootstrap.bringing import Bringing
from larouter.bootstrap.telling import Telling
from larouter.classify.judge import Judge
from larouter.config import Settings
from larouter.core.catalog import Catalog, Model, Price
from larouter.core.chat import ChatRequest, Message
from larouter.core.conversations import Conversations
from larouter.core.errors import LARouterError
from larouter.core.foresight import Foresight
from larouter.core.meters import Meters
from larouter.core.pace import Pace
from larouter.core.ports import Runner
from larouter.core.regeneration import Regenerations
from larouter.core.report import TierLine
from larouter.core.results import Results
from larouter.core.route import Decision
from larouter.core.standing import Standing
from larouter.downloads.queue import Downloads
from larouter.downloads.removal import Removal
from larouter.engines.files import Files
from larouter.engines.heads import Heads
from larouter.gateway import Gateway
from larouter.providers import Endpoint
from larouter.providers.discovery import Found
from larouter.providers.known import Known
from larouter.providers.lifecycle import Lost
from larouter.routing import Situation
from larouter.secrets import Keys
from larouter.store.alarm import Alarm
from larouter.store.backups import Backups
from larouter.store.baselines import Baselines
from larouter.store.bearers import Bearers
from larouter.store.bills import Bills
from larouter.store.bookkeeping import Bookkeeping
from larouter.store.budgets import Budgets
from larouter.store.catalog import Catalogs
from larouter.store.codes import SharedCodes
from larouter.store.exports import Exports
from larouter.store.feed import Feed
from larouter.store.feedback import Feedback
from larouter.store.idempotency import IdempotencyKeys
from larouter.store.invariants import Books
from larouter.store.ledger import Ledger
from larouter.store.local_models import LocalModels
from larouter.store.measures import Measures
from larouter.store.projects import Projects
from larouter.store.providers import AddedProviders
from larouter.store.replays import Replays
from larouter.store.reports import Reports
from larouter.store.responses import Responses
from larouter.store.retention import Retention
from larouter.store.runs import Run


@dataclass(slots=True, kw_only=True)
class Services:
    """Everything that is built, once. The doors take what they need from here."""

    settings: Settings
    admin_key: str
    catalogs: Catalogs
    projects: Projects
    bearers: Bearers
    exports: Exports
    budgets: Budgets
    baselines: Baselines
    bills: Bills
    telling: Telling
    gateway: Gateway
    reports: Reports
    replays: Replays
    feedback: Feedback
    pace: Pace
    """How fast each model answers here."""
    measures: Measures
    """The same, for after a restart."""
    regenerations: Regenerations
    feed: Feed
    runner: Runner
    files: Files
    """Of the models on this machine."""
    heads: Heads
    own_models: LocalModels
    downloads: Downloads
    bringing: Bringing
    removal: Removal
    """Frees what models take of the disk."""
    keys: Keys
    added: AddedProviders
    endpoints: Mapping[str, Endpoint]
    """Every provider over HTTP, by name, at the address where it is called."""
    known: Mapping[str, Known]
    """Providers that can be added by their name alone."""
    bookkeeping: Bookkeeping
    ledger: Ledger
    meters: Meters
    books: Books
    backups: Backups | None
    """None: the database is a server, which has its own."""
    retention: Retention
    alarm: Alarm
    stop_writing: Callable[[], None]
    """The database was found to be damaged."""
    run: Run
    started_ms: int
    address: str
    """Host and port for people and links; `serve` corrects it once it listens."""
    responses: Responses
    idempotency: IdempotencyKeys
    results: Results
    """Answers to requests with an `Idempotency-Key`, in memory."""
    conversations: Conversations
    decide: Callable[[ChatRequest], Decision]
    foresight: Foresight
    """The same with limits and budgets; nothing is held."""
    situation: Situation
    """What `decide` asks about the world."""
    judge: Judge
    """Idle where it is turned off."""
    count_tokens: Callable[[ChatRequest], int]
    """How long a prompt is, by the model that would answer it. Nothing is written down."""
    missing: Callable[[Model], str | None]
    prices: Mapping[str, Price]
    check_key: Callable[[str], tuple[Found, list[Lost]]]
    """Asks a provider what its key opens; raises `KeyError` for a name that is nobody's."""
    key_refused: Callable[[str], bool]
    """Did this provider refuse its key the last time that it was asked?"""
    engine_states: Callable[[], list[tuple[str, str, int | None]]]
    """Each local model's key, its engine's state, and the memory that it holds if that is known.
    Looks at the disk: not for the hub."""
    local_models: Callable[[], Standing]
    """What this machine has, what each local model needs of it, and which to keep. Waits the first
    time, as memory is measured."""
    reload_providers: Callable[[], None]
    refresh: Callable[[], None]
    """Reads anew what another process may have changed."""
    codes: SharedCodes | None
    """Sign-in codes, where several processes give them; None: each app has its own."""
    is_shared: bool
    """May other processes be at work on the same database?"""
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


def _probe(model: str) -> ChatRequest:
    """A request that asks for a tier and for nothing else."""
    return ChatRequest(model=model, messages=(Message("user", "?"),), body={}, size=0)

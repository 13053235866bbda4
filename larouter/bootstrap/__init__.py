"""Settings in, services out: the only place that names concrete classes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from secrets import token_bytes

import gevent
from gevent.event import Event

from larouter.bootstrap import shipped
from larouter.bootstrap.bringing import Bringing
from larouter.bootstrap.downloading import build_asking, build_downloads, forgetting, in_thread
from larouter.bootstrap.local import build_standing
from larouter.bootstrap.roster import Roster
from larouter.bootstrap.services import Services
from larouter.bootstrap.telling import build_telling
from larouter.classify import cascade
from larouter.classify.judge import Judge, read_trust
from larouter.classify.schemas import fits
from larouter.config import Settings, folder, make_private_folder
from larouter.core.breaker import Breaker
from larouter.core.budget import NOTHING_BEYOND, Bound, bound_of
from larouter.core.catalog import Model
from larouter.core.chat import ChatRequest
from larouter.core.conversations import Conversations
from larouter.core.errors import LARouterError, StorageDown
from larouter.core.faults import Faults
from larouter.core.foresight import Foresight
from larouter.core.media import Media
from larouter.core.media_toml import read_media
from larouter.core.meters import Meters
from larouter.core.pace import Pace
from larouter.core.ports import Leaving, Runner
from larouter.core.privacy import finder_of
from larouter.core.regeneration import Regenerations
from larouter.core.results import Results
from larouter.core.route import Decision
from larouter.core.turns import Turns
from larouter.downloads.removal import Removal
from larouter.engines.files import Files
from larouter.engines.heads import Heads
from larouter.engines.memory import MachineMemory
from larouter.engines.pool import Pool as Engines
from larouter.engines.shared import Shared
from larouter.gateway import Gateway
from larouter.providers.asking import LocalAsker
from larouter.providers.known import read_known
from larouter.providers.local import LocalProvider
from larouter.providers.pool import Pool
from larouter.routing import Situation, route
from larouter.routing.guard import guard_of
from larouter.runtime import authority
from larouter.secrets import Keys, Vault, admin_key
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
from larouter.store.feedback import Feedback, guard_rows
from larouter.store.idempotency import IdempotencyKeys
from larouter.store.invariants import Books
from larouter.store.ledger import Ledger
from larouter.store.local_models import LocalModels
from larouter.store.measures import Measures
from larouter.store.postgres import Postgres
from larouter.store.projects import Projects
from larouter.store.providers import AddedProviders
from larouter.store.replays import Replays
from larouter.store.reports import Reports
from larouter.store.responses import Responses
from larouter.store.restore import finish
from larouter.store.retention import Retention
from larouter.store.rollups import Rollups, keep_days
from larouter.store.runs import Run
from larouter.store.schema import migrate
from larouter.store.spill import Spill
from larouter.store.sql import Database
from larouter.store.sqlite import SqliteFile
from larouter.store.writer import Writer, now_ms

__all__ = ["Services", "bootstrap", "open_database"]


def bootstrap(settings: Settings) -> Services:
    """Open the data folder and build the house. Raises `LARouterError` with what to do."""
    make_private_folder(settings.home)
    database = _opened(settings)
    migrate(database)
    writer = Writer(database)
    catalogs = Catalogs(
        shipped.text("catalog.toml"),
        settings.home / "catalog.toml",
        writer,
    )
    own_models = LocalModels(writer)
    catalogs.use_own(own_models.as_models)
    feed = Feed()
    projects = Projects(writer)
    rollups = Rollups(lambda project_id: projects.zone_of(project_id) or settings.zone)
    writer.batch = rollups
    keep_days(writer, rollups, settings.zone)
    run = Run(writer, rollups, is_shared=database.is_shared, clock=database.now_ms)
    keys = Keys(settings.keys, Vault(settings.home))
    added = AddedProviders(writer)
    connections = Pool(proxies=settings.proxies)
    files = Files(settings.home / "models", settings.home / "verified.json")
    heads = Heads(settings.child_environment)
    engines, runner = _runners(settings, files, heads, lambda id: catalogs.current.models.get(id))
    turns = Turns()
    roster = Roster(
        settings,
        catalogs,
        keys,
        added,
        connections,
        turns,
        LocalProvider(runner, connections, _later, turns),
        _later,
    )

    def decide(request: ChatRequest) -> Decision:
        return route(request, situation)

    def count_tokens(request: ChatRequest) -> int:
        model = decide(request).choices[0].model
        return roster.providers[model.provider].count_tokens(model, request)

    def bound(model: Model, request: ChatRequest) -> Bound:
        provider = roster.providers.get(model.provider)
        beyond = provider.beyond(model, request) if provider else NOTHING_BEYOND
        return bound_of(model, request, media.most(model, request), beyond)

    def escalated(project_id: str, request_id: str, _fault: str) -> None:
        # Beside the request: nobody waits for what is learnt.
        gevent.spawn(_learn, feedback, project_id, request_id)

    def refresh() -> None:
        projects.refresh()
        budgets.reload()
        baselines.reload()
        own_models.reload()
        catalogs.refresh()
        roster.refresh()

    def engine_states() -> list[tuple[str, str, int | None]]:
        return [
            (model.key, runner.state(model), engines.memory_bytes(model))
            for model in catalogs.current.models.values()
            if model.is_local
        ]

    bringing = Bringing(
        build_asking(settings), catalogs, own_models, heads, settings.home / "models"
    )
    downloads = build_downloads(settings, bringing.take)

    def close() -> None:
        downloads.close()
        runner.stop_all()
        connections.close()
        # A database that takes nothing holds nobody back; the next start sees that no end came.
        with suppress(StorageDown):
            measures.keep(pace)
            run.end()
        writer.close()
        spill.close()

    roster.reload()
    media = Media(read_media(shipped.text("media.toml")))
    breaker = Breaker(time.monotonic)
    conversations = Conversations(time.monotonic)
    pace = Pace(lambda model: runner.state(model) == "ready")
    measures = Measures(writer)
    measures.restore(pace)
    trust = read_trust(shipped.text("judge.toml"))
    asker = LocalAsker(
        runner, connections, _later, catalog=lambda: catalogs.current, names=tuple(trust),
        under_way=pace.under_way,
    )  # fmt: skip
    deadline_s = settings.judge_ms / 1000
    judge = Judge(asker, trust, deadline_s=deadline_s, clock=time.monotonic, key=token_bytes(16))
    refine = judge.refine if settings.judge else None
    rules, last, follows = shipped.stages()
    classify = cascade((rules, last), follows.before(refine))
    situation = Situation(
        catalog=lambda: catalogs.current,
        providers=roster.prices,
        missing=roster.missing,
        classify=classify,
        unknown_model=settings.unknown_model,
        caller=lambda asked: turns.model_of(asked.project, asked.answers),
        rests=breaker.rests_s,
        forecast=pace.forecast,
        private=_private,
        memory=conversations,
        bound=bound,
    )
    budgets = Budgets(writer, settings.zone)
    books = Books(database, time.time)
    spill = Spill(settings.own_file("unwritten.jsonl"))
    meters = Meters(lambda key: any(row.key == key for row in catalogs.current.models.values()))
    baselines = Baselines(writer, lambda: catalogs.current)
    reports = Reports(database, zone=settings.zone)
    ledger = Ledger(
        writer,
        run_id=run.id,
        price_versions=catalogs.versions,
        feed=feed,
        rollups=rollups,
        budgets=budgets.of,
        follow=budgets.follow if database.is_shared else None,
        baseline=baselines.price,
        spill=spill,
        wrong=lambda: bool(books.wrong),
        meters=meters,
    )
    guard = guard_rows(folder("data") / "guard.json")
    feedback = Feedback(writer, projects, guard_of(guard, lambda: catalogs.current, last.lean))
    gateway = Gateway(
        decide=decide,
        providers=roster.providers,
        ledger=ledger,
        pause=_pause,
        clock=time.time,
        breaker=breaker,
        pace=pace,
        conversations=conversations,
        bound=bound,
        faults=Faults(shipped.text("refusals.toml"), fits),
        on_escalation=escalated,
    )
    return Services(
        settings=settings,
        admin_key=admin_key(settings.home, settings.admin_key),
        catalogs=catalogs,
        projects=projects,
        bearers=Bearers(writer, projects, settings.zone),
        exports=Exports(database),
        budgets=budgets,
        baselines=baselines,
        bills=Bills(reports, baselines, lambda: catalogs.current),
        telling=build_telling(settings, database, writer, run, projects, reports),
        gateway=gateway,
        reports=reports,
        replays=Replays(database),
        feedback=feedback,
        pace=pace,
        measures=measures,
        regenerations=Regenerations(time.monotonic, token_bytes(16)),
        feed=feed,
        runner=runner,
        files=files,
        heads=heads,
        own_models=own_models,
        downloads=downloads,
        bringing=bringing,
        removal=Removal(
            settings.home / "models",
            downloads,
            state=runner.state,
            stop=runner.stop,
            forget=forgetting(own_models, catalogs),
            offload=in_thread,
        ),
        keys=keys,
        added=added,
        endpoints=roster.endpoints,
        known=read_known(shipped.text("providers.toml")),
        bookkeeping=Bookkeeping(writer, rollups),
        ledger=ledger,
        meters=meters,
        books=books,
        backups=None if database.is_shared else Backups(settings.database_file, settings.backups),
        retention=Retention(writer, settings.keep_days),
        alarm=Alarm(writer, spill, books),
        stop_writing=writer.stop_for_damage,
        run=run,
        started_ms=now_ms(),
        address=authority(settings.host, settings.port),
        decide=decide,
        foresight=Foresight(
            decide=decide,
            free=gateway.free,
            ledger=ledger,
            bound=bound,
            rates=gateway.rates,
            in_flight=gateway.in_flight,
        ),
        situation=situation,
        judge=judge,
        count_tokens=count_tokens,
        responses=Responses(writer),
        idempotency=IdempotencyKeys(writer, run_id=run.id),
        results=Results(time.monotonic),
        conversations=conversations,
        missing=roster.missing,
        prices=roster.prices,
        check_key=roster.check_key,
        key_refused=roster.key_refused,
        engine_states=engine_states,
        local_models=build_standing(settings, catalogs, runner, pace),
        reload_providers=roster.reload,
        refresh=refresh,
        codes=SharedCodes(writer) if database.is_shared else None,
        is_shared=database.is_shared,
        close=close,
    )


def _opened(settings: Settings) -> Database:
    """With what a restore that was cut off has left to do."""
    if settings.database_url is None:
        finish(settings.database_file)
    return open_database(settings)


def _runners(
    settings: Settings, files: Files, heads: Heads, find: Callable[[str], Model | None]
) -> tuple[Engines, Runner]:
    """This process's own engines, and those that it calls: its own or, among several processes,
    the owner's."""
    engines = Engines(
        files,
        logs=settings.home / "logs",
        environment=settings.child_environment,
        heads=heads,
        memory=MachineMemory(
            percent=settings.models.memory_percent, size=settings.models.memory_bytes
        ),
        idle_s=settings.models.idle_s,
    )
    return engines, engines if settings.workers == 1 else Shared(engines, settings.home, find)


def open_database(settings: Settings) -> Database:
    """The one that the settings name; nothing is opened yet."""
    if settings.database_url is not None:
        return Postgres(settings.database_url)
    return SqliteFile(settings.database_file)


def _private(request: ChatRequest) -> str | None:
    """The first kind of text in a request that its project keeps on this machine. Not in its
    messages alone: what tools were given, and what is to be embedded, would leave it as well."""
    finder = finder_of(request.policy)
    return None if finder is None else finder.find_in(request.body)


def _learn(feedback: Feedback, project_id: str, request_id: str) -> None:
    with suppress(LARouterError):
        feedback.note(project_id, request_id, -1.0, "escalation")


def _later(seconds: float, callback: Callable[[], None]) -> None:
    gevent.spawn_later(seconds, callback)


def _pause(seconds: float, leaving: Leaving) -> None:
    woken = Event()
    leaving.on_fire(woken.set)
    woken.wait(seconds)
    leaving.on_fire(None)

"""Who is told of what happens with money: the parts that raise, keep and carry alerts."""

from __future__ import annotations

from dataclasses import dataclass

from larouter.config import Settings
from larouter.notify import Desktop
from larouter.store import sender
from larouter.store.alerts import Alerts
from larouter.store.postman import Postman
from larouter.store.projects import Projects
from larouter.store.reports import Reports
from larouter.store.runs import Run
from larouter.store.sql import Database
from larouter.store.unusual import UnusualSpend
from larouter.store.webhooks import Webhooks
from larouter.store.writer import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Alerts, and the ways on which they leave."""

    alerts: Alerts
    webhooks: Webhooks
    postman: Postman
    unusual: UnusualSpend
    desktop: Desktop


def build_telling(
    settings: Settings,
    database: Database,
    writer: Writer,
    run: Run,
    projects: Projects,
    reports: Reports,
) -> Telling:
    webhooks = Webhooks(writer, clock=database.now_ms)
    return Telling(
        alerts=Alerts(writer),
        webhooks=webhooks,
        postman=Postman(webhooks, sender.to(settings.proxies), run.id),
        unusual=UnusualSpend(
            writer,
            projects=lambda: [project.id for project in projects.list()],
            zone_of=lambda project_id: projects.zone_of(project_id) or settings.zone,
            read=reports.spending,
        ),
        desktop=Desktop(settings.desktop_environment),
    )

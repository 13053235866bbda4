"""What was used, and what it cost: for the admin of all projects, and for each project its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask import Blueprint, Response, request
from msgspec import Raw

from larouter.bootstrap import Services
from larouter.core.account import Project
from larouter.core.accounting import CLASSIFYING_NUSD, saved
from larouter.core.catalog import Nanodollars
from larouter.core.chat import Usage
from larouter.core.errors import BadRequest, NotFound
from larouter.core.money import decimal_text
from larouter.store.projects import not_found
from larouter.store.usage import DayLine, Moments, UsageReport, Used, Wanted
from larouter.store.writer import now_ms
from larouter.web.auth import Auth
from larouter.web.replies import json_response
from larouter.web.usage_query import Stretch, check_known, read_stretch, read_wanted
from larouter.wire.strict_json import decode_object, encode

_FORMATS = {"csv": "text/csv", "json": "application/json"}
_MAX_DIGITS = 19
_PAGE = 5_000
"""Calls on one page: about a megabyte."""
_MOST_TOKENS = 10**9


def blueprint(services: Services, auth: Auth) -> Blueprint:
    """Every route of `/api/usage`."""
    routes = Blueprint("usage_api", __name__)
    view = UsageRoutes(services, auth)
    routes.get("/api/usage")(view.usage)
    routes.get("/api/usage/daily")(view.daily)
    routes.get("/api/usage/models")(view.models)
    routes.get("/api/usage/export")(view.export)
    routes.get("/api/usage/attempts")(view.attempts)
    routes.get("/api/usage/calls")(view.calls)
    routes.post("/api/usage/rebuild")(view.rebuild)
    routes.post("/api/usage/attempts/<id>")(view.resolve)
    return routes


class _Asked(NamedTuple):
    """What a query asks for, and of which project; None: of all of them."""

    project: Project | None
    stretch: Stretch
    wanted: Wanted


class UsageRoutes:
    """One method a route. Days are those of where the project is."""

    def __init__(self, services: Services, auth: Auth) -> None:
        self._services = services
        self._auth = auth

    def usage(self) -> Response:
        asked = self._asked("all")
        report = self._report(asked)
        names = {row.id: row.name for row in self._services.projects.list()}
        total, project = report.total, asked.project
        bearers = self._services.bearers.names(project.id if project else None)
        since, until = asked.stretch.ends()
        baseline = self._services.baselines.of(project.id if project else None)
        return json_response(
            {
                "period": asked.stretch.period,
                "from": since,
                "to": until,
                "zone": (project and project.zone) or self._services.settings.zone,
                "projectId": project.id if project else None,
                **_money("totalCost", total.cost_nusd),
                "totalCalls": total.calls,
                "succeededCalls": total.succeeded,
                "inputTokens": total.prompt,
                "cachedTokens": total.cached,
                "outputTokens": total.output,
                "unpricedCalls": total.unpriced,
                **_saving(total),
                **_money("classificationCost", CLASSIFYING_NUSD),
                "baselineModel": baseline.key if baseline else None,
                "byModel": _grouped("model", report.by_model),
                "byTier": _grouped("tier", report.by_tier),
                "byProvider": _grouped("provider", report.by_provider),
                "byProject": [
                    {"project": names.get(row["projectId"]), **row}
                    for row in _grouped("projectId", report.by_project)
                ],
                "byBearer": [
                    {"bearer": bearers.get(row["bearerId"]), **row}
                    for row in _grouped("bearerId", report.by_bearer)
                ],
                "dailyCosts": _grouped("date", report.by_day),
            }
        )

    def daily(self) -> Response:
        """`[{date, cost, calls …}]`, the oldest first."""
        return json_response(
            {"data": _grouped("date", self._report(self._asked("monthly")).by_day)}
        )

    def models(self) -> Response:
        return json_response({"data": _grouped("model", self._report(self._asked("all")).by_model)})

    def export(self) -> Response:
        """A table: a line for each day, project, tier and model."""
        asked = self._asked("all")
        form = request.args.get("format", "csv")
        if form not in _FORMATS:
            raise BadRequest(f"format is one of {', '.join(_FORMATS)}.", param="format")
        lines = self._services.reports.days(asked.wanted)
        body = _csv(lines) if form == "csv" else encode({"data": [_line(line) for line in lines]})
        file = f"larouter-usage-{asked.stretch.name}.{form}"
        return Response(
            body,
            mimetype=_FORMATS[form],
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    def attempts(self) -> Response:
        """One JSON object a line (TRUST B17)."""
        project = self._project_in_question()
        rows = self._services.reports.attempts(project.id if project else None)
        lines = b"".join(encode(row) + b"\n" for row in rows)
        return Response(lines, mimetype="application/x-ndjson")

    def calls(self) -> Response:
        """A page of a provider's calls, to be compared with what the provider says."""
        self._auth.require_admin(request.environ)
        provider = request.args.get("provider", "")
        if not provider:
            raise BadRequest("Name the provider: provider=openai.", param="provider")
        span = read_stretch(
            request.args, today=self._services.reports.date_in(), now_ms=now_ms()
        ).span
        if not isinstance(span, Moments):
            raise BadRequest("Give from and to as moments: 2026-11-01T00:00:00Z.", param="from")
        after = request.args.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) < _MAX_DIGITS):
            raise BadRequest("after is the id of the last call of the page before.", param="after")
        rows = self._services.reports.calls(provider, span, int(after), _PAGE)
        return json_response({"data": rows, "next": rows[-1]["id"] if len(rows) == _PAGE else None})

    def rebuild(self) -> Response:
        """Make the sums anew from requests and attempts; say what was wrong with them."""
        self._auth.require_admin(request.environ)
        return json_response({"differences": self._services.bookkeeping.recount()})

    def resolve(self, id: str) -> Response:
        """Say what became of an attempt that nobody knew of: `{"input", "output", "cached"}`
        tokens, or `{"released": true}`."""
        self._auth.require_admin(request.environ)
        number = id.removeprefix("att_")
        if not (number.isascii() and number.isdigit() and len(number) < _MAX_DIGITS):
            raise NotFound(f"There is no attempt {id[:40]!r}.", code="attempt_not_found")
        usage = _usage(decode_object(request.environ["wsgi.input"].read()))
        corrected = self._services.bookkeeping.resolve(int(number), usage)
        return json_response(
            {
                "attempt_id": f"att_{number}",
                "before_nusd": corrected.before,
                "cost_nusd": corrected.now,
            }
        )

    def _asked(self, default: str) -> _Asked:
        """Whose usage, when and of what; `default` is the period where none is said."""
        project = self._project_in_question()
        stretch = read_stretch(
            request.args,
            today=self._services.reports.date_in(project.zone if project else None),
            now_ms=now_ms(),
            default=default,
        )
        wanted = read_wanted(
            request.args, stretch.span, project.id if project else None, self._services.catalog
        )
        return _Asked(project, stretch, wanted)

    def _report(self, asked: _Asked) -> UsageReport:
        report = self._services.reports.usage(asked.wanted)
        catalog = self._services.catalog
        providers = {model.provider for model in catalog.models.values()}
        check_known(
            asked.wanted,
            report,
            (tier.name for tier in catalog.tiers),
            providers.union(self._services.endpoints),
        )
        return report

    def _project_in_question(self) -> Project | None:
        """A project itself; for the admin the one that it names, or None for all."""
        project = self._auth.project_or_admin(request.environ)
        asked = request.args.get("projectId")
        if project is None:
            return self._services.projects.get(asked) if asked else None
        if asked not in {None, project.id, project.name}:
            raise not_found(str(asked))
        return project


def _usage(given: dict[str, Any]) -> Usage | None:
    """None: it never reached the provider."""
    if given == {"released": True}:
        return None
    tokens = {name: given.get(name, 0) for name in ("input", "output", "cached")}
    if (
        not {"input", "output"} <= given.keys() <= tokens.keys()
        or not all(type(count) is int and 0 <= count <= _MOST_TOKENS for count in tokens.values())
        or tokens["cached"] > tokens["input"]
    ):
        raise BadRequest(
            'Give the tokens, such as {"input": 900, "output": 50, "cached": 0} with the cached '
            'ones among the input, or {"released": true}.'
        )
    return Usage(
        input=tokens["input"] - tokens["cached"],
        cache_read=tokens["cached"],
        output=tokens["output"],
    )


def _saving(used: Used) -> dict[str, Any]:
    """Against the baseline that was in force at each request. What failed on the way is in the
    cost and not in the baseline."""
    return {
        **_money("baselineCost", used.baseline_nusd),
        **_money("saved", saved(used.baseline_nusd, used.cost_nusd)),
    }


def _money(name: str, nusd: Nanodollars) -> dict[str, Any]:
    """A decimal for people and programs that want one, and the exact integer (TRUST B1)."""
    return {name: Raw(decimal_text(nusd).encode()), f"{name}Nusd": nusd}


def _grouped(key: str, rows: Mapping[str, Used]) -> list[dict[str, Any]]:
    return [
        {
            key: name,
            "calls": used.calls,
            "inputTokens": used.prompt,
            "outputTokens": used.output,
            **_money("cost", used.cost_nusd),
        }
        for name, used in rows.items()
    ]


def _csv(lines: Iterable[DayLine]) -> str:
    """For a spreadsheet."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(
        ("date", "project", "tier", "model", "calls", "succeeded", "input_tokens",
         "cached_tokens", "output_tokens", "cost_usd", "cost_nusd", "unpriced_calls",
         "baseline_usd")
    )  # fmt: skip
    for day, name, tier, model, used in lines:
        table.writerow(
            (day, _cell(name), _cell(tier), _cell(model), used.calls, used.succeeded,
             used.prompt, used.cached, used.output, decimal_text(used.cost_nusd),
             used.cost_nusd, used.unpriced, decimal_text(used.baseline_nusd))
        )  # fmt: skip
    return text.getvalue()


def _line(line: DayLine) -> dict[str, Any]:
    used = line.used
    return {
        "date": line.day,
        "project": line.project,
        "tier": line.tier,
        "model": line.model or None,
        "calls": used.calls,
        "succeededCalls": used.succeeded,
        "inputTokens": used.prompt,
        "cachedTokens": used.cached,
        "outputTokens": used.output,
        **_money("cost", used.cost_nusd),
        "unpricedCalls": used.unpriced,
        **_saving(used),
    }


def _cell(text: str) -> str:
    """A spreadsheet takes what begins like this for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and text != "-" else text

"""`GET /metrics` for Prometheus: what this process has counted, and how it stands now.

The client library writes the text; its own counters, which lock, are not used. Sums are read from
`core.meters` when somebody asks, and labels are names that LARouter knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

from flask import Blueprint, Response, request
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from larouter import __version__
from larouter.bootstrap import Services
from larouter.core.meters import BUCKETS_MS, KINDS, Label, Sums, Tally
from larouter.web.auth import Auth

_LABELS = ("project", "tier", "provider", "model")
_MODEL = ("provider", "model")
_DELETED = "(deleted)"
_BOUNDS = (*(str(ms / 1000) for ms in BUCKETS_MS), "+Inf")
ENGINE_STATES = ("absent", "stopped", "loading", "ready", "crashed", "quarantined")

_Rows = Iterable[tuple[Label, Sums]]


def blueprint(services: Services, auth: Auth) -> Blueprint:
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def metrics() -> Response:
        auth.require_admin(request.environ)
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(_Now(services)), content_type=content_type)

    return routes


class _Now(Collector):
    """Everything at one moment."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        services = self._services
        names = {project.id: project.name for project in services.projects.list()}
        rows = list(services.meters.snapshot().items())
        yield InfoMetricFamily("larouter", "This LARouter.", {"version": __version__})
        yield _gauge(
            "larouter_start_time_seconds", "When it started, as Unix time.",
            services.started_ms / 1000,
        )  # fmt: skip
        yield from _counters(rows, names)
        yield from _histograms(rows)
        yield from self._standing(names)
        yield from self._models()

    def _standing(self, names: Mapping[str, str]) -> Iterator[Metric]:
        services = self._services
        flying = GaugeMetricFamily(
            "larouter_requests_in_flight", "Requests that are being answered.", labels=["project"]
        )
        for project_id, count in services.gateway.in_flight.items():
            if project_id in names:
                flying.add_metric([names[project_id]], count)
        yield flying
        yield _gauge(
            "larouter_ledger_queue", "Batches that wait for the ledger's writer.",
            services.ledger.queued,
        )  # fmt: skip
        yield _gauge(
            "larouter_ledger_spilled",
            "Settlements that the database could not take, kept beside it.",
            services.ledger.spilled,
        )
        yield _gauge(
            "larouter_books_wrong",
            "What does not add up in the books; anything but 0 is an alarm.",
            len(services.books.wrong),
        )

    def _models(self) -> Iterator[Metric]:
        services = self._services
        gateway, models = services.gateway, list(services.catalog.models.values())
        queue = GaugeMetricFamily(
            "larouter_calls_in_flight",
            "Calls of a model that are under way; at a local model those that wait are among them.",
            labels=_MODEL,
        )
        breaker = GaugeMetricFamily(
            "larouter_breaker_open", "1: the model failed too often and is left alone.",
            labels=_MODEL,
        )  # fmt: skip
        for model in models:
            label = model.key.split("/", 1)
            queue.add_metric(label, gateway.pace.under_way(model))
            breaker.add_metric(label, int(gateway.breaker.is_open(model.key)))
        yield queue
        yield breaker
        state = GaugeMetricFamily(
            "larouter_engine_state", "1: the local model's engine is in this state.",
            labels=[*_MODEL, "state"],
        )  # fmt: skip
        memory = GaugeMetricFamily(
            "larouter_engine_memory_bytes", "What the engine's process holds in memory.",
            labels=_MODEL,
        )  # fmt: skip
        # The disk and the process table are looked at: not on the hub.
        for key, now, held in services.engine_states():
            label = key.split("/", 1)
            for name in ENGINE_STATES:
                state.add_metric([*label, name], int(name == now))
            if held is not None:
                memory.add_metric(label, held)
        yield state
        yield memory


def _counters(rows: _Rows, names: Mapping[str, str]) -> Iterator[Metric]:
    requests = _counter("larouter_requests", "Requests that ended.", "outcome")
    attempts = _counter("larouter_attempts", "Calls of a provider that ended.", "state")
    tokens = _counter("larouter_tokens", "Tokens, in disjoint kinds.", "kind")
    cost = _counter("larouter_cost_dollars", "What calls with a known price cost, in US dollars.")
    unpriced = _counter("larouter_unpriced", "Calls whose price is unknown, in no cost.")
    # What deleted projects did has one name, and is one line.
    found: dict[tuple[str, ...], list[tuple[Label, Sums]]] = {}
    for label, sums in rows:
        project = names.get(label.project_id, _DELETED)
        found.setdefault((project, *label[1:]), []).append((label, sums))
    for key, group in sorted(found.items()):
        every = [sums for _, sums in group]
        for metric, counted in (
            (requests, _added(sums.requests for sums in every)),
            (attempts, _added(sums.attempts for sums in every)),
            (tokens, _added(dict(zip(KINDS, sums.tokens, strict=True)) for sums in every)),
        ):
            for name, count in counted.items():
                metric.add_metric([*key, name], count)
        # An integer until here: only the text has a point.
        cost.add_metric(key, sum(sums.cost_nusd for sums in every) / 1_000_000_000)
        unpriced.add_metric(key, sum(sums.unpriced for sums in every))
    yield from (requests, attempts, tokens, cost, unpriced)


def _histograms(rows: _Rows) -> Iterator[Metric]:
    """Of all projects together: a dozen lines for each label are enough."""
    took: dict[tuple[str, ...], list[Tally]] = {}
    first: dict[tuple[str, ...], list[Tally]] = {}
    for label, sums in rows:
        took.setdefault(label[1:], []).append(sums.took)
        first.setdefault(label[1:], []).append(sums.first)
    for name, words, found in (
        ("larouter_request_duration_seconds", "From a request's arrival to its end.", took),
        ("larouter_first_byte_seconds", "From sending a call to its answer's first byte.", first),
    ):
        metric = HistogramMetricFamily(name, words, labels=_LABELS[1:])
        for key, tallies in sorted(found.items()):
            counts = [
                sum(column) for column in zip(*(tally.counts for tally in tallies), strict=True)
            ]
            if any(counts):
                buckets = list(zip(_BOUNDS, accumulate(counts), strict=True))
                sum_s = sum(tally.sum_ms for tally in tallies) / 1000
                metric.add_metric(key, buckets, sum_s)
        yield metric


def _added(tables: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for table in tables:
        for name, count in table.items():
            total[name] = total.get(name, 0) + count
    return {name: total[name] for name in sorted(total)}


def _counter(name: str, words: str, *more: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, words, labels=[*_LABELS, *more])


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value)

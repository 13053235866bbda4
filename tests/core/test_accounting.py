"""What is written down; the ways that an attempt fails are in tests/test_gateway_attempts.py."""

from __future__ import annotations

import pytest

from larouter.core.account import Attempt, Project
from larouter.core.accounting import CLIENT_LEFT, dearest, failed, record_of, saved
from larouter.core.catalog import Catalog, Tier
from larouter.core.errors import BadRequest, EngineDown, UpstreamError, UpstreamRefused
from larouter.core.route import Choice, Decision, Numbers
from tests.catalogs import CATALOG
from tests.fakes import CLOUD, LOCAL, a_request

PROJECT = Project(id="p", name="mine")
DECISION = Decision(
    choices=(Choice(model=LOCAL),), tier="SIMPLE", stage="rules", score=0.3, reason="said",
    numbers=Numbers(prompt_tokens=7),
)  # fmt: skip


def test_a_request_that_was_decided():
    record = record_of("req_1", PROJECT, a_request(stream=True), DECISION, 5)

    assert (record.id, record.asked, record.tier, record.stage) == (
        "req_1", "auto", "SIMPLE", "rules",
    )  # fmt: skip
    assert (record.score, record.reason, record.stream, record.started_ms) == (0.3, "said", True, 5)
    assert record.numbers.prompt_tokens == 7


def test_a_request_that_was_refused():
    record = record_of("req_1", PROJECT, a_request(), None, 5)

    assert (record.tier, record.stage, record.score, record.reason) == ("-", "-", 0.0, "")
    assert record.numbers == Numbers()


@pytest.mark.parametrize(
    ("model", "error", "state"),
    [
        (CLOUD, UpstreamRefused("no", status=400), "failed"),
        (CLOUD, UpstreamError("unreachable", sent=False), "released"),
        (CLOUD, UpstreamError("broke"), "unknown"),
        (CLOUD, BadRequest("too long"), "released"),
        (LOCAL, UpstreamError("broke"), "failed"),
        (LOCAL, EngineDown("down"), "released"),
    ],
)
def test_an_attempt_that_brought_nothing(model, error, state):
    record = record_of("req_1", PROJECT, a_request(), DECISION, 5)
    attempt = Attempt(
        id=1, request=record, model=model, degraded=None, hold=None, price_version=None,
        started_ms=5,
    )  # fmt: skip

    outcome = failed(attempt, error, left=False, final=False)
    gone = failed(attempt, error, left=True, final=True)

    assert (outcome.state, outcome.status, outcome.error, outcome.final) == (
        state, error.status, error.code, False,
    )  # fmt: skip
    assert (gone.state, gone.status, gone.error, gone.final) == (
        state, CLIENT_LEFT, "client_left", True,
    )  # fmt: skip


def test_the_dearest_is_the_first_model_of_the_last_tier_that_has_one():
    tiers = (
        Tier(name="EASY", rank=0, title="", models=("small",)),
        Tier(name="HARD", rank=1, title="", models=("gone", "big")),
        Tier(name="NONE", rank=2, title="", models=()),
    )

    assert dearest(Catalog(date="", models=CATALOG.models, tiers=tiers)) == CATALOG.models["big"]
    assert dearest(Catalog(date="", models={}, tiers=tiers)) is None


def test_deciding_costs_nothing_so_a_saving_is_the_difference():
    assert (saved(10, 3), saved(3, 10)) == (7, -7)

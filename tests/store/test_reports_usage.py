from dataclasses import replace

import pytest

from larouter.core.chat import Usage
from larouter.store.reports import Used
from larouter.store.runs import Run
from tests.store.bills import CLOUD, COST, HOLD, HOUR, LOCAL, NOON, UNPRICED


def costs(group):
    return {name: (used.calls, used.cost_nusd) for name, used in group.items()}


def test_usage_of_nothing_is_zero(reports):
    usage = reports.usage("all", None)

    assert usage.total == Used()
    assert not any((usage.by_model, usage.by_tier, usage.by_day, usage.by_provider))


def test_usage_is_summed_by_model_tier_and_day(reports, bill):
    bill()
    bill(at=NOON - 24 * HOUR)
    bill(LOCAL, tier="SIMPLE")
    bill(state="failed", tier="SIMPLE", outcome={"status": 502})

    usage = reports.usage("all", None)

    assert usage.total == Used(
        calls=4, succeeded=3, prompt=3000, output=300, cost_nusd=2 * COST, baseline_nusd=2 * COST
    )
    assert costs(usage.by_model) == {LOCAL.key: (1, 0), CLOUD.key: (3, 2 * COST)}
    assert costs(usage.by_tier) == {"FRONTIER": (2, 2 * COST), "SIMPLE": (2, 0)}
    assert costs(usage.by_provider) == {"local": (1, 0), "openai": (3, 2 * COST)}
    assert costs(usage.by_day) == {"2026-11-21": (1, COST), "2026-11-22": (3, COST)}


def test_a_request_with_two_attempts_is_one_call(reports, bill, book, move):
    first = bill(state="failed", outcome={"final": False})
    second = book.reserve(record=first.request)
    book.settle(second)
    move(second, NOON)

    usage = reports.usage("daily", None)

    assert costs(usage.by_model) == {CLOUD.key: (1, COST)}
    assert costs(usage.by_day) == {"2026-11-22": (1, COST)}


def test_what_reached_no_model_is_a_call_of_its_day_alone(reports, book, clock):
    book.ledger.refuse(book.record(started_ms=NOON), 404, "model_not_found")

    usage = reports.usage("daily", None)

    assert (usage.total.calls, usage.total.succeeded) == (1, 0)
    assert (usage.by_model, usage.by_tier, usage.by_provider) == ({}, {}, {})
    assert costs(usage.by_day) == {"2026-11-22": (1, 0)}


@pytest.mark.parametrize(
    ("period", "hours", "calls"),
    [
        ("daily", 12, 1),
        ("daily", 13, 0),
        ("weekly", 6 * 24 + 12, 1),
        ("weekly", 6 * 24 + 13, 0),
        ("monthly", 29 * 24 + 12, 1),
        ("monthly", 29 * 24 + 13, 0),
        ("all", 10_000, 1),
    ],
)
def test_a_period_is_whole_days_up_to_now(period, hours, calls, reports, bill):
    bill(at=NOON - hours * HOUR)

    usage = reports.usage(period, None)

    assert (usage.total.calls, usage.total.cost_nusd) == (calls, calls * COST)


def test_a_project_sees_its_own_usage_only(reports, bill, book):
    other = book.add_project("other")
    bill()
    bill(LOCAL, project=other, tier="SIMPLE")

    usage = reports.usage("all", other.id)

    assert (usage.total.calls, usage.total.cost_nusd, usage.total.prompt) == (1, 0, 1000)
    assert costs(usage.by_model) == {LOCAL.key: (1, 0)}
    assert costs(usage.by_tier) == {"SIMPLE": (1, 0)}
    assert costs(usage.by_day) == {"2026-11-22": (1, 0)}
    assert list(usage.by_project) == [other.id]
    assert set(reports.usage("all", None).by_project) == {book.project.id, other.id}


def test_each_bearer_has_its_own_sums(reports, bill, book):
    bill(project=replace(book.project, bearer_id="brr_1"))
    bill(project=replace(book.project, bearer_id="brr_2"))
    bill()

    usage = reports.usage("all", None)

    assert costs(usage.by_bearer) == {"brr_1": (1, COST), "brr_2": (1, COST)}
    assert usage.total.calls == 3


def test_a_project_sees_its_own_attempts_only(reports, book):
    other = book.add_project("other")
    book.bill()
    mine = book.bill(project=other)

    (row,) = reports.attempts(other.id)

    assert (row["request_id"], row["project"]) == (mine.request.id, "other")


def test_nobody_s_project_has_nothing(reports, bill):
    bill()

    assert reports.usage("all", "prj_nobody").total == Used()
    assert reports.attempts("prj_nobody") == []


def test_an_attempt_is_exported_as_promised(reports, bill):
    usage = Usage(
        input=1, cache_read=2, cache_write_5m=4, cache_write_1h=8, audio=16, image=32, output=64
    )
    attempt = bill(rid="client-7", outcome={"usage": usage, "provider_id": "chatcmpl-9"})

    # TRUST B17.
    assert reports.attempts() == [
        {
            "attempt_id": f"att_{attempt.id}",
            "request_id": attempt.request.id,
            "rid": "client-7",
            "provider": "openai",
            "provider_id": "chatcmpl-9",
            "model": CLOUD.key,
            "state": "settled",
            "prompt_tokens": 63,
            "cached_tokens": 2,
            "completion_tokens": 64,
            "cost_nusd": CLOUD.price.cost(usage),
            "created_at": "2026-11-22T12:00:00+00:00",
            "project": "notes",
        }
    ]


def test_every_attempt_is_exported_oldest_first(reports, bill, book, move):
    pending = book.reserve(UNPRICED)
    move(pending, NOON + HOUR)
    late = bill(at=NOON)
    early = bill(at=NOON - HOUR)

    rows = reports.attempts()

    assert [row["attempt_id"] for row in rows] == [f"att_{a.id}" for a in (early, late, pending)]
    assert [row["cost_nusd"] for row in rows] == [COST, COST, None]


def test_what_was_recovered_is_exported_as_unknown(reports, book, writer, rollups):
    book.reserve()

    Run(writer, rollups).recover()

    assert [(row["state"], row["cost_nusd"]) for row in reports.attempts()] == [("unknown", HOLD)]

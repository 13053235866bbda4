from dataclasses import asdict

import pytest

from larouter.core.chat import Usage
from larouter.store.runs import Run
from tests.store.bills import CLOUD, COST, HOLD, HOUR, LOCAL, NOON, UNPRICED


def test_usage_of_nothing_is_zero(reports):
    assert asdict(reports.usage("all", None)) == {
        "calls": 0, "succeeded": 0, "input_tokens": 0, "output_tokens": 0, "cost_nusd": 0,
        "by_model": [], "by_tier": [], "by_day": [],
    }  # fmt: skip


def test_usage_is_summed_by_model_tier_and_day(reports, bill):
    bill()
    bill(at=NOON - 24 * HOUR)
    bill(LOCAL, tier="SIMPLE")
    bill(state="failed", tier="SIMPLE", outcome={"status": 502})

    usage = reports.usage("all", None)

    assert (usage.calls, usage.succeeded, usage.cost_nusd) == (4, 3, 2 * COST)
    assert (usage.input_tokens, usage.output_tokens) == (3000, 300)
    assert usage.by_model == [(LOCAL.key, 1, 0), (CLOUD.key, 3, 2 * COST)]
    assert usage.by_tier == [("FRONTIER", 2, 2 * COST), ("SIMPLE", 2, 0)]
    assert usage.by_day == [("2026-11-21", 1, COST), ("2026-11-22", 3, COST)]


def test_a_request_with_two_attempts_is_one_call(reports, bill, book, move):
    first = bill(state="failed", outcome={"final": False})
    second = book.reserve(record=first.request)
    book.settle(second)
    move(second, NOON)

    usage = reports.usage("daily", None)

    assert (usage.calls, usage.by_model, usage.by_day) == (
        1, [(CLOUD.key, 1, COST)], [("2026-11-22", 1, COST)]
    )  # fmt: skip


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

    assert (usage.calls, usage.cost_nusd) == (calls, calls * COST)


def test_a_project_sees_its_own_usage_only(reports, bill, book):
    other = book.add_project("other")
    bill()
    bill(LOCAL, project=other, tier="SIMPLE")

    usage = reports.usage("all", other.id)

    assert (usage.calls, usage.cost_nusd, usage.input_tokens) == (1, 0, 1000)
    assert usage.by_model == [(LOCAL.key, 1, 0)]
    assert usage.by_tier == [("SIMPLE", 1, 0)]
    assert usage.by_day == [("2026-11-22", 1, 0)]


def test_a_project_sees_its_own_attempts_only(reports, book):
    other = book.add_project("other")
    book.bill()
    mine = book.bill(project=other)

    (row,) = reports.attempts(other.id)

    assert (row["request_id"], row["project"]) == (mine.request.id, "other")


def test_nobody_s_project_has_nothing(reports, bill):
    bill()

    assert reports.usage("all", "prj_nobody").calls == 0
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


def test_what_was_recovered_is_exported_as_unknown(reports, book, writer):
    book.reserve()

    Run(writer).recover()

    assert [(row["state"], row["cost_nusd"]) for row in reports.attempts()] == [("unknown", HOLD)]

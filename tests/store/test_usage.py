from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from larouter.core.chat import Usage
from larouter.store.runs import Run
from larouter.store.usage import Days, Moments, Used, Wanted
from tests.store.bills import CLOUD, COST, HOLD, HOUR, LOCAL, NOON, UNPRICED, ms

TODAY = Days("2026-11-22", "2026-11-22")


def costs(group):
    return {name: (used.calls, used.cost_nusd) for name, used in group.items()}


def test_usage_of_nothing_is_zero(reports):
    usage = reports.usage(Wanted())

    assert usage.total == Used()
    assert not any((usage.by_model, usage.by_tier, usage.by_day, usage.by_provider))


def test_usage_is_summed_by_model_tier_and_day(reports, bill):
    bill()
    bill(at=NOON - 24 * HOUR)
    bill(LOCAL, tier="SIMPLE")
    bill(state="failed", tier="SIMPLE", outcome={"status": 502})

    usage = reports.usage(Wanted())

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

    usage = reports.usage(Wanted(span=TODAY))

    assert costs(usage.by_model) == {CLOUD.key: (1, COST)}
    assert costs(usage.by_day) == {"2026-11-22": (1, COST)}


def test_what_reached_no_model_is_a_call_of_its_day_alone(reports, book, clock):
    book.ledger.refuse(book.record(started_ms=NOON), 404, "model_not_found")

    usage = reports.usage(Wanted(span=TODAY))

    assert (usage.total.calls, usage.total.succeeded) == (1, 0)
    assert (usage.by_model, usage.by_tier, usage.by_provider) == ({}, {}, {})
    assert costs(usage.by_day) == {"2026-11-22": (1, 0)}


def test_days_are_from_the_first_to_the_last(reports, bill):
    for hours in (0, 24, 48, 72):
        bill(at=NOON - hours * HOUR)

    usage = reports.usage(Wanted(span=Days("2026-11-20", "2026-11-21")))

    assert costs(usage.by_day) == {"2026-11-20": (1, COST), "2026-11-21": (1, COST)}
    assert (usage.total.calls, usage.total.cost_nusd) == (2, 2 * COST)


def test_a_project_sees_its_own_usage_only(reports, bill, book):
    other = book.add_project("other")
    bill()
    bill(LOCAL, project=other, tier="SIMPLE")

    usage = reports.usage(Wanted(project_id=other.id))

    assert (usage.total.calls, usage.total.cost_nusd, usage.total.prompt) == (1, 0, 1000)
    assert costs(usage.by_model) == {LOCAL.key: (1, 0)}
    assert costs(usage.by_tier) == {"SIMPLE": (1, 0)}
    assert costs(usage.by_day) == {"2026-11-22": (1, 0)}
    assert list(usage.by_project) == [other.id]
    assert set(reports.usage(Wanted()).by_project) == {book.project.id, other.id}


def test_each_bearer_has_its_own_sums(reports, bill, book):
    bill(project=replace(book.project, bearer_id="brr_1"))
    bill(project=replace(book.project, bearer_id="brr_2"))
    bill()

    usage = reports.usage(Wanted())

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

    assert reports.usage(Wanted(project_id="prj_nobody")).total == Used()
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


@pytest.mark.parametrize(
    "only",
    [
        {"models": (LOCAL.key,)}, {"tiers": ("SIMPLE",)}, {"providers": ("local",)},
        {"bearers": ("brr_1",)}, {"models": (LOCAL.key, "no/body"), "tiers": ("SIMPLE", "ODD")},
    ],
)  # fmt: skip
@pytest.mark.parametrize("span", [TODAY, Moments(NOON - HOUR, NOON + HOUR)])
def test_a_filter_lets_only_its_own_through(only, span, reports, bill, book):
    bill()
    bill(LOCAL, tier="SIMPLE", project=replace(book.project, bearer_id="brr_1"))

    usage = reports.usage(Wanted(span=span, **only))

    assert (usage.total.calls, usage.total.cost_nusd) == (1, 0)
    assert list(usage.by_model) == [LOCAL.key]
    assert [line.model for line in reports.days(Wanted(span=span, **only))] == [LOCAL.key]


def test_a_provider_is_not_the_beginning_of_another_s_name(reports, bill):
    bill()

    assert reports.usage(Wanted(providers=("open",))).total == Used()
    assert reports.usage(Wanted(providers=("OpenAI",))).total == Used()


@pytest.fixture
def berlin(writer, rollups, book):
    """A project whose days are those of Berlin."""

    def job(connection):
        connection.execute("UPDATE project SET zone='Europe/Berlin'")
        rollups.rebuild_days(connection)

    rollups._zone_of = lambda project_id: "Europe/Berlin"
    writer.run(job)
    return book.project


# The clocks of Berlin went back on 2026-10-25 and forward on 2026-03-29.
@pytest.mark.parametrize("day", ["2026-11-22", "2026-10-25", "2026-03-29"])
def test_moments_are_cut_into_the_days_of_the_project(day, reports, bill, berlin):
    midnight = ms(f"{day}T00:00:00+00:00")
    moments = [midnight + hours * HOUR for hours in range(-30, 54, 3)]
    for at in moments:
        bill(at=at)

    for since, until in pairwise(range(midnight - 31 * HOUR, midnight + 60 * HOUR, 5 * HOUR)):
        inside = [at for at in moments if since <= at < until]
        usage = reports.usage(Wanted(span=Moments(since, until)))
        expected = Counter(_date_in_berlin(at) for at in inside)
        assert {day: used.calls for day, used in usage.by_day.items()} == expected
        assert usage.total.calls == len(inside)
    whole = reports.usage(Wanted(span=Moments(moments[0], moments[-1] + 900_000)))
    assert whole == reports.usage(Wanted())


def _date_in_berlin(at):
    return datetime.fromtimestamp(at / 1000, ZoneInfo("Europe/Berlin")).date().isoformat()


def test_projects_in_two_zones_keep_their_own_days(reports, bill, book, writer, rollups):
    far = book.add_project("far")
    zones = {far.id: "Pacific/Auckland", book.project.id: "UTC"}
    rollups._zone_of = zones.get
    writer.run(
        lambda connection: connection.execute(
            "UPDATE project SET zone='Pacific/Auckland' WHERE id=?", (far.id,)
        )
    )
    bill()
    bill(project=far)
    span = Moments(NOON - 36 * HOUR, NOON + HOUR)

    assert costs(reports.usage(Wanted(span=span)).by_day) == {
        "2026-11-22": (1, COST), "2026-11-23": (1, COST),
    }  # fmt: skip
    lines = reports.days(Wanted(span=span))
    assert [(line.day, line.project) for line in lines] == [
        ("2026-11-22", "notes"), ("2026-11-23", "far"),
    ]  # fmt: skip


def test_the_date_is_that_of_a_zone(reports):
    assert reports.date_in("Pacific/Auckland").isoformat() == "2026-11-23"
    assert reports.date_in().isoformat() == "2026-11-22"

from dataclasses import replace
from itertools import count

import pytest

from larouter.core.chat import Usage
from larouter.core.errors import NotFound
from larouter.store.corrections import resolve
from larouter.store.statements import Doubt
from larouter.store.usage import Days, Used
from tests.store.bills import CLOUD, COST, HOLD, HOUR, LOCAL, NOON, UNPRICED, ms

NOVEMBER = Days("2026-11-01", "2026-11-30")
_numbers = count()


@pytest.fixture
def bought(bill):
    """A bill whose request has an id of its time, as real ones have."""

    def bought(*arguments, at=NOON, **facts):
        id = f"req_{at * 1_000_000:016x}{next(_numbers):012}"
        return bill(*arguments, at=at, id=id, **facts)

    return bought


def costs(lines):
    return {line.name: (line.used.calls, line.used.cost_nusd) for line in lines}


def test_every_table_adds_up_to_the_total_to_the_nano_dollar(reports, bought, book):
    bearer = replace(book.project, bearer_id="brr_1")
    for number in range(1, 40):
        usage = Usage(input=number * 7 + 1, cache_read=number % 3, output=number * 13 % 11)
        bought(
            CLOUD if number % 3 else LOCAL,
            at=NOON - (number % 20) * 24 * HOUR,
            tier="FRONTIER" if number % 2 else "SIMPLE",
            project=bearer if number % 4 else book.project,
            outcome={"usage": usage},
        )
    bought(UNPRICED)
    bought(state="failed", outcome={"status": 502})

    found = reports.statement("notes", NOVEMBER)

    assert found.total.calls == 41
    assert found.total.cost_nusd > 0
    tables = (found.days, found.tiers, found.models, found.providers, found.bearers)
    for lines in tables:
        assert sum((line.used for line in lines), Used()) == found.total
    # And to what the ledger itself says.
    assert found.total.cost_nusd == sum(row["cost_nusd"] or 0 for row in reports.attempts())
    assert found.is_whole
    assert [line.name for line in found.days][::29] == ["2026-11-01", "2026-11-30"]


def test_a_month_begins_and_ends_where_the_project_is(reports, bought, book, writer, rollups):
    rollups._zone_of = lambda project_id: "Europe/Berlin"
    writer.run(lambda connection: connection.execute("UPDATE project SET zone='Europe/Berlin'"))
    begin, end = ms("2026-11-01T00:00:00+01:00"), ms("2026-12-01T00:00:00+01:00")
    for at in (begin - 1, begin, end - 1, end):
        bought(at=at)

    found = reports.statement(book.project.id, NOVEMBER)

    assert (found.since_ms, found.until_ms) == (begin, end)
    assert found.owner.zone == "Europe/Berlin"
    assert {name: made for name, made in costs(found.days).items() if made[0]} == {
        "2026-11-01": (1, COST), "2026-11-30": (1, COST),
    }  # fmt: skip
    assert found.is_whole


def test_what_is_not_exactly_known_is_told(reports, bought, book, move):
    bought()
    bought(state="estimated")
    bought(state="unknown", outcome={"status": 502})
    bought(UNPRICED)
    pending = book.reserve(id=f"req_{NOON * 1_000_000:016x}open")
    move(pending, NOON)

    found = reports.statement("notes", NOVEMBER)

    assert found.doubts == [
        Doubt("estimated", CLOUD.key, 1, COST),
        Doubt("open", CLOUD.key, 1, 0),
        Doubt("unknown", CLOUD.key, 1, HOLD),
        Doubt("unpriced", UNPRICED.key, 1, 0),
    ]
    assert found.total.cost_nusd == 2 * COST + HOLD
    assert found.total.unpriced == 1


def test_a_correction_counts_in_the_month_of_its_call(reports, bought, writer, rollups):
    lost = bought(state="unknown", outcome={"status": 502})
    december = ms("2026-12-05T00:00:00+00:00")
    usage = Usage(input=1000, output=100)
    writer.run(lambda connection: resolve(connection, rollups, lost.id, usage, december))

    found = reports.statement("notes", NOVEMBER)

    assert found.total.cost_nusd == COST
    assert [tuple(row) for row in found.corrections] == [
        (december, lost.id, CLOUD.key, COST - HOLD)
    ]
    assert found.corrected == (1, COST - HOLD)
    assert found.doubts == []
    assert reports.statement("notes", Days("2026-12-01", "2026-12-31")).is_empty


def test_the_prices_that_were_charged_are_told(reports, bought):
    bought()
    bought()
    bought(LOCAL)

    cloud, local = sorted(
        reports.statement("notes", NOVEMBER).prices, key=lambda row: row.model != CLOUD.key
    )

    assert (cloud.model, cloud.calls) == (CLOUD.key, 2)
    assert (cloud.facts["input"], cloud.facts["output"]) == ("1.25", "10")
    assert (local.model, local.calls, local.facts["input"]) == (LOCAL.key, 1, "0")


def test_what_stayed_here_is_told(reports, bought):
    bought()
    bought(LOCAL)

    found = reports.statement("notes", NOVEMBER)

    assert (found.here.succeeded, found.here.cost_nusd) == (1, 0)


def test_another_projects_calls_are_not_on_it(reports, bought, book):
    other = book.add_project("other")
    bought(project=other)

    found = reports.statement("notes", NOVEMBER)

    assert found.is_empty
    assert (found.prices, found.total) == ([], Used())
    assert reports.statement("other", NOVEMBER).total.cost_nusd == COST


def test_a_month_whose_calls_are_no_longer_kept_has_its_amounts(reports, bought, writer):
    bought()

    def forget(connection):
        for table in ("ledger_entry", "attempt", "request"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above

    writer.run(forget)

    found = reports.statement("notes", NOVEMBER)
    assert (found.total.cost_nusd, found.is_whole, found.prices) == (COST, False, [])
    assert costs(found.models) == {CLOUD.key: (1, COST)}


def test_a_deleted_project_has_its_statement(reports, bought, writer):
    bought()
    writer.run(
        lambda connection: connection.execute(
            "UPDATE project SET deleted_ms=1, name='notes (gone)'"
        )
    )

    found = reports.statement("prj_notes", NOVEMBER)

    assert (found.owner.is_deleted, found.total.cost_nusd) == (True, COST)
    assert [owner.name for owner in reports.owners()] == ["notes (gone)"]


def test_nobody_s_statement_is_not_found(reports):
    with pytest.raises(NotFound) as refused:
        reports.statement("nobody", NOVEMBER)

    assert refused.value.code == "project_not_found"

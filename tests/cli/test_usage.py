"""`larouter usage`, with and without a server; the export is the database, line by line."""

import json
import sqlite3
from contextlib import closing

import click
import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from larouter.core.account import RequestRecord
from larouter.core.errors import LARouterError


def test_nothing_asked_is_nothing_spent(alone):
    assert alone.lines("usage") == ["0 requests, 0 answered", "0 tokens in, 0 out", "$0"]


def test_usage_as_json_is_what_the_api_says(cli):
    usage = json.loads(cli.run("usage", "--period", "daily", "--json").stdout)

    assert usage["period"] == "daily"
    assert {"totalCost", "totalCalls", "byModel", "byTier", "dailyCosts"} <= set(usage)


def test_an_export_needs_to_be_told_of_what(alone):
    with pytest.raises(click.UsageError):
        alone.run("usage", "export")


def test_nothing_asked_exports_nothing(alone):
    assert alone.run("usage", "export", "--attempts").stdout == ""


def test_both_exports_at_once_are_none(alone):
    with pytest.raises(click.UsageError):
        alone.run("usage", "export", "--attempts", "--csv")


def test_a_table_begins_with_its_columns(cli):
    header = cli.lines("usage", "export", "--csv", "--period", "daily")[0]

    assert header.startswith("date,project,tier,model,calls,")


def test_a_table_as_json(cli):
    assert json.loads(cli.run("usage", "export", "--json", "--month", "2020-11").stdout) == {
        "data": []
    }


def test_which_usage_is_meant_goes_to_the_server(alone, monkeypatch):
    asked = []

    def call_text(*given):
        asked.append(given)
        return ""

    monkeypatch.setattr("larouter.cli.usage.call_text", call_text)

    alone.run("usage", "export", "--csv", "--from", "2026-11-01T00:00:00+01:00", "--to",
              "2026-11-02", "--project", "a b", "--model", "x/y", "--model", "z", "--tier", "T",
              "--provider", "p", "--bearer", "brr_1")  # fmt: skip
    alone.run("usage", "export", "--attempts", "--project", "notes")

    assert asked == [
        ("GET", "/api/usage/export?from=2026-11-01T00%3A00%3A00%2B01%3A00&to=2026-11-02"
         "&projectId=a+b&model=x%2Fy&model=z&tier=T&provider=p&bearer=brr_1&format=csv"),
        ("GET", "/api/usage/attempts?projectId=notes"),
    ]  # fmt: skip


def test_a_month_and_a_week_of_the_calendar(alone):
    month = json.loads(alone.run("usage", "--month", "2026-11", "--json").stdout)
    week = json.loads(alone.run("usage", "--week", "2026-W47", "--json").stdout)

    assert (month["period"], month["from"], month["to"]) == (None, "2026-11-01", "2026-11-30")
    assert (week["from"], week["to"]) == ("2026-11-16", "2026-11-22")


def test_what_the_server_refuses_is_told_in_its_words(alone):
    with pytest.raises(LARouterError, match="month is written as 2026-11"):
        alone.run("usage", "--month", "November")


@pytest.mark.parametrize(
    "command",
    [
        ("usage", "--month", "2026-11", "rebuild"),
        ("usage", "export", "--attempts", "--month", "2026-11"),
    ],
)
def test_an_option_that_would_do_nothing_is_a_slip(alone, command):
    with pytest.raises(click.UsageError):
        alone.run(*command)


def test_a_saving_and_an_unknown_price_are_told(alone, monkeypatch):
    usage = {
        "totalCalls": 3, "succeededCalls": 2, "inputTokens": 9, "outputTokens": 4,
        "totalCostNusd": 10**9, "savedNusd": 5 * 10**8, "baselineCostNusd": 15 * 10**8,
        "unpricedCalls": 1, "byModel": [], "baselineModel": "cloud/big",
    }  # fmt: skip
    monkeypatch.setattr("larouter.cli.usage.call_text", lambda *_: json.dumps(usage))

    lines = alone.lines("usage")

    assert "$0.5 saved: the baseline (now cloud/big) would have cost $1.5" in lines
    assert "1 calls have no known price and are not counted" in lines


def test_sums_that_are_right_are_said_to_be(cli):
    assert cli.run("usage", "rebuild").stdout == "The sums were right.\n"


def test_sums_that_were_wrong_are_told_and_mended(alone):
    services = bootstrap(read_settings({"LAROUTER_HOME": str(alone.home)}))
    services.projects.ensure_default()
    services.gateway.ledger.refuse(
        RequestRecord(
            id="req_1", project=services.projects.get("default"), asked="x", tier="-", stage="-",
            score=0.0, reason="", stream=False, rid=None, started_ms=1_790_000_000_000,
        ),
        404, "model_not_found",
    )  # fmt: skip
    services.close()
    with closing(sqlite3.connect(alone.home / "larouter.db")) as connection, connection:
        connection.execute("UPDATE usage_day SET calls = 2")

    assert alone.lines("usage", "rebuild")[-1] == "1 differences, mended."
    assert alone.lines("usage", "rebuild") == ["The sums were right."]


@pytest.mark.parametrize(
    "options", [(), ("--tokens", "9,5", "--released"), ("--tokens", "nine"), ("--tokens", "9")]
)
def test_a_slip_about_what_nobody_knew_is_told(alone, options):
    with pytest.raises(click.UsageError):
        alone.run("usage", "resolve", "att_1", *options)


def test_nobody_s_attempt_cannot_be_resolved(cli):
    with pytest.raises(LARouterError):
        cli.run("usage", "resolve", "att_999999", "--released")


@pytest.mark.parametrize(("before", "line"), [(10**9, "$1 before"), (None, "an unknown price")])
def test_what_is_charged_now_is_told(alone, monkeypatch, before, line):
    changed = {"attempt_id": "att_7", "before_nusd": before, "cost_nusd": 5 * 10**8}
    asked = []

    def call(*given):
        asked.append(given)
        return changed

    monkeypatch.setattr("larouter.cli.usage.call", call)

    assert line in alone.run("usage", "resolve", "att_7", "--tokens", "9,5,1").stdout
    assert asked == [("POST", "/api/usage/attempts/att_7", {"input": 9, "output": 5, "cached": 1})]

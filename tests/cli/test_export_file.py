"""Providers' exports with the columns that they really have; all figures are made up."""

import io
import tracemalloc
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from larouter.cli.export_file import ExportError, plain_model, read_export

FOLDER = Path(__file__).parent / "exports"
UTC = ZoneInfo("UTC")


def read(name, provider, *, zone=UTC, rate=None):
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as file:
        return read_export(file, provider, zone, rate)


def of(text, provider="openai", *, zone=UTC, rate=None):
    return read_export(io.StringIO(text), provider, zone, rate)


def figures(sums):
    return (sums.requests, sums.prompt, sums.cached, sums.output, int(sums.cost_nusd))


@pytest.mark.parametrize(
    ("name", "key", "expected", "has"),
    [
        ("openai_minutes", "gpt-6-2-sol", (3, 3000, 300, 300, 0),
         {"requests", "prompt", "cached", "output"}),
        ("openai_costs", "gpt-6-2-sol", (0, 0, 0, 0, 2_145_000), {"cost"}),
        ("anthropic_usage", "claude-opus-5-5", (0, 1050, 100, 50, 0),
         {"prompt", "cached", "output"}),
        ("anthropic_costs", "claude-opus-5-5", (0, 0, 0, 0, 60_000_000), {"cost"}),
        ("deepseek_amounts", "deepseek-v4-pro", (3, 1500, 1000, 200, 0),
         {"requests", "prompt", "cached", "output"}),
        ("google_billing", "gemini-4-argon", (0, 1700, 200, 300, 4_900_000),
         {"prompt", "cached", "output", "cost"}),
    ],
)  # fmt: skip
def test_each_provider_s_own_export_is_read(name, key, expected, has):
    export = read(f"{name}.csv", name.partition("_")[0])

    assert figures(export.days[("2026-11-02", key)]) == expected
    assert export.has == has
    assert (export.first, export.requests) == ("2026-11-02", {})


def test_a_row_of_each_request_is_kept_by_its_id():
    export = read("requests.csv", "openai")

    assert list(export.requests) == ["chatcmpl-1", "chatcmpl-2"]
    assert figures(export.requests["chatcmpl-2"]) == (1, 900, 100, 50, 1_500_000)
    assert export.day_of["chatcmpl-1"] == "2026-11-02"
    assert export.days == {}


def test_another_currency_is_compared_at_a_rate_alone():
    with pytest.raises(ExportError, match="in CNY: with --rate"):
        read("deepseek_costs.csv", "deepseek")
    export = read("deepseek_costs.csv", "deepseek", rate=Decimal("0.14"))

    assert export.currency == "CNY"
    assert figures(export.days[("2026-11-02", "deepseek-v4-pro")])[-1] == 381_500


def test_columns_may_be_in_any_order_and_case():
    export = of("OUTPUT TOKENS,Input Tokens,Day,MODEL,Num requests\n5,10,2026-11-02,openai/X,1\n")

    assert figures(export.days[("2026-11-02", "x")]) == (1, 10, 0, 5, 0)


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [("2026-11-02T23:30:00-08:00", "UTC", "2026-11-03"),
     ("2026-11-02T23:30:00Z", "Europe/Berlin", "2026-11-03"),
     ("2026-11-02 23:30:00 UTC", "UTC", "2026-11-02"),
     ("2026-11-02 23:30", "America/Los_Angeles", "2026-11-02"),
     ("1793577600", "UTC", "2026-11-02"), ("1793577600000", "America/Los_Angeles", "2026-11-01"),
     ("20261102", "America/Los_Angeles", "2026-11-02"), ("2026/11/02", "UTC", "2026-11-02")],
)  # fmt: skip
def test_a_moment_is_of_a_day_of_the_zone(moment, zone, day):
    export = of(f"date,model,input_tokens\n{moment},x,1\n", zone=ZoneInfo(zone))

    assert (export.first, export.last) == (day, day)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("gpt-4o-2024-08-06", "gpt-4o"), ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
     ("Claude Opus 5.5", "claude-opus-5-5"), ("models/gemini-4-argon", "gemini-4-argon"),
     ("gpt-6.2-sol-latest", "gpt-6-2-sol"), ("gpt-6.2-sol, cached input", "gpt-6-2-sol"),
     ("claude-opus@20260801", "claude-opus")],
)  # fmt: skip
def test_a_model_has_one_name(name, plain):
    assert plain_model(name) == plain


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "no column with a date"), ("model,input_tokens\nx,1\n", "no column with a date"),
     ("date,input_tokens\n2026-11-02,1\n", "no column with a model"),
     ("date,model,colour\n2026-11-02,x,red\n", "No column of this file says"),
     ("date,model,input_tokens\n2026-11-02,x,1\n02.11.2026,x,1\n", "Line 3: '02.11.2026'"),
     ("date,model,input_tokens\n,x,1\n", "Line 2: it has no date"),
     ("date,model,input_tokens\n2026-11-02,x,1.5\n", "is no count"),
     ("date,model,input_tokens\n2026-11-02,x,-1\n", "is no count"),
     ("date,model,cost\n2026-11-02,x,cheap\n", "is no number"),
     ("date,model,cost\n2026-11-02,x,NaN\n", "no number that can be added up"),
     ("date,model,cost\n2026-11-02,x,1E999999\n", "no number that can be added up")],
)  # fmt: skip
def test_what_cannot_be_read_is_told_by_its_line(text, words):
    with pytest.raises(ExportError) as refused:
        of(text)

    assert words in str(refused.value)


def test_empty_lines_and_days_of_nothing_are_no_rows():
    export = of("date,model,input_tokens\n2026-11-02,x,1\n\n2026-11-05,,\n")

    assert (export.rows, export.last) == (1, "2026-11-02")


def test_amounts_may_be_off_by_half_of_their_last_place():
    export = of('date,model,cost\n2026-11-02,x,$0.05\n2026-11-02,x,"1,000.5"\n')

    assert export.tolerance_nusd(2) == 10_000_000
    assert export.days[("2026-11-02", "x")].cost_nusd == Decimal("1000.55") * 10**9


def test_a_large_file_is_not_held_as_a_whole(tmp_path):
    file = tmp_path / "export.csv"
    file.write_text("date,model,input_tokens\n" + "2026-11-02,x,1\n" * 60_000)

    tracemalloc.start()
    with file.open(encoding="utf-8", newline="") as lines:
        export = read_export(lines, "openai", UTC, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert figures(export.days[("2026-11-02", "x")]) == (0, 60_000, 0, 0, 0)
    assert peak < 600_000 < file.stat().st_size

import json

import click
import pytest

from larouter.core.errors import LARouterError


def test_a_statement_is_printed(cli):
    # A month in which nobody asked a server that other tests share, and no baseline was chosen.
    first, *_, pay, saved = cli.lines("usage", "statement", "default", "--month", "2020-11")

    assert first.startswith("default, 2020-11 (days of ")
    assert pay == "To pay: $0"
    assert saved.startswith("$0 saved against the baseline (anthropic/claude-")


def test_it_is_what_the_api_says(alone):
    alone.run("projects", "create", "a b")

    told = json.loads(alone.run("usage", "statement", "a b", "--json").stdout)

    assert (told["project"], told["total"]["calls"]) == ("a b", 0)


def test_it_is_written_to_a_file(alone, tmp_path):
    alone.run("projects", "create", "notes")
    file = tmp_path / "bill.html"

    assert alone.lines("usage", "statement", "notes", "--html", str(file)) == [f"Wrote {file}."]
    assert "Nothing was asked in" in file.read_text(encoding="utf-8")
    with pytest.raises(click.ClickException, match="cannot be written"):
        alone.run("usage", "statement", "notes", "--html", str(tmp_path / "no" / "bill.html"))


def test_what_is_not_exact_is_printed(alone, monkeypatch):
    row = {"calls": 2, "succeededCalls": 1, "costNusd": 15 * 10**8}
    bill = {
        "project": "notes", "month": "2026-11", "zone": "UTC", "isWhole": False,
        "total": {**row, "savedNusd": -(10**9)}, "onThisMachine": row,
        "byModel": [{"model": "cloud/big", **row}, {"model": None, **row}],
        "baselines": [{"model": "cloud/big"}, {"model": ""}],
        "notExact": [{"state": "unknown", "model": "cloud/big", **row}],
        "correctionCount": 1, "correctedNusd": -5,
    }  # fmt: skip
    monkeypatch.setattr("larouter.cli.statement.call_text", lambda *_: json.dumps(bill))

    lines = alone.lines("usage", "statement", "notes")

    assert "To pay: $1.5" in lines
    assert "$1 more than the baseline (cloud/big and no model)" in lines
    assert "2 of cloud/big: unknown, charged at the most that it held ($1.5)" in lines
    assert "1 corrections: $-0.000000005" in lines
    assert lines[-1].startswith("Not all calls")


def test_nobody_s_statement_is_not_found(alone):
    with pytest.raises(LARouterError, match="There is no project 'nobody'"):
        alone.run("usage", "statement", "nobody")

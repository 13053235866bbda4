"""`larouter usage reconcile`, over a real ledger."""

import json
import sqlite3
from contextlib import closing
from datetime import datetime

import click
import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from larouter.core.account import Outcome, RequestRecord
from larouter.core.budget import bound_of
from larouter.core.chat import Usage
from larouter.core.route import Choice
from tests.fakes import a_request

MODEL = "gpt-6.2-sol"
AT = int(datetime.fromisoformat("2026-11-02T10:00:00+00:00").timestamp() * 1000)
DAYS = "date,model,requests,input_tokens,input_cached_tokens,output_tokens\n"


@pytest.fixture
def booked(tmp_path, alone):
    """One call that ended, and one of which nobody knows, on the second of November."""
    services = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path)}))
    services.projects.ensure_default()
    model = services.catalog.models[MODEL]
    for number, (state, usage) in enumerate(
        [("settled", Usage(input=1000, output=100)), ("unknown", Usage())]
    ):
        record = RequestRecord(
            id=f"req_{number}", project=services.projects.get("default"), asked="auto",
            tier="COMPLEX", stage="learned", score=0.5, reason="said", stream=False, rid=None,
            started_ms=AT,
        )  # fmt: skip
        attempt = services.ledger.reserve(
            record, Choice(model=model), bound_of(model, a_request(max_tokens=500))
        )
        services.ledger.settle(attempt, Outcome(state=state, usage=usage))
    services.close()
    with closing(sqlite3.connect(tmp_path / "larouter.db")) as connection:
        connection.execute("UPDATE attempt SET started_ms=?", (AT,))
        connection.commit()
    return alone


@pytest.fixture
def export(tmp_path):
    def export(*rows):
        file = tmp_path / "export.csv"
        file.write_text(DAYS + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return str(file)

    return export


def run(cli, *arguments):
    """What it printed, and its exit code."""
    result = cli.run("usage", "reconcile", "--provider", "openai", *arguments)
    return result.stdout.splitlines(), result.return_value


def test_what_differs_is_listed_and_the_exit_code_says_so(booked, export):
    file = export(f"2026-11-02,{MODEL},3,2900,100,150")

    lines, code = run(booked, "--file", file)

    assert code == 1
    assert lines[0].startswith("openai, 2026-11-02 to 2026-11-02 (days of UTC): 1 rows, compared")
    assert "2026-11-02 gpt-6-2-sol: requests 1 here, 3 there" in lines
    assert "2026-11-02 gpt-6-2-sol: tokens in 1000 here, 2900 there" in lines
    assert any(line.startswith("1 unknown calls that the export") for line in lines)
    assert lines[-1] == "4 differences."


def test_what_the_export_knows_can_be_settled(booked, export):
    file = export(f"2026-11-02,{MODEL},2,1900,100,150")
    lines, code = run(booked, "--file", file)
    assert (code, lines[-2]) == (
        1, "att_2 is unknown; settle it: larouter usage resolve att_2 --tokens 900,50,100",
    )  # fmt: skip

    lines, code = run(booked, "--file", file, "--apply")
    assert "att_2 was unknown and is settled: --tokens 900,50,100" in lines
    lines, code = run(booked, "--file", file)

    assert (lines[-1], code) == ("Nothing differs.", None)
    usage = json.loads(booked.run("usage", "--json").stdout)
    assert (usage["inputTokens"], usage["cachedTokens"], usage["outputTokens"]) == (1900, 100, 150)


def test_what_the_provider_never_did_is_released(booked, export):
    file = export(f"2026-11-02,{MODEL},1,1000,0,100")

    lines, code = run(booked, "--file", file, "--apply")

    assert "att_2 was unknown and is settled: --released" in lines
    assert code is None


def test_what_is_unknown_is_no_agreement(booked, export):
    lines, code = run(booked, "--file", export(f"2026-11-02,{MODEL},1,1000,0,100"))

    assert (lines[-1], code) == ("Nothing differs but what is unknown here.", 1)
    assert lines[0].endswith("compared by requests, tokens in, cached tokens, tokens out")


def test_as_json_it_is_for_programs(booked, export):
    file = export(f"2026-11-02,{MODEL},2,1900,100,150", "2026-11-03,other,1,5,0,5")

    lines, code = run(booked, "--file", file, "--json")

    told = json.loads(lines[0])
    assert (told["rows"], told["unknown"], told["applied"], code) == (2, 1, 0, 1)
    assert told["resolvable"] == [
        {"attemptId": "att_2", "released": False, "input": 900, "cached": 100, "output": 50}
    ]
    assert told["differences"][-1]["kind"] == "not_here"


def test_an_export_of_nothing_is_told(alone, export):
    lines, code = run(alone, "--file", export(f"2026-11-02,{MODEL},,,,"), "--zone", "Asia/Tokyo")

    assert (lines, code) == (["The file has no usage in it.", "Nothing differs."], None)


def test_another_currency_is_told(alone, tmp_path):
    file = tmp_path / "costs.csv"
    file.write_text("date,model,input_tokens,cost,currency\n2026-11-02,x,1,2,EUR\n")

    assert "Amounts are in EUR: with --rate they are compared too." in run(
        alone, "--file", str(file)
    )[0]  # fmt: skip
    assert any("cost" in line for line in run(alone, "--file", str(file), "--rate", "1.08")[0])


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"PK\x03\x04\xff\xfe", "unpack it"), (b"colour\nred\n", "no column with a date"),
     (b"date,model,input_tokens\n2026-11-02,x,many\n", "Line 2")],
)  # fmt: skip
def test_a_file_that_is_none_is_told(alone, tmp_path, content, words):
    file = tmp_path / "export.csv"
    file.write_bytes(content)

    with pytest.raises(click.ClickException, match=words):
        run(alone, "--file", str(file))


@pytest.mark.parametrize(
    "options", [("--zone", "Mars"), ("--rate", "cheap"), ("--rate", "0"), ("--rate", "-1")]
)
def test_a_slip_is_told(alone, export, options):
    with pytest.raises(click.UsageError):
        run(alone, "--file", export(), *options)


def test_google_s_days_are_those_of_the_pacific(alone, tmp_path):
    file = tmp_path / "export.csv"
    file.write_text("date,model,input_tokens\n2026-11-02,x,1\n")

    told = alone.run("usage", "reconcile", "--provider", "google", "--file", str(file), "--json")

    assert json.loads(told.stdout)["zone"] == "America/Los_Angeles"

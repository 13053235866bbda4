"""`larouter models`: what there is, what fits, and what to keep."""

import json

import pytest

from larouter.cli.models import advice_lines, machine_line
from larouter.core.machine import Card
from larouter.core.standing import standing
from larouter.web.local_rows import advice_row, local_row, machine_row
from tests.machines import a_machine
from tests.web.pages.fakes import shipped_catalog


def told(memory_gib=16, state="absent", **facts):
    """What the API would answer on such a machine."""
    now = standing(
        shipped_catalog(), a_machine(memory_gib, **facts), lambda _model: state, lambda _id: None
    )
    return {
        "machine": machine_row(now.machine),
        "recommended": advice_row(now.advice),
        "data": [{"id": row.model.id, **local_row(row)} for row in now.models],
    }


def test_the_models_are_listed_with_what_is_missing_and_what_fits(cli):
    lines = cli.lines("models", "list")

    rows = {line.split()[0]: line for line in lines if line}
    assert rows["smollm2-135m"].split()[1:3] == ["local", "ready"]
    assert "fits, 1.19 GB" in rows["smollm2-135m"]
    assert rows["gemma-4-e4b"].split()[1:3] == ["local", "not-downloaded"]
    assert rows["gemini-2.5-flash"].endswith("closes 2026-12-01")
    assert lines[-2].startswith("This machine: ")


def test_the_list_as_json_is_the_answer_of_the_api(alone):
    found = json.loads(alone.run("models", "list", "--json").stdout)

    assert {"date", "machine", "recommended", "data"} == set(found)


def test_a_set_is_recommended_for_this_machine(alone):
    first, second, *_ = alone.lines("models", "recommend")

    assert first.startswith("This machine: ")
    assert second.startswith("Recommended: ")
    found = json.loads(alone.run("models", "recommend", "--json").stdout)
    assert {"machine", "recommended"} == set(found)


def test_the_recommendation_adds_up_line_by_line():
    lines = list(advice_lines(told(64)))

    assert lines[1] == (
        "Recommended: Gemma 4 E2B, Gemma 4 E4B, Gemma 4 26B-A4B – 22.9 GB to download, 28.8 GB in "
        "memory."
    )
    start = lines.index("Gemma 4 E2B for HEARTBEAT (3.35 GB to download)")
    assert lines[start + 1] == "  weights            3.35 GB  the file gemma-4-E2B_q4_0-it.gguf"
    assert lines[start + 5] == "  together           4.43 GB"
    assert lines[start + 6].startswith("  tokens a second       13.2  predicted, at most: ")
    assert lines[-5] == (
        "Models may use 41.2 GB of the memory: 27.5 GB are left to everything else. They are laid "
        "out for 32,768 tokens and 8 requests at once."
    )
    assert lines[-4:] == [
        "Next:",
        "  larouter models download gemma-4-e2b",
        "  larouter models download gemma-4-e4b",
        "  larouter models download gemma-4-26b-a4b",
    ]


def test_a_shared_model_names_both_tiers_and_turns_are_said():
    lines = list(advice_lines(told(16)))

    assert lines[2].startswith("They take turns: ")
    assert "Gemma 4 E4B for HEARTBEAT and SIMPLE (5.15 GB to download)" in lines


def test_three_tiers_of_one_model_are_said_as_three():
    assert any("HEARTBEAT, SIMPLE and MODERATE" in line for line in advice_lines(told(8)))


def test_what_is_here_is_not_downloaded_again():
    lines = list(advice_lines(told(16, state="stopped")))

    assert "nothing to download" in lines[1]
    assert "Gemma 4 12B for MODERATE (is here)" in lines
    assert "Next:" not in lines


def test_without_a_speed_there_is_no_line_for_it():
    assert not any("tokens a second" in line for line in advice_lines(told(bytes_per_s=None)))


def test_where_nothing_fits_the_reason_is_a_sentence():
    _machine, none = advice_lines(told(4))

    assert none.startswith("Recommended: none. No downloadable model fits: ")
    assert none.endswith("everything else.")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {},
            "A processor, 4 cores, 16 GiB of memory, 12 free, 215 GB free on the disk.",
        ),
        ({"cores": 1, "disk_free_bytes": None}, "A processor, 1 core, 16 GiB of memory, 12 free."),
        ({"is_limited": True}, "16 GiB of memory (the container's limit), 12 free"),
        ({"processor": ""}, "This machine: x86_64, "),
        (
            {"cards": (Card(name="Apple GPU (Metal)", computes=True),)},
            "the disk, Apple GPU (Metal).",
        ),
        ({"cards": (Card(name="RTX 9"),)}, "RTX 9 (not used: the packaged engine computes on"),
    ],
)
def test_the_machine_is_one_line(facts, words):
    assert words in machine_line(machine_row(a_machine(16, **facts)))


def test_a_model_that_cannot_run_here_says_why(alone):
    row = told(64, has_avx2=False)["data"][0]

    assert "no AVX2" in row["fit"]["why"]

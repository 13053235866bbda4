"""Machine, models and recommendation as the API says them."""

from dataclasses import replace

from larouter.core.standing import standing
from larouter.web.local_rows import advice_row, local_row, machine_row
from tests.machines import a_machine
from tests.web.pages.fakes import shipped_catalog


def now(memory_gib=16, measured=None, **facts):
    return standing(
        shipped_catalog(),
        a_machine(memory_gib, **facts),
        lambda model: "ready" if model.id == "gemma-4-e4b" else "absent",
        (measured or {}).get,
    )


def row_of(found, name):
    return next(local_row(row) for row in found.models if row.model.id == name)


def test_the_machine_says_what_models_may_use():
    row = machine_row(now().machine)

    assert row["models_may_use_bytes"] + row["left_bytes"] == row["memory_bytes"]
    assert (row["avx2"], row["apple_silicon"], row["cards"]) == (True, False, [])


def test_a_model_says_its_files_its_fit_and_its_part():
    row = row_of(now(), "gemma-4-e4b")

    assert (row["state"], row["license"]) == ("ready", "Apache-2.0")
    assert row["file"]["bytes"] == 5_154_941_280
    assert row["projector"]["name"] == "gemma-4-E4B-it-mmproj.gguf"
    assert (row["fit"]["fits"], row["fit"]["context"], row["fit"]["slots"]) == (True, 32_768, 8)
    assert (row["recommended"], row["recommended_for"]) == (True, ["HEARTBEAT", "SIMPLE"])


def test_a_speed_says_whether_it_was_measured():
    assert row_of(now(), "gemma-4-12b")["speed"]["measured"] is False
    assert row_of(now(measured={"gemma-4-12b": 3.21}), "gemma-4-12b")["speed"] == {
        "tokens_per_s": 3.2,
        "measured": True,
        "how": "timed on this machine",
    }


def test_what_is_not_known_is_null():
    found = now(bytes_per_s=None)
    bare = next(row for row in found.models if row.model.id == "gemma-4-12b")

    row = local_row(replace(bare, model=replace(bare.model, file=None, mlx=None)))

    assert (row["speed"], row["file"], row["mlx"]) == (None, None, None)


def test_the_recommendation_counts_only_what_is_missing():
    row = advice_row(now().advice)

    assert [model["id"] for model in row["models"]] == ["gemma-4-e4b", "gemma-4-12b"]
    assert row["download_bytes"] == 6_975_879_296
    assert row["take_turns"] is True
    assert row["why"] is None


def test_nothing_recommended_says_why():
    row = advice_row(now(4).advice)

    assert (row["models"], row["context"]) == ([], None)
    assert row["why"]

"""Every local model with its state, its fit and its part in the recommended set."""

from larouter.core.standing import standing
from tests.machines import a_machine
from tests.web.pages.fakes import shipped_catalog


def stands(states=None, measured=None):
    found = standing(
        shipped_catalog(),
        a_machine(16),
        lambda model: (states or {}).get(model.id, "absent"),
        (measured or {}).get,
    )
    return found, {row.model.id: row for row in found.models}


def test_every_local_model_and_no_other_is_there():
    _, rows = stands()

    assert set(rows) == {
        "smollm2-135m", "gemma-4-e2b", "gemma-4-e4b", "gemma-4-12b", "gemma-4-26b-a4b",
    }  # fmt: skip


def test_a_row_tells_what_it_is_for_and_what_it_would_serve():
    found, rows = stands({"smollm2-135m": "ready"})

    assert rows["gemma-4-e2b"].wanted_by == ("HEARTBEAT",)
    assert rows["gemma-4-e2b"].serves == ()
    assert rows["gemma-4-e4b"].serves == ("HEARTBEAT", "SIMPLE")
    assert rows["smollm2-135m"].is_starter
    assert rows["smollm2-135m"].is_here
    assert not rows["gemma-4-12b"].is_here
    assert found.advice.take_turns


def test_what_is_here_counts_as_downloaded():
    found, _ = stands({"gemma-4-12b": "stopped"})

    assert found.advice.download_bytes == 5_154_941_280


def test_a_measured_speed_takes_the_place_of_the_prediction():
    _, rows = stands(measured={"gemma-4-e4b": 9.0})

    assert (rows["gemma-4-e4b"].speed.tokens_per_s, rows["gemma-4-e4b"].speed.is_measured) == (
        9.0, True,
    )  # fmt: skip
    assert not rows["gemma-4-12b"].speed.is_measured

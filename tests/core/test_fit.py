"""The arithmetic of what fits, line by line."""

from dataclasses import replace

import pytest

from larouter.core.fit import LOADS, Speed, fit, load_of, needs, size, speed
from larouter.core.shape import Load
from tests.machines import a_machine
from tests.web.pages.fakes import shipped_catalog

GB = 1_000_000_000


def model(name="gemma-4-e4b"):
    return shipped_catalog().models[name]


def speed_of(name, **facts):
    return speed(model(name), a_machine(**facts), lambda _id: None)


def test_the_summands_are_weights_context_windows_and_computing():
    lines = needs(model(), Load(context=32_768, slots=4), a_machine())

    found = {line.what: line.bytes for line in lines}
    assert found == {
        "weights": 5_154_941_280,
        "context": 4 * 4096 * 32_768,
        "windows": 20 * 2048 * 2304,  # four windows of 512 and a batch of 128, by 256
        "computing": 150_000_000 + 512 * 2**20 + 128 * 262_144 * 4,
    }
    assert "4 layers × 32,768 tokens × 4,096 bytes" in lines[1].how


def test_a_model_without_windows_has_no_line_for_them():
    lines = needs(model("smollm2-135m"), LOADS[0], a_machine())

    assert [line.what for line in lines] == ["weights", "context", "computing"]
    # Two conversations of the 8,192 tokens that it was trained for, not 32,768.
    assert "16,384 tokens" in lines[1].how


def test_the_starter_needs_no_less_than_was_measured_of_it():
    # Its engine held 545 MB when it was loaded, before a prompt: weights, context, the process.
    lines = {line.what: line.bytes for line in needs(model("smollm2-135m"), LOADS[0], a_machine())}

    assert 545e6 < lines["weights"] + lines["context"] + 150e6 < 1.2 * 545e6


def test_on_metal_batches_are_larger():
    assert load_of(model(), LOADS[0], a_machine(system="darwin")).batch == 512


def test_a_context_that_nobody_knows_is_not_bounded():
    assert load_of(replace(model(), context=None), LOADS[0], a_machine()).context == 32_768


def test_the_roomiest_load_that_fits_is_taken():
    roomy, tight = fit(model(), a_machine(32)), fit(model(), a_machine(10))

    assert (roomy.fits, roomy.load) == (True, LOADS[0])
    assert (tight.fits, tight.load) == (True, LOADS[2])
    assert roomy.needs == sum(line.bytes for line in roomy.lines) <= roomy.may_use


def test_what_does_not_fit_says_by_how_much():
    found = fit(model("gemma-4-26b-a4b"), a_machine(16))

    assert found.fits is False
    assert found.load == LOADS[-1]
    assert found.why == "needs 15.7 GB of the 10.3 GB that models may use: it does not fit"


def test_without_avx2_nothing_fits_and_it_is_said_what_helps():
    found = fit(model(), a_machine(64, has_avx2=False))

    assert (found.fits, found.needs) == (False, None)
    assert "no AVX2" in found.why
    assert "Ollama" in found.why


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"file": None}, "how large its file is"), ({"shape": None}, "how many layers it has")],
)
def test_what_nobody_has_read_is_not_guessed(changes, words):
    found = fit(replace(model(), **changes), a_machine())

    assert found.fits is None
    assert found.why.startswith("unknown")
    assert words in found.why


def test_a_prediction_is_memory_speed_by_what_a_token_reads():
    dense = speed_of("gemma-4-12b", bytes_per_s=70 * GB)
    experts = speed_of("gemma-4-26b-a4b", bytes_per_s=70 * GB)

    assert dense.tokens_per_s == pytest.approx(70e9 / 6_975_879_296)
    assert experts.tokens_per_s == pytest.approx(70e9 / (14_439_363_584 * 3.8 / 25.2))
    assert not dense.is_measured
    assert dense.how.startswith("predicted, at most: memory moves 70.0 GB a second")


def test_a_timed_model_is_not_predicted():
    timed = speed(model(), a_machine(), {"gemma-4-e4b": 7.5}.get)

    assert timed == Speed(tokens_per_s=7.5, is_measured=True, how="timed on this machine")


@pytest.mark.parametrize("missing", ["speed", "shape", "file", "parameters"])
def test_without_its_facts_there_is_no_prediction(missing):
    here, known = a_machine(bytes_per_s=None if missing == "speed" else GB), model()
    if missing == "parameters":
        known = replace(known, shape=replace(known.shape, active_parameters=None))
    elif missing != "speed":
        known = replace(known, **{missing: None})

    assert speed(known, here, lambda _id: None) is None


@pytest.mark.parametrize(
    ("count", "words"),
    [(512_000, "512 kB"), (98_362_432, "98 MB"), (3_349_516_256, "3.35 GB"), (14.4e9, "14.4 GB")],
)
def test_sizes_are_said_as_files_are_sold(count, words):
    assert size(int(count)) == words

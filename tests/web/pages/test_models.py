"""The page of local models: what is recommended, how each fits, and what it never claims."""

import re

import pytest

from larouter.core.fit import LOADS, needs
from larouter.core.machine import GIB, Card
from larouter.web.pages.models import bar_of
from tests.machines import a_machine
from tests.web.pages.fakes import ADMIN_KEY, FakeServices, an_app, shipped_catalog


def page_of(**facts):
    client = an_app(FakeServices(**facts)).test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    return client.get("/models").text


def text_of(html):
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def tile_of(page, name):
    return text_of(page.split(f'id="model-{name}"')[1].split("</section>")[0])


def test_without_a_session_one_signs_in_first():
    client = an_app(FakeServices()).test_client()

    assert "Sign in" in client.get("/models").text
    asked = client.get("/models", headers={"HX-Request": "true"})
    assert asked.headers["HX-Redirect"] == "/sign-in"


def test_this_machine_and_its_set_are_told():
    page = text_of(page_of())

    assert "A processor, 4 cores, 16 GiB of memory, 215 GB free on the disk" in page
    assert "Heartbeat Simple Gemma 4 E4B 5.15 GB to download, 6.61 GB in memory" in page
    assert "12.1 GB to download, 9.76 GB in memory at a time: they take turns" in page
    assert "Models may use 10.3 GB; 6.87 GB are left to everything else." in page


def test_what_is_here_need_not_be_downloaded():
    page = text_of(page_of(states={"gemma-4-e4b": "stopped", "gemma-4-12b": "ready"}))

    assert "Nothing to download" in page


def test_nothing_recommended_says_why():
    assert "None: no downloadable model fits" in text_of(page_of(machine=a_machine(4)))


def test_a_model_says_what_it_is_for_and_how_it_fits():
    page = page_of()

    assert (
        "Gemma 4 12B Recommended not downloaded Moderate Conversation, summaries Fits 9.76 GB of "
        "the 10.3 GB that models may use"
    ) in tile_of(page, "gemma-4-12b")
    assert "Does not fit 15.7 GB of the 10.3 GB" in tile_of(page, "gemma-4-26b-a4b")
    assert "Answers where nothing else is there" in tile_of(page, "smollm2-135m")


def test_the_arithmetic_stands_in_each_card():
    tile = tile_of(page_of(), "gemma-4-e4b")

    assert "Weights 5.15 GB the file gemma-4-E4B_q4_0-it.gguf" in tile
    assert "Together 6.69 GB" in tile


def test_a_prediction_is_said_to_be_one_and_a_measured_speed_too():
    page = page_of(timed={"gemma-4-e4b": 8.4})

    assert "8.4 tokens a second, measured" in tile_of(page, "gemma-4-e4b")
    assert "At most about 13 tokens a second, predicted" in tile_of(page, "gemma-4-e2b")
    assert "tokens a second" not in text_of(page_of(machine=a_machine(bytes_per_s=None)))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("loading", "loading"),
        ("crashed", "its engine has stopped"),
        ("quarantined", "keeps stopping, left alone"),
        ("unheard-of", "unheard-of"),
    ],
)
def test_a_state_is_said_in_words(state, words):
    assert words in tile_of(page_of(states={"gemma-4-e2b": state}), "gemma-4-e2b")


def test_a_processor_that_cannot_run_the_engine_has_no_bars():
    page = page_of(machine=a_machine(64, has_avx2=False))

    assert "no AVX2" in text_of(page)
    assert '<svg class="memory"' not in page


def test_a_card_that_is_not_used_is_named_with_what_would_use_it():
    page = text_of(page_of(machine=a_machine(cards=(Card(name="RTX 9"),))))

    assert "RTX 9 is not used" in page
    assert "not used" not in text_of(
        page_of(machine=a_machine(cards=(Card(name="Apple GPU", computes=True),)))
    )


def test_the_bar_is_as_long_as_the_larger_of_need_and_room():
    lines = needs(shipped_catalog().models["gemma-4-e4b"], LOADS[0], a_machine())

    roomy, tight = bar_of(lines, 64 * GIB), bar_of(lines, 3 * GIB)

    assert roomy.limit == 100
    assert tight.limit == pytest.approx(48.1, abs=0.1)
    assert sum(part.wide for part in tight.parts) == pytest.approx(100, abs=0.05)
    assert [part.what for part in roomy.parts] == ["weights", "context", "windows", "computing"]

"""What can be counted."""

import pytest

from larouter.classify.learned.scalars import NAMES, scalars
from larouter.classify.learned.text import read
from larouter.classify.learned.wish import Parted
from larouter.classify.question import Asked
from tests.classify.learned.weights import CLASSES


def of(text, matter="", **rest):
    asked = Asked(text + matter, **({"length": len(text + matter)} | rest))
    parted = Parted(text, matter)
    return dict(zip(NAMES, scalars(asked, parted, read(text, CLASSES)), strict=True))


def test_a_question():
    found = of("How many are 12 and 30?")

    assert found["asks"]
    assert found["numbers"] == pytest.approx(0.2)
    assert found["capital"]
    assert (found["under_12"], found["under_25"]) == (False, True)


def test_other_languages_ask_too():
    assert of("これは何ですか\N{FULLWIDTH QUESTION MARK}")["asks"]
    assert of("ما هذا؟")["asks"]


def test_code():
    found = of("```python\nx = {1: 2}\n```")

    assert found["has_code"]
    assert found["signs_of_code"] > 0.1


def test_the_whole_length_counts_not_what_was_kept():
    assert of("short", length=5_000)["length"] > of("short")["length"]


def test_a_conversation():
    found = of("why?", turns=4, before="fix it", answer="```\ndone\n```", system="Be brief.")

    assert found["has_context"]
    assert found["has_system"]
    assert found["code_before"]


def test_nothing():
    assert of("")["length"] == 0
    assert of("")["not_ascii"] == 0


def test_letters_of_other_scripts():
    assert of("東京")["ideographs"] == 1
    assert of("naïve")["not_ascii"] == pytest.approx(0.2)


def test_what_a_wish_is_about_is_counted_apart():
    found = of("How many rows?", matter="\na;b\n1;2")

    assert found["asks"]
    assert found["numbers"] == 0
    assert found["has_matter"]
    assert found["digits_in_matter"] == pytest.approx(2 / 8)
    assert found["code_in_matter"] == pytest.approx(2 / 8)
    assert (found["under_12"], found["wish_under_25"]) == (False, True)

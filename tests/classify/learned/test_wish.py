"""The wish apart from what it is about."""

import numpy as np
import pytest

from larouter.classify.learned.wish import (
    BITS,
    NOTHING,
    SHORT,
    Parted,
    either_end,
    marks,
    parted,
    place,
    sentences,
)
from larouter.config import folder

LETTER = (
    "Dear Ms Lund, thank you for your letter of the 3rd. The lift will be repaired on Thursday. "
    "The technician needs access to the roof. Please leave the key with the caretaker. "
    "The water will be off from 9 to 12. Kind regards, Harbour Housing"
)


def knowing(*words):
    """A table for which these words alone are wanted; everything else speaks a little against."""
    table = bytearray([NOTHING - 1] * (1 << BITS))
    for word in words:
        table[place(word)] = 255
    return bytes(table)


SHIPPED = np.load(folder("data") / "learned.npz")["wishes"].tobytes()


def test_what_is_short_is_all_wish():
    assert parted("x" * SHORT, knowing()) == Parted("x" * SHORT, "")


def test_a_sentence_that_is_wanted_is_the_wish():
    assert parted(f"{LETTER}\n\nwhen is the lift mended", knowing("mended")) == Parted(
        "when is the lift mended", LETTER
    )


def test_wishes_at_both_ends_are_one():
    found = parted(f"translate this: {LETTER}\ninto polish", knowing("translate", "polish"))

    assert found == Parted("translate this:\ninto polish", LETTER)


def test_a_little_doubt_at_the_other_end_is_no_second_wish():
    table = bytearray(knowing("fix"))
    table[place("roof")] = NOTHING + 40

    found = parted(f"The roof leaks. {LETTER}\nfix it", bytes(table))

    assert found == Parted("fix it", f"The roof leaks. {LETTER}")


def test_neighbours_stay_together():
    found = parted(f"hi. fix it. now please\n{LETTER}", knowing("hi", "fix", "now"))

    assert found.wish == "hi. fix it. now please"


def test_without_a_wish_the_whole_is_one():
    assert parted(LETTER, knowing()) == Parted(LETTER, "")


def test_when_all_is_wanted_nothing_is_matter():
    text = "do this. " * 3 + "x" * SHORT

    assert parted(text, bytes([255] * (1 << BITS))) == Parted(text, "")


def test_the_middle_is_not_looked_at():
    text = f"{LETTER} fix it. {LETTER}"

    assert parted(text, knowing("fix")) == Parted(text, "")
    assert either_end(20) == frozenset({0, 1, 2, 17, 18, 19})
    assert either_end(3) == frozenset({0, 1, 2})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two? Three", ["One.", "Two?", "Three"]),
        ("a\n\n  b\n", ["a", "b"]),
        ("これは何?。猫です。はい", ["これは何?。", "猫です。", "はい"]),
        ("3.14 is a number", ["3.14 is a number"]),
        ("", []),
        ("\n\n", []),
    ],
)
def test_sentences(text, found):
    assert [text[begin:end] for begin, end in sentences(text)] == found


def marks_of(text, at=0):
    return set(marks(text, sentences(text), at))


def test_words_are_marks_by_themselves_and_in_pairs():
    found = marks_of('Translate "this" now!')

    assert {"translate", "^ translate", "translate this", "now", "now $", "bA"} <= found


def test_of_a_long_sentence_both_ends_are_marks():
    found = marks_of(" ".join(f"w{at}" for at in range(40)))

    assert {"w0", "w7", "w36", "w39"} <= found
    assert not {"w8", "w35"} & found


def test_where_words_are_not_set_apart_letters_are():
    assert {"翻訳", "訳して"} <= marks_of("この文章を英語に翻訳してください")


@pytest.mark.parametrize(
    ("text", "at", "gaps"),
    [
        ("Sum it up:\n\nText. More.", 0, "g^2"),
        ("Sum it up:\n\nText. More.", 1, "g20"),
        ("Text. More.\nWhy?", 2, "g1$"),
        ("Why?", 0, "g^$"),
    ],
)
def test_what_parts_a_sentence_from_its_neighbours_is_a_mark(text, at, gaps):
    assert gaps in marks_of(text, at)


@pytest.mark.parametrize(
    ("wish", "is_first"),
    [
        ("When will the lift be repaired?", True),
        ("who do i give the key to", False),
        ("Fass das bitte in zwei Sätzen zusammen:", True),
        ("traduce esto al español por favor", False),
    ],
)
def test_the_shipped_table_finds_wishes(wish, is_first):
    text = f"{wish}\n\n{LETTER}" if is_first else f"{LETTER}\n\n{wish}"

    found = parted(text, SHIPPED)

    assert wish in found.wish
    assert "roof" in found.matter

"""A text as numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from larouter.classify.learned.text import MOST, NOWHERE, SPACE, mixed, read
from tests.classify.learned.weights import CLASSES


def words_of(text):
    read_text = read(text, CLASSES)
    starts, ends = read_text.starts, read_text.ends
    # What stands there is told by its place in the text as it is read: spaces run together.
    plain = " " + " ".join(text.lower().split()) + " "
    return [plain[start:end] for start, end in zip(starts, ends, strict=True)]


def test_words_are_letters_and_digits_and_each_sign_is_one():
    assert words_of("Hello,  World!! x1") == ["hello", ",", "world", "!", "!", "x1"]


def test_an_ideograph_is_a_word():
    assert words_of("東京 is") == ["東", "京", "is"]


def test_an_emoji_is_a_sign():
    assert words_of("ok 🎉🎉") == ["ok", "🎉", "🎉"]


def test_digits_are_alike_and_case_is_nothing():
    assert np.array_equal(read("Room 101", CLASSES).sums, read("rOOM 999", CLASSES).sums)


def test_nothing_is_two_spaces():
    text = read("", CLASSES)

    assert text.classes.tolist() == [SPACE, SPACE]
    assert text.starts.tolist() == []
    assert len(text.windows(5)) == 0


def test_spaces_at_the_ends_are_nothing():
    assert np.array_equal(read(" \n ok  ", CLASSES).sums, read("ok", CLASSES).sums)
    assert np.array_equal(read("  ", CLASSES).sums, read("", CLASSES).sums)


def test_a_long_text_is_cut():
    assert len(read("a" * 10 * MOST, CLASSES).classes) <= MOST


@given(st.text(max_size=80), st.text(min_size=1, max_size=12), st.text(max_size=80))
def test_the_same_stretch_has_the_same_hash_wherever_it_stands(before, stretch, after):
    alone, within = read(f"x{stretch}x", CLASSES), read(f"{before} x{stretch}x {after}", CLASSES)
    size = len(alone.classes) - 2

    assert alone.windows(size, 1, 1 + size)[0] in within.windows(size)


@given(st.text(max_size=300))
def test_no_text_is_too_odd(text):
    read_text = read(text, CLASSES)
    starts, ends = read_text.starts, read_text.ends

    assert (starts < ends).all()
    assert (read_text.classes[starts] != SPACE).all()


def test_bits_are_well_mixed():
    spread = mixed(np.arange(100_000, dtype=np.uint64), np.array([1], np.uint64), 10)

    assert spread.min() == 0
    assert spread.max() == 1023
    assert np.bincount(spread).std() < 15  # of about 98 in each


def test_another_seed_gives_other_bits():
    hashes = np.arange(1_000, dtype=np.uint64)

    first, second = (mixed(hashes, np.array([seed], np.uint64), 18) for seed in (1, 2))

    assert (first == second).mean() < 0.01


def test_all_stretches_at_once_are_the_windows_of_each_length():
    text = read("some words here", CLASSES)
    rows = text.stretches(4, 1, 9)

    for size in (1, 2, 3, 4):
        windows = text.windows(size, 1, 9)
        assert rows[4 - size].tolist() == windows.tolist() + [int(NOWHERE)] * (size - 1)

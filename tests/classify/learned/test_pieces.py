"""A text as pieces of words."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from larouter.classify.learned.pieces import Pieces, slots
from larouter.classify.learned.text import read
from tests.classify.learned.weights import CLASSES, key

NAMES = (" hello", " wor", "ld", " w", "o", " world", "東京", "京")
PIECES = Pieces(np.array([key(name) for name in NAMES], np.uint64))


def of(text, most=64):
    return [NAMES[number] for number in PIECES.of(read(text, CLASSES), most)]


def test_the_longest_piece_is_taken():
    assert of("Hello world") == [" hello", " world"]


def test_what_no_piece_knows_is_left_out():
    assert of("hello zzz world") == [" hello", " world"]


def test_a_piece_with_a_space_begins_a_word():
    assert of("sworld") == ["o", "ld"]


def test_without_spaces_too():
    assert of("東京京") == ["東京", "京"]


def test_of_a_long_text_both_ends_are_looked_at():
    assert of("hello " * 20 + "world " * 20, most=8) == [" hello"] * 5 + [" world"] * 3


def test_of_a_very_long_text_only_the_ends_are_read():
    assert of("hello " * 20 + "w" * 500 + " world" * 20, most=8) == [" hello"] * 5 + [" world"] * 3
    assert of("o" * 500, most=8) == ["o"] * 8


def test_nothing():
    assert of("") == []


@given(st.text(max_size=200))
def test_no_text_is_too_odd(text):
    assert len(PIECES.of(read(text, CLASSES), 64)) <= 64


def test_of_two_pieces_at_one_slot_the_commoner_one_stays():
    random = np.random.default_rng(0)
    keys = random.integers(1, 2**63, 5_000).astype(np.uint64)
    places = slots(keys)
    first, second = next(
        (a, int(b))
        for a in range(len(keys))
        if len(b_ := np.flatnonzero(places[a + 1 :] == places[a])) and (b := b_[0] + a + 1)
    )
    pieces = Pieces(keys)

    assert pieces._at[places[first]] == first
    assert pieces._at[places[second]] == first

"""The n-grams of a text."""

import numpy as np

from larouter.classify.learned.grams import BITS, letter_grams, word_grams
from larouter.classify.learned.text import read
from tests.classify.learned.weights import CLASSES


def words(text, family=0, most=150):
    return word_grams(read(text, CLASSES), family, most)


def letters(text, family=0, most=400, sizes=(2, 3)):
    return letter_grams(read(text, CLASSES), family, most, sizes)


def test_buckets_are_in_their_range():
    found = np.concatenate((words("one two three four"), letters("one two three four")))

    assert found.min() >= 0
    assert found.max() < 1 << BITS


def test_how_many_there_are_of_four_words():
    # 4 alone, 5 pairs with the edges, 3 + 3 placed, 2 with one left out, 2 threes.
    assert len(words("one two three four")) == 19


def test_of_one_word_and_of_none():
    assert len(words("one")) == 1 + 2 + 1 + 1
    assert len(words("")) == 1  # the pair of the edges


def test_the_order_of_words_counts():
    assert set(words("dog bites man")) != set(words("man bites dog"))


def test_families_are_apart():
    assert set(words("one two three")).isdisjoint(words("one two three", family=100))


def test_the_middle_of_a_long_text_is_left_out():
    start, end = "first " * 20, "last " * 20
    short = set(words(start + end, most=12)) - set(words(start + "middle " * 50 + end, most=12))

    assert short == set()


def test_letters_know_a_word_in_another_form():
    same = set(letters("translating")) & set(letters("translated"))

    assert len(same) > len(set(letters("translated"))) / 2


def test_letters_of_a_long_text_come_from_both_ends():
    some = letters("start" + "x" * 500 + "finish", most=30)

    assert set(letters("start")[:3]) & set(some)
    assert letters("finish", sizes=(3,))[2] in some

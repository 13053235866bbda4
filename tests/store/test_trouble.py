"""Trouble with the books or the disk, in sentences."""

import pytest

from larouter.store.trouble import trouble_words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ((False, 0, []), []),
        ((True, 0, []), ["cannot write to its database"]),
        ((False, 1, []), ["of 1 answer are kept aside"]),
        ((False, 1200, []), ["1,200 answers"]),
        ((True, 3, ["x"]), ["cannot write", "3 answers", "do not add up"]),
    ],
)
def test_each_trouble_is_a_sentence(state, words):
    found = trouble_words(*state)

    assert len(found) == len(words)
    for sentence, part in zip(found, words, strict=True):
        assert part in sentence

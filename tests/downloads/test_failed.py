"""Sizes in words."""

import pytest

from larouter.downloads.failed import shown_bytes, too_little_room


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 MB"), (98_362_432, "98 MB"), (999_000_000, "999 MB"), (3_349_516_256, "3.3 GB")],
)
def test_a_size_as_people_say_it(count, words):
    assert shown_bytes(count) == words


def test_too_little_room_has_both_figures():
    assert "2.0 GB left, and 5.0 GB" in too_little_room(5_000_000_000, 2_000_000_000).message

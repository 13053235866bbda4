"""Room on the disk, for this download and for all that is still to come."""

import pytest

from larouter.core.errors import DiskFull
from larouter.downloads.room import check_room
from tests.downloads.conftest import order_for, piece_of

BIG = order_for(piece_of(bytes=8_000_000_000))
OTHER = order_for(piece_of(name="b.gguf", bytes=3_000_000_000), order_id="b")


def test_what_fits_passes(orders):
    check_room(orders, BIG, lambda folder: 8_600_000_000, 500_000_000)


def test_what_has_arrived_needs_no_more_room(orders):
    with orders.part("model.gguf").open("wb") as file:
        file.truncate(7_000_000_000)

    check_room(orders, BIG, lambda folder: 1_600_000_000, 500_000_000)


def test_what_does_not_fit_is_said_in_figures(orders):
    with pytest.raises(DiskFull) as caught:
        check_room(orders, BIG, lambda folder: 8_400_000_000, 500_000_000)

    assert caught.value.message == (
        "Some model needs 8.0 GB more, and 500 MB stay free for everything else, but the disk has "
        "8.4 GB left. Make room, or choose a smaller model."
    )


def test_what_others_are_still_to_bring_is_counted(orders):
    orders.change("b", lambda before: OTHER)

    with pytest.raises(DiskFull, match=r"other downloads 3\.0 GB"):
        check_room(orders, BIG, lambda folder: 10_000_000_000, 0)


def test_what_is_paused_is_not_counted(orders):
    orders.change("b", lambda before: order_for(*OTHER.files, order_id="b", state="paused"))

    check_room(orders, BIG, lambda folder: 8_500_000_000, 0)

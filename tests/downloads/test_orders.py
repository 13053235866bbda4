"""The small files of the queue: written whole, found again, and gone when they are dropped."""

import threading

import msgspec
import pytest

from larouter.core.errors import Unavailable
from larouter.downloads.orders import Orders
from tests.downloads.conftest import DATA, NAME, order_for, piece_of


def test_an_order_is_found_again(orders):
    orders.change("some-model", lambda before: order_for(made_ms=2))
    other = order_for(piece_of(name="x.gguf"), order_id="first", made_ms=1)
    orders.change("first", lambda before: other)

    assert [order.id for order in Orders(orders.models).all()] == ["first", "some-model"]
    assert orders.get("first") == other
    assert orders.get("nobody") is None


def test_none_leaves_it_as_it_is(orders):
    orders.change("some-model", lambda before: order_for())

    assert orders.change("some-model", lambda before: None) is None
    assert orders.get("some-model") == order_for()


def test_changes_of_several_writers_are_made_one_after_the_other(orders):
    orders.change("some-model", lambda before: order_for())

    def count():
        for _ in range(20):
            orders.change(
                "some-model",
                lambda before: msgspec.structs.replace(before, made_ms=before.made_ms + 1),
            )

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert orders.get("some-model").made_ms == 80


def test_a_file_of_another_version_is_passed_over(orders):
    (orders.folder / "x.order.json").write_text('{"id": 5}')

    assert orders.all() == []


def test_a_dropped_order_leaves_nothing(orders):
    order = order_for()
    orders.change("some-model", lambda before: order)
    for path in (orders.part(NAME), orders.state(NAME), orders.lock("some-model")):
        path.write_bytes(b"x")

    orders.drop(order)

    assert [path.name for path in orders.folder.iterdir()] == ["orders.lock"]


def test_what_has_arrived_is_counted(orders):
    order = order_for(piece_of(), piece_of(b"1234", "second.gguf"))
    (orders.models / NAME).write_bytes(DATA)
    orders.part("second.gguf").write_bytes(b"12")

    assert orders.arrived(order) == len(DATA) + 2
    assert orders.left([order]) == 2
    assert orders.are_whole(order) is False


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "downloads").symlink_to(tmp_path)

    with pytest.raises(Unavailable, match="symbolic link"):
        Orders(tmp_path / "models").prepare()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "models").write_text("a file")

    with pytest.raises(Unavailable, match="cannot be written"):
        Orders(tmp_path / "models").prepare()


def test_progress_is_told_to_other_processes(orders):
    assert orders.told() == {}
    orders.tell({"some-model": {"done": 5}})

    assert orders.told() == {"some-model": {"done": 5}}
    (orders.folder / "progress.json").write_text("[]")
    assert orders.told() == {}

"""The file that grows: nothing but a plain file of our own, never over another one."""

import os
import subprocess

import pytest

from larouter.downloads.failed import Failed
from larouter.downloads.part import Part, put_in_place
from tests.downloads.conftest import DATA, NAME, piece_of


def refused(house, code="disk_unwritable"):
    with pytest.raises(Failed) as caught:
        house.part_of(piece_of())
    assert caught.value.code == code
    return caught.value.message


def test_a_symbolic_link_is_not_written_through(house, orders, tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"mine")
    orders.part(NAME).symlink_to(tmp_path / "elsewhere")

    assert "is no plain file" in refused(house)
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"


def test_a_hard_link_is_not_written_through(house, orders, tmp_path):
    (tmp_path / "elsewhere").write_bytes(b"mine")
    orders.part(NAME).hardlink_to(tmp_path / "elsewhere")

    assert "is no plain file" in refused(house)


def test_a_pipe_is_no_part(house, orders):
    os.mkfifo(orders.part(NAME))

    assert "is no plain file" in refused(house)


def test_a_folder_that_is_gone_is_said(house, orders):
    orders.folder.rmdir()

    assert "cannot be written" in refused(house)


def test_more_than_the_whole_is_refused(house):
    part = house.part_of(piece_of(b"12345"))
    part.resume(lambda size: None)
    part.write(b"1234")

    with pytest.raises(Failed, match="longer than it should be"):
        part.write(b"56")
    part.close()


def test_room_is_looked_at_while_it_grows(house, orders):
    """Others write to the same disk."""
    left = [10**9]
    part = house.part_of(piece_of(bytes=200_000_000))
    part._free = lambda folder: left[0]
    part.resume(lambda size: None)
    part.check_room()
    part.write(bytes(1_000_000))
    left[0] = 5_000_000

    def fill():
        for _ in range(100):
            part.write(bytes(1_000_000))

    with pytest.raises(Failed, match=r"has 5 MB left, and 1\d\d MB are needed") as caught:
        fill()
    part.close()

    assert caught.value.code == "disk_full"
    assert 60_000_000 < orders.part(NAME).stat().st_size < 70_000_000


def test_a_part_is_only_readable_by_its_owner(house, orders):
    house.part_of(piece_of()).close()

    assert orders.part(NAME).stat().st_mode & 0o777 == 0o600


def test_it_is_put_in_place_in_one_step(orders, tmp_path):
    orders.part(NAME).write_bytes(DATA)

    put_in_place(orders.part(NAME), orders.models / NAME)

    assert (orders.models / NAME).read_bytes() == DATA
    assert not orders.part(NAME).exists()
    assert (orders.models / NAME).stat().st_nlink == 1


@pytest.mark.parametrize("kind", ["file", "link"])
def test_nothing_is_put_over_another_file(orders, tmp_path, kind):
    orders.part(NAME).write_bytes(DATA)
    if kind == "file":
        (orders.models / NAME).write_bytes(b"mine")
    else:
        (orders.models / NAME).symlink_to(tmp_path / "nowhere")

    with pytest.raises(Failed) as caught:
        put_in_place(orders.part(NAME), orders.models / NAME)

    assert caught.value.code == "file_exists"
    assert orders.part(NAME).exists()


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 2 MB."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_fills_up_all_the_same_keeps_what_has_arrived(small_disk):
    """The look at the free space was too good: what was written counts, and goes on later."""
    data = bytes(range(256)) * 12_000
    piece = piece_of(data)
    place = small_disk / f"{NAME}.part", small_disk / f"{NAME}.part.json"
    part = Part(*place, piece, free=lambda folder: 10**12, reserve=0)
    part.resume(lambda size: None)

    def fill():
        for at in range(0, len(data), 300_000):
            part.write(data[at : at + 300_000])

    with pytest.raises(Failed) as caught:
        fill()
    written = part.size
    part.close()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    part = Part(*place, piece, free=lambda folder: 10**12, reserve=0)
    part.resume(lambda size: None)
    part.write(data[part.size :])

    assert caught.value.code == "disk_full"
    assert 1_000_000 < written < 2_097_152
    assert part.is_right()
    part.close()

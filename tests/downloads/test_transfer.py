"""A file comes whole and right, or not at all, whatever the hub and the network do."""

import socket

import pytest

from larouter.downloads.failed import Failed
from larouter.downloads.transfer import TRIES
from tests.downloads.conftest import DATA, NAME, REPO, piece_of


def interrupted(house, hub, at=1_000_000):
    """A part that another process has left after `at` bytes."""
    part = house.part_of(piece_of())
    part.resume(lambda size: None)
    part.know_as(hub.repos[REPO].files[NAME].etag)
    part.write(DATA[:at])
    part.close()


def ranges(hub):
    return [one.headers.get("Range") for one in hub.fetches()]


def test_a_file_comes_whole(house, hub):
    assert house.fill() == DATA
    assert hub.sent() == len(DATA)
    assert house.heard.bytes[-1] == ("fetching", len(DATA))


def test_what_another_process_left_is_gone_on_with(house, hub):
    interrupted(house, hub)

    assert house.fill() == DATA
    assert ranges(hub) == ["bytes=1000000-"]
    assert hub.sent() == len(DATA) - 1_000_000
    assert ("checking", 1_000_000) in house.heard.bytes


def test_a_whole_part_needs_no_request(house, hub):
    interrupted(house, hub, len(DATA))

    assert house.fill() == DATA
    assert hub.asked == []


def test_a_cut_connection_is_gone_on_with(house, hub):
    hub.will("cut", "cut")

    assert house.fill() == DATA
    assert ranges(hub) == [None, "bytes=1500000-", "bytes=2250000-"]
    assert hub.sent() == len(DATA)


def test_a_stalled_connection_is_given_up(house, hub):
    hub.will("stall")

    assert house.fill(stalled_s=0.3) == DATA
    assert ranges(hub) == [None, "bytes=1500000-"]


def test_a_server_without_ranges_starts_anew(house, hub):
    hub.will("cut", "no-range")

    assert house.fill() == DATA
    assert hub.sent() == len(DATA) * 3 // 2


def test_bytes_of_two_revisions_are_never_mixed(house, hub):
    interrupted(house, hub)
    before = hub.repos[REPO].files[NAME].etag
    hub.repos[REPO].files[NAME].etag = '"another"'

    assert house.fill() == DATA
    assert [one.headers["If-Range"] for one in hub.fetches()] == [before]
    assert hub.sent() == len(DATA)


def test_a_part_of_another_file_is_not_gone_on_with(house, hub):
    interrupted(house, hub)
    other = DATA[::-1]
    hub.put(REPO, NAME, other)

    assert house.fill(piece_of(other)) == other
    assert ranges(hub) == [None]


@pytest.mark.parametrize(
    ("behaviour", "said"), [("corrupt", "SHA-256 differs"), ("wrong-size", "another size")]
)
def test_what_is_not_the_file_is_not_kept(house, hub, behaviour, said):
    hub.always = behaviour

    with pytest.raises(Failed, match=said) as caught:
        house.fill()

    assert caught.value.code == "wrong_file"
    assert house.orders.part(NAME).read_bytes() == b""


def test_a_damaged_part_is_fetched_again_before_the_hub_is_blamed(house, hub):
    """As a power cut leaves it: of the right length, with a hole."""
    interrupted(house, hub)
    with house.orders.part(NAME).open("r+b") as file:
        file.seek(500_000)
        file.write(bytes(1000))

    assert house.fill() == DATA
    assert ranges(hub) == ["bytes=1000000-", None]


def test_a_part_that_is_too_long_begins_anew(house, hub):
    interrupted(house, hub)
    with house.orders.part(NAME).open("ab") as file:
        file.write(bytes(len(DATA)))

    assert house.fill() == DATA


def test_a_busy_hub_is_asked_again_when_it_said(house, hub):
    hub.will((429, {"Retry_After": "7"}), (503, {}))

    assert house.fill() == DATA
    assert house.slept[0] == 7.0
    assert house.heard.waits[0] == ("127.0.0.1 wants us to wait", 7.0)
    assert 0.5 <= house.slept[1] <= 4.0


def test_a_hub_that_fails_for_long_is_given_up(house, hub):
    hub.always = 500

    with pytest.raises(Failed, match=r"answers 500\. Resume it later") as caught:
        house.fill()

    assert caught.value.code == "hub_failing"
    assert len(hub.asked) == TRIES


def test_as_long_as_bytes_come_it_is_not_given_up(house, hub):
    hub.will(*["cut"] * (TRIES + 5))

    assert house.fill() == DATA
    assert hub.sent() == len(DATA)


def test_no_network_is_waited_out(house, hub):
    """Longer than a server's faults are: a laptop sleeps for a night."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        naps = []

        class Morning(Exception):
            pass

        def sleep(seconds):
            naps.append(seconds)
            if len(naps) == 3 * TRIES:
                raise Morning

        with pytest.raises(Morning):
            house.fill(endpoint=closed, sleep=sleep)

    assert max(naps) <= 60.0


def test_too_little_room_is_said_before_a_byte_is_fetched(house, hub):
    with pytest.raises(Failed, match="has 2 MB left, and 3 MB are needed") as caught:
        house.fill(free=2_000_000)

    assert caught.value.code == "disk_full"
    assert hub.asked == []

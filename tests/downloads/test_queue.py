"""The queue with real workers: at once, in turn, paused, cancelled, killed, and gone on with."""

import psutil
import pytest

from larouter.core.errors import Conflict, DiskFull, NotFound
from larouter.downloads.queue import Downloads
from tests.downloads.conftest import DATA, NAME, REPO, order_for, piece_of
from tests.downloads.downloading import ended, going, place_at, until
from tests.hub import COMMIT

RATE = 4_000_000
"""Bytes a second: slow enough to be caught in the act."""


@pytest.fixture
def make(hub, tmp_path):
    """Make the downloads of one folder; they are closed at the end of the test."""
    made = []

    def build(*, facts=None, **options):
        made.append(Downloads(place_at(hub, tmp_path, **(facts or {})), **options))
        return made[-1]

    yield build
    for downloads in made:
        downloads.close()


@pytest.fixture
def downloads(make):
    return make()


@pytest.fixture
def slow(hub):
    hub.rate = RATE
    return hub


def put(hub, number, size=1_000_000):
    """A further file; return the order for it."""
    data = bytes([number]) * size
    hub.put(REPO, f"{number}.gguf", data)
    return order_for(piece_of(data, f"{number}.gguf"), order_id=f"model-{number}", made_ms=number)


def worker(downloads, order_id="some-model"):
    return psutil.Process(downloads._runs[order_id].process.pid)


def test_a_model_comes_into_its_place(downloads, tmp_path):
    first = downloads.start(order_for())

    row = ended(downloads)

    assert first.state in {"queued", "running"}
    assert (row.state, row.bytes_done, row.bytes_total) == ("done", len(DATA), len(DATA))
    assert row.pinned is True
    assert (tmp_path / "models" / NAME).read_bytes() == DATA
    assert not list((tmp_path / "models" / "downloads").glob("*.part*"))


def test_what_the_catalogue_does_not_pin_is_what_the_hub_says(downloads, hub, tmp_path):
    unknown = piece_of(bytes=None, sha256=None, pinned=False, revision="main")

    downloads.start(order_for(unknown))
    row = ended(downloads)

    file = row.files[0]
    assert row.state == "done", row
    assert (row.pinned, file.pinned) == (False, False)
    assert (file.bytes, file.revision) == (len(DATA), COMMIT)
    assert (tmp_path / "models" / NAME).read_bytes() == DATA


def test_several_files_of_one_model_come_together(downloads, hub, tmp_path):
    hub.put(REPO, "mmproj.gguf", b"p" * 100_000)
    projector = piece_of(b"p" * 100_000, "mmproj.gguf")

    downloads.start(order_for(piece_of(), projector))
    row = ended(downloads)

    assert row.state == "done"
    assert row.bytes_total == len(DATA) + 100_000
    assert (tmp_path / "models" / "mmproj.gguf").stat().st_size == 100_000


def test_one_file_that_fails_leaves_none_of_a_model_in_place(downloads, hub, tmp_path):
    missing = piece_of(b"p", "missing.gguf")

    downloads.start(order_for(piece_of(), missing))
    row = ended(downloads)

    assert row.error["code"] == "hub_not_found"
    assert not (tmp_path / "models" / NAME).exists()


def test_two_come_at_once_and_the_third_waits(make, hub):
    hub.gate.clear()
    downloads = make()
    for number in (1, 2, 3):
        downloads.start(put(hub, number))

    until(lambda: len(hub.fetches()) == 2)
    states = [row.state for row in downloads.rows()]
    hub.gate.set()

    assert states == ["running", "running", "queued"]
    assert {ended(downloads, f"model-{number}").state for number in (1, 2, 3)} == {"done"}


def test_a_listener_hears_what_is_done(make):
    heard = []
    downloads = make(on_done=lambda order: heard.append(order.id))

    downloads.start(order_for())
    ended(downloads)

    until(lambda: heard == ["some-model"])


def test_speed_and_time_left_are_told(downloads, slow):
    downloads.start(order_for())

    row = until(lambda: (row := downloads.row("some-model")).speed and row)

    assert RATE / 3 < row.speed < RATE * 1.5
    assert row.left_s <= 2


def test_a_pause_keeps_what_has_arrived_and_fetches_no_more(downloads, slow):
    downloads.start(order_for())
    going(downloads, more_than=400_000)

    row = downloads.pause("some-model")
    until(lambda: not downloads._runs)

    assert row.state == "paused"
    sent = slow.sent()
    slow.rate = None
    downloads.resume("some-model")
    assert ended(downloads).state == "done"
    # All but what was on its way when it was stopped came once.
    assert slow.sent() - len(DATA) < 4_000_000
    assert slow.fetches()[-1].headers["Range"].startswith("bytes=")
    assert slow.sent() > sent


def test_a_cancelled_one_frees_its_part(downloads, slow, tmp_path):
    downloads.start(order_for())
    going(downloads, more_than=400_000)

    freed = downloads.cancel("some-model")

    assert freed >= 400_000
    assert list((tmp_path / "models").rglob("*model*")) == []
    with pytest.raises(NotFound):
        downloads.row("some-model")


def test_a_worker_that_is_killed_is_followed_by_another(downloads, slow):
    downloads.start(order_for())
    going(downloads, more_than=400_000)

    worker(downloads).kill()
    row = ended(downloads)

    assert row.state == "done"
    assert slow.fetches()[-1].headers["Range"].startswith("bytes=")


def test_a_worker_that_crashes_again_and_again_is_not_started_for_ever(make, tmp_path):
    (tmp_path / "larouter").mkdir()
    downloads = make(python=("false",))

    downloads.start(order_for())
    row = ended(downloads)

    assert row.error["code"] == "download_crashed"


def test_what_was_under_way_goes_on_at_the_next_start_and_what_was_paused_stays(make, slow):
    before = make()
    before.start(order_for())
    before.start(put(slow, 1))
    before.pause("model-1")
    going(before, more_than=400_000)
    before.close()

    after = make()
    after.serve()
    row = ended(after)

    assert row.state == "done"
    assert after.row("model-1").state == "paused"
    assert slow.fetches()[-1].headers["Range"].startswith("bytes=")


def test_a_command_runs_its_own_download_only(make, slow):
    before = make()
    before.start(put(slow, 1))
    before.close()

    command = make()
    command.start(order_for())
    ended(command)

    assert command.row("model-1").state == "queued"


def test_of_several_processes_one_works_and_all_may_say_what(make, slow):
    slow.rate = RATE / 8
    owner, other = make(is_shared=True), make(is_shared=True)
    owner.serve()
    owner.start(order_for())
    going(owner)
    other.serve()

    until(lambda: other.row("some-model").phase == "fetching")
    other.pause("some-model")
    until(lambda: not owner._runs)
    other.resume("some-model")
    going(owner)
    freed = other.cancel("some-model")

    assert freed > 0
    assert owner.rows() == []
    assert other._runs == {}


@pytest.mark.slow
def test_when_the_owner_ends_another_process_goes_on(make, slow):
    owner, other = make(is_shared=True), make(is_shared=True)
    owner.serve()
    owner.start(order_for())
    going(owner)
    other.serve()
    owner.close()

    assert ended(other).state == "done"


def test_one_that_is_here_is_left_so(downloads, hub):
    downloads.start(order_for())
    ended(downloads)
    asked = len(hub.asked)

    row = downloads.start(order_for())

    assert row.state == "done"
    assert len(hub.asked) == asked


def test_a_right_file_that_somebody_put_there_is_not_fetched(downloads, hub, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / NAME).write_bytes(DATA)

    downloads.start(order_for())

    assert ended(downloads).state == "done"
    assert hub.asked == []


def test_another_file_of_the_name_is_never_written_over(downloads, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / NAME).write_bytes(b"mine")

    downloads.start(order_for())
    row = ended(downloads)

    assert row.error["code"] == "file_exists"
    assert (tmp_path / "models" / NAME).read_bytes() == b"mine"


def test_two_models_with_a_file_of_one_name_are_refused(downloads, slow):
    downloads.start(order_for())

    with pytest.raises(Conflict) as caught:
        downloads.start(order_for(order_id="another"))

    assert caught.value.code == "file_name_taken"


def test_too_little_room_is_said_with_figures_before_anything_starts(make, hub):
    downloads = make(free=lambda folder: 5_000_000)
    downloads.start(put(hub, 1, size=3_500_000))

    with pytest.raises(DiskFull, match=r"needs 3 MB more, other downloads \d MB"):
        downloads.start(order_for())


def test_a_failed_one_is_resumed(downloads, hub):
    hub.always = 404
    downloads.start(order_for())
    assert ended(downloads).error["code"] == "hub_not_found"

    hub.always = None
    downloads.resume("some-model")

    assert ended(downloads).state == "done"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel"])
def test_what_is_done_is_neither_paused_nor_cancelled(downloads, verb):
    downloads.start(order_for())
    ended(downloads)

    with pytest.raises(Conflict):
        getattr(downloads, verb)("some-model")


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "row"])
def test_nobody_knows_what_was_not_begun(downloads, verb):
    with pytest.raises(NotFound):
        getattr(downloads, verb)("nothing")


def test_watchers_see_changes_and_end_with_the_downloads(downloads, slow):
    downloads.start(order_for())
    seen = []
    for rows in downloads.watch(0.02, 60):
        if rows is not None:
            seen.append(rows[0].state)
        if seen and seen[-1] == "done":
            downloads.stop()

    assert seen[-1] == "done"
    assert "running" in seen


def test_a_worker_leaves_with_its_parent(downloads, slow):
    downloads.start(order_for())
    going(downloads)
    process = worker(downloads)

    downloads.close()

    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

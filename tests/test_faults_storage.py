"""The disk is full, the database is locked, damaged or cannot be written: nothing is lost, nothing
is doubled, and somebody is told what to do (TRUST A9, B14)."""

import shutil
import sqlite3
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.serving import Serving, assert_error, assert_serves, command, eventually, post
from tests.store.bills import spoil_pages

pytestmark = pytest.mark.slow

_DISK = 16 << 20


def can_mount():
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


needs_mounts = pytest.mark.skipif(not can_mount(), reason="needs a disk of its own: Linux, unshare")


class SmallDisk(Serving):
    """SQLite opens no file on another disk than ours, so it is read in a copy."""

    def copy(self):
        folder = Path(tempfile.mkdtemp(dir=self._out_path.parent.parent))
        for name in ("larouter.db", "larouter.db-wal", "unwritten.jsonl", "admin.key"):
            shutil.copy(self.home / name, folder / name)
        return folder

    def query(self, statement, *values):
        with closing(sqlite3.connect(self.copy() / "larouter.db")) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]


@pytest.fixture
def small_disk(tmp_path, provider):
    """A server whose data folder is a disk of 16 MiB."""
    home = tmp_path / "home"
    home.mkdir()
    mount = f'mount -t tmpfs -o size={_DISK} tmpfs "{home}" && exec "$@"'
    with SmallDisk(
        home, prefix=("unshare", "-rm", "sh", "-c", mount, "sh"), LAROUTER_CUSTOM_URL=provider.url
    ) as server:
        yield server


def fill(server):
    """Leave not a byte of the disk."""
    with (server.home / "filler").open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def free(server):
    (server.home / "filler").unlink()


def states(server):
    return [row["state"] for row in server.query("SELECT state FROM attempt ORDER BY id")]


def asking(server, model):
    """A request under way. A future keeps what it raised for `result()`; a plain thread would tell
    it to whichever test runs when it ends."""
    pool = ThreadPoolExecutor(1)
    asked = pool.submit(post, server, model)
    pool.shutdown(wait=False)
    return asked


def in_the_middle(server, provider):
    """Ask, and return when the provider is at work on it; the answer comes by `get()`."""
    before = len(provider.seen)
    asked = asking(server, "custom/late")
    eventually(lambda: len(provider.seen) > before)
    return asked.result


def kept_aside(server):
    return (server.home / "unwritten.jsonl").read_bytes().strip(b"\0").count(b"\n")


def adds_up(server):
    home = server.copy() if isinstance(server, SmallDisk) else server.home
    checked = command(home, "db", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@needs_mounts
def test_a_full_disk_before_the_call_asks_no_provider(small_disk, provider):
    assert_serves(small_disk)
    fill(small_disk)
    before = len(provider.seen)

    for _ in range(3):
        error = assert_error(small_disk.chat("custom/plain"), 503, "storage_unavailable")
        assert "Check free disk space" in error["message"]
    assert len(provider.seen) == before

    free(small_disk)
    assert_serves(small_disk)
    assert states(small_disk) == ["settled"] * 2
    adds_up(small_disk)


@needs_mounts
def test_a_disk_that_fills_up_during_the_call_loses_no_end(small_disk, provider):
    get = in_the_middle(small_disk, provider)
    fill(small_disk)

    answer = get()

    assert answer.status_code == 200
    assert states(small_disk) == ["pending"]
    assert kept_aside(small_disk) == 1
    free(small_disk)
    eventually(lambda: states(small_disk) == ["settled"], timeout_s=20)
    assert kept_aside(small_disk) == 0
    assert_serves(small_disk)
    adds_up(small_disk)


@needs_mounts
def test_what_was_kept_aside_on_a_full_disk_outlives_kill_9(small_disk, provider):
    get = in_the_middle(small_disk, provider)
    fill(small_disk)
    assert get().status_code == 200
    # The disk goes with its last process: its files are what a crash would have left.
    after = small_disk.copy()
    bearer = small_disk.bearer
    small_disk.kill()

    with Serving(after, bearer=bearer, LAROUTER_CUSTOM_URL=provider.url) as again:
        assert states(again) == ["settled"]
        assert_serves(again)
        adds_up(again)


@needs_mounts
def test_a_folder_that_is_read_only_is_told_at_the_start(tmp_path):
    mount = f'mount --bind "{tmp_path}" "{tmp_path}"; mount -o remount,bind,ro "{tmp_path}"; '

    with pytest.raises(AssertionError, match="Make it writable, or choose another data folder"):
        Serving(tmp_path, prefix=("unshare", "-rm", "sh", "-c", mount + 'exec "$@"', "sh"))


@pytest.fixture
def locked(tmp_path):
    """Another program holds the database for as long as this is open."""

    def locked():
        connection = sqlite3.connect(tmp_path / "larouter.db", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        return closing(connection)

    return locked


def test_a_locked_database_is_waited_for_and_then_refused(serve, provider, locked):
    server = serve()
    assert_serves(server)
    before = len(provider.seen)

    with locked():
        began = time.monotonic()
        assert_error(server.chat("custom/plain"), 503, "storage_unavailable")
        assert 4 < time.monotonic() - began < 15
    assert len(provider.seen) == before

    assert_serves(server)
    adds_up(server)


def test_a_lock_of_a_moment_is_only_waited_for(serve, locked):
    server = serve()

    with locked():
        asked = asking(server, "custom/plain")
        time.sleep(1)
        assert not asked.done()

    assert asked.result().status_code == 200


def test_a_database_that_is_locked_during_the_call_loses_no_end(serve, provider, locked):
    server = serve()
    get = in_the_middle(server, provider)

    with locked():
        assert get().status_code == 200
        assert kept_aside(server) == 1

    eventually(lambda: states(server) == ["settled"], timeout_s=20)
    assert kept_aside(server) == 0
    adds_up(server)


def poke(server):
    """Somebody else writes: what the server has in its memory of the file counts no longer."""
    with closing(sqlite3.connect(server.home / "larouter.db", isolation_level=None)) as connection:
        connection.execute("INSERT INTO setting VALUES ('poke', '1')")


def test_a_database_that_is_damaged_while_it_is_used_is_written_no_more(serve, provider, tmp_path):
    server = serve()
    assert_serves(server)
    made = command(tmp_path, "db", "backup")
    assert made.returncode == 0, made.stderr
    get = in_the_middle(server, provider)
    before = len(provider.seen)
    spoil_pages(tmp_path / "larouter.db")
    poke(server)

    error = assert_error(server.chat("custom/plain"), 503, "database_damaged")
    assert "larouter db restore" in error["message"]
    assert str(tmp_path) not in error["message"]
    assert len(provider.seen) == before
    # The answer that was under way reaches its client; its end is kept for the restored database.
    assert get().status_code == 200
    assert kept_aside(server) == 1
    assert_error(server.admin("GET", "/api/usage/attempts"), 503, "database_damaged")

    assert server.stop() == 0
    refused = command(tmp_path, "serve")
    assert refused.returncode == 1
    assert "larouter db restore" in refused.stderr
    restored = command(tmp_path, "db", "restore", "--yes")
    assert restored.returncode == 0, restored.stderr
    again = serve(bearer=server.bearer)
    # The first request; the second came after the backup, and its end is in a file beside.
    assert states(again) == ["settled"]
    assert list(tmp_path.glob("unwritten-replaced-*.jsonl"))
    assert_serves(again)
    adds_up(again)

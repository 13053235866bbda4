"""Copies are whole or not there, are made in time, and take a bounded part of the disk."""

import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import NamedTuple

import pytest

from larouter.core.errors import DatabaseDamaged, StorageDown
from larouter.store.backups import DAY_MS, HOUR_MS, Backup, Backups, copy_database, kept
from larouter.store.sqlite import connect
from tests.store.bills import NOON, spoil_pages


@pytest.fixture
def now():
    return [NOON]


@pytest.fixture
def backups(file, tmp_path, now):
    return Backups(file, tmp_path / "backups", clock=lambda: now[0])


def rows(path, sql):
    with closing(connect(path, read_only=True)) as connection:
        return connection.execute(sql).fetchall()


def dump(path):
    with closing(connect(path, read_only=True)) as connection:
        return list(connection.iterdump())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_is_the_database(book, file, tmp_path):
    for _ in range(3):
        book.bill()

    copy_database(file, tmp_path / "copy.db")

    assert dump(tmp_path / "copy.db") == dump(file)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_copy_is_its_owners_only(backups):
    made = backups.make()

    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_copy_tells_how_far_it_is(file, tmp_path):
    with closing(connect(file)) as connection:
        connection.execute("CREATE TABLE large (text)")
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) "
            "INSERT INTO large SELECT hex(randomblob(60)) FROM n"
        )
    told = []

    copy_database(file, tmp_path / "copy.db", lambda *words: told.append(words))

    assert {step for step, _ in told} == {"copying", "checking the copy"}
    shares = [done for step, done in told if step == "copying"]
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 1


def test_a_damaged_database_gives_no_copy_and_takes_none_away(backups, file, now):
    good = backups.make()
    now[0] += HOUR_MS
    spoil_pages(file)

    with pytest.raises(DatabaseDamaged):
        backups.make()

    assert names(good.path.parent) == [good.path.name]


def test_a_header_that_is_gone_is_damage(backups, file):
    file.write_bytes(b"\0" * 100 + file.read_bytes()[100:])

    with pytest.raises(DatabaseDamaged):
        backups.make()


def test_a_copy_that_cannot_be_written_leaves_nothing_behind(file, tmp_path):
    (tmp_path / "copy.db").mkdir()

    with pytest.raises(StorageDown, match="No copy of the database"):
        copy_database(file, tmp_path / "copy.db")

    assert "copy.db.part" not in names(tmp_path)


def test_a_folder_that_cannot_be_used_is_told(file, tmp_path):
    (tmp_path / "backups").touch()

    with pytest.raises(StorageDown, match="backups cannot be used"):
        Backups(file, tmp_path / "backups").make()


def test_half_a_copy_of_a_process_that_died_is_no_backup_and_goes(backups, now):
    made = backups.make()
    half = made.path.with_name(f"{made.path.name}.part")
    half.write_bytes(b"half")
    now[0] = int(half.stat().st_mtime * 1000) + HOUR_MS
    assert [row.path for row in backups.all()] == [made.path]

    backups.make()
    assert half.exists()
    now[0] += HOUR_MS
    backups.make()
    assert not half.exists()


def test_a_copy_is_named_by_its_time_in_utc(backups):
    at = datetime.fromtimestamp(NOON / 1000, UTC)

    assert backups.make().path.name == f"larouter-{at:%Y-%m-%dT%H-%M-%SZ}.db"


def test_a_small_database_is_copied_every_hour(backups, now):
    assert backups.is_due()
    backups.make()
    now[0] += HOUR_MS - 1
    assert not backups.is_due()
    now[0] += 1
    assert backups.is_due()


def test_a_large_one_every_day(file, tmp_path, now):
    backups = Backups(file, tmp_path / "backups", clock=lambda: now[0], small=1)
    backups.make()
    now[0] += DAY_MS - 1
    assert not backups.is_due()
    now[0] += 1
    assert backups.is_due()


def test_a_copy_of_a_clock_in_the_future_does_not_count(backups, now):
    now[0] += 400 * DAY_MS
    backups.make()
    now[0] -= 400 * DAY_MS

    assert backups.is_due()


def test_without_a_database_nothing_is_due(tmp_path):
    assert not Backups(tmp_path / "none.db", tmp_path / "backups").is_due()


def test_the_newest_stay_and_one_of_each_day(backups, now):
    for _ in range(10 * 24):
        backups.make()
        now[0] += HOUR_MS

    left = backups.all()
    assert [left[0].at_ms - row.at_ms for row in left[:6]] == [n * HOUR_MS for n in range(6)]
    days = [row.at_ms // DAY_MS for row in left]
    assert len(set(days)) == 7
    assert len(left) <= 6 + 7
    for day in set(days) - {days[0]}:
        last = max(row.at_ms for row in left if row.at_ms // DAY_MS == day)
        assert last % DAY_MS == 23 * HOUR_MS


def test_what_a_wrong_clock_put_into_the_future_goes_first(tmp_path):
    future = [Backup(tmp_path / f"f{n}", NOON + n * DAY_MS, 1) for n in range(1, 30)]
    real = [Backup(tmp_path / f"r{n}", NOON - n * HOUR_MS, 1) for n in range(6)]

    assert set(real) <= set(kept(future + real, NOON))
    assert len(kept(future + real, NOON)) <= 13


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def free(monkeypatch):
    """Let the disk have so much left."""
    return lambda size: monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(0, 0, size))


def test_all_of_them_take_a_tenth_of_the_free_disk(backups, file, free, now):
    size = file.stat().st_size
    free(10 * 3 * size)
    for _ in range(6):
        backups.make()
        now[0] += HOUR_MS
        assert sum(row.size for row in backups.all()) <= 3.5 * size

    assert [NOON + 5 * HOUR_MS - row.at_ms for row in backups.all()][:2] == [0, HOUR_MS]


def test_where_there_is_no_room_the_last_one_stays(backups, file, free, now):
    good = backups.make()
    now[0] += HOUR_MS
    free(3 * file.stat().st_size)

    with pytest.raises(StorageDown, match="no room for a backup"):
        backups.make()

    assert [row.path for row in backups.all()] == [good.path]


def test_what_an_upgrade_kept_is_listed(backups, file):
    path = file.with_name(f"larouter-before-0003-{NOON - HOUR_MS}.db")
    shutil.copy(file, path)

    made = backups.make()

    assert [(row.path, row.before) for row in backups.all()] == [(made.path, None), (path, "0003")]


def test_copies_of_another_database_are_none_of_ours(backups, tmp_path):
    backups.make()
    (tmp_path / "backups" / "other-2026-01-01T00-00-00Z.db").touch()
    (tmp_path / "backups" / "larouter-2026-99-01T00-00-00Z.db").touch()
    (tmp_path / "backups" / "larouter-notes.db").touch()

    assert len(backups.all()) == 1


def test_what_is_not_in_the_main_file_yet_is_copied(file, backups):
    with closing(connect(file)) as other:
        other.execute("PRAGMA wal_autocheckpoint=0")
        other.execute("INSERT INTO setting VALUES ('a', 'b')")

        made = backups.make()

    assert rows(made.path, "SELECT * FROM setting") == [("a", "b")]


def test_a_copy_that_came_out_wrong_is_found(file, tmp_path, monkeypatch):
    monkeypatch.setattr("larouter.store.backups.page_faults", lambda _: ["page 3 is odd"])

    with pytest.raises(DatabaseDamaged):
        copy_database(file, tmp_path / "copy.db")

    assert not (tmp_path / "copy.db").exists()


def test_a_database_that_is_locked_away_is_told(tmp_path):
    with pytest.raises(StorageDown, match="cannot be read"):
        Backups(tmp_path / "none.db", tmp_path / "backups").make()


def test_writers_go_on_while_a_copy_is_made(book, file, tmp_path):
    with closing(sqlite3.connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM attempt").fetchone()

        book.bill()
        copy_database(file, tmp_path / "copy.db")

    assert rows(tmp_path / "copy.db", "SELECT count(*) FROM attempt") == [(1,)]

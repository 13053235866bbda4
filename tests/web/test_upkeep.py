"""What a server does beside its requests: backups in time, and a large file looked through."""

import gevent
import pytest

from larouter.store.backups import HOUR_MS, Backups
from larouter.store.writer import now_ms
from larouter.web import upkeep
from tests.serving import eventually
from tests.store.bills import spoil_pages


@pytest.fixture
def soon(monkeypatch):
    """Nobody waits for a minute in a test."""
    for name in ("FIRST_S", "EVERY_S", "RETRY_S"):
        monkeypatch.setattr(upkeep, name, 0.01)


@pytest.fixture
def keep(soon):
    """Keep backups until the test ends."""
    running = []

    def keep(services, backups):
        running.append(gevent.spawn(upkeep.keep_backups, services, backups))

    yield keep
    gevent.killall(running)


def patiently(is_so):
    def look():
        gevent.sleep(0.01)
        return is_so()

    return eventually(look)


def test_a_server_makes_a_backup_every_hour(house, keep, tmp_path):
    now = [now_ms()]
    backups = Backups(tmp_path / "larouter.db", tmp_path / "backups", clock=lambda: now[0])
    keep(house.services, backups)

    patiently(lambda: len(backups.all()) == 1)
    now[0] += HOUR_MS

    patiently(lambda: len(backups.all()) == 2)


def test_a_backup_that_cannot_be_made_is_a_line_of_the_log(house, keep, tmp_path, caplog):
    (tmp_path / "backups").touch()

    keep(house.services, house.services.backups)

    patiently(lambda: "backups cannot be used" in caplog.text)
    assert "Traceback" not in caplog.text
    assert house.admin("GET", "/api/projects").status_code == 200


def test_damage_that_a_backup_meets_stops_the_writing(house, keep, tmp_path):
    spoil_pages(tmp_path / "larouter.db")

    keep(house.services, house.services.backups)

    answer = patiently(lambda: _refused(house.chat("nobody/nothing")))
    assert answer.json["error"]["code"] == "database_damaged"
    assert str(tmp_path) not in answer.text


def test_a_large_file_is_looked_through_beside_the_requests(house, tmp_path):
    upkeep.look_at_large_file(house.services, house.services.backups)
    assert house.chat("nobody/nothing").status_code == 404

    spoil_pages(tmp_path / "larouter.db")
    upkeep.look_at_large_file(house.services, house.services.backups)

    assert house.chat("nobody/nothing").status_code == 503


def _refused(answer):
    return answer if answer.status_code == 503 else None


@pytest.fixture
def purging(soon, monkeypatch):
    """Purge until the test ends."""
    for name in ("PURGE_FIRST_S", "PURGE_EVERY_S", "PAUSE_S"):
        monkeypatch.setattr(upkeep, name, 0.01)
    running = []

    def purging(house):
        running.append(gevent.spawn(upkeep.keep_to_days, house.services))

    yield purging
    gevent.killall(running)


def grow_old(house, days):
    """Put what was asked so far to another time."""
    ago = days * 86_400_000

    def job(connection):
        connection.execute("UPDATE request SET started_ms = started_ms - ?", (ago,))

    house.services.bookkeeping._writer.run(job)


def count(house):
    return house.services.bookkeeping._writer.run(
        lambda connection: connection.execute("SELECT count(*) FROM request").fetchone()[0]
    )


def test_a_server_lets_go_of_what_is_old(house, purging, caplog):
    house.chat("nobody/nothing")
    grow_old(house, 91)
    house.chat("nobody/nothing")
    caplog.set_level("INFO")

    purging(house)

    patiently(lambda: count(house) == 1)
    patiently(lambda: "let go of 1 requests" in caplog.text)


def test_for_ever_is_for_ever(open_house, purging):
    house = open_house(LAROUTER_KEEP_DAYS="forever")

    upkeep.keep_to_days(house.services)


def test_a_clock_that_jumps_purges_nothing(house, purging, monkeypatch):
    house.chat("nobody/nothing")
    grow_old(house, 91)
    times = iter(range(10**9, 10**12, 86_400))
    looked = []

    def jumping():
        looked.append(1)
        return next(times)

    monkeypatch.setattr("larouter.web.upkeep.time.time", jumping)
    purging(house)

    patiently(lambda: len(looked) > 10)
    assert count(house) == 1


def test_what_cannot_be_written_is_tried_again(house, purging, caplog):
    house.chat("nobody/nothing")
    grow_old(house, 91)
    house.services.stop_writing()

    purging(house)

    patiently(lambda: caplog.text.count("could not be let go of") > 1)

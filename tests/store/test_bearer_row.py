import hashlib
import time
from datetime import UTC, datetime, timedelta

import pytest

from larouter.core.errors import BadRequest
from larouter.store.bearer_row import (
    bearer_name,
    digest_of,
    expiry_ms,
    insert_bearer,
    new_bearer,
)

DAY = 86_400_000


def now_ms():
    return time.time() * 1000


@pytest.fixture
def project_id(book):
    return book.project.id


def test_what_is_kept_to_know_a_bearer_by_leaves_enough_to_guess(writer, project_id, ask):
    bearer = new_bearer()

    row = writer.run(lambda connection: insert_bearer(connection, project_id, bearer))

    assert row.begins == bearer[:7]
    # 43 characters of 6 bits, of which 4 are shown (TRUST S4: at least 192).
    assert len(bearer) - len(row.begins) == 39
    assert ask("SELECT begins, sha256 FROM bearer") == [
        (row.begins, hashlib.sha256(bearer.encode()).hexdigest())
    ]
    assert digest_of(bearer) != digest_of(new_bearer())


@pytest.mark.parametrize(
    ("text", "ms"),
    [("90s", 90_000), ("15m", 900_000), ("1h", 3_600_000), ("30d", 30 * DAY)],
)
def test_a_length_of_time(text, ms):
    assert abs(expiry_ms(text, "UTC") - now_ms() - ms) < 1_000


def test_never_is_no_end():
    assert expiry_ms("never", "UTC") is None


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_date_is_over_at_the_end_of_that_day_where_the_project_is(zone):
    day = datetime.now(UTC).date() + timedelta(days=40)

    ends = expiry_ms(day.isoformat(), zone) or 0

    offset_h = {"UTC": 0, "Asia/Tokyo": 9, "America/New_York": -5}[zone]
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    here = (midnight - timedelta(hours=offset_h)).timestamp() * 1000
    # Summer time, if there is any then.
    assert here - ends in ({0, 3_600_000} if zone == "America/New_York" else {0})


def test_a_moment_is_taken_as_it_is():
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    ms = int(moment.timestamp() * 1000)

    assert expiry_ms(moment.isoformat(), "Asia/Tokyo") == ms
    assert expiry_ms(moment.replace(tzinfo=None).isoformat(), "Asia/Tokyo") == ms - 9 * 3_600_000


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2020-01-01", "2027-13-01", "9999-12-31", "9999999d", "0d", "x" * 10, "1970"],
)
def test_an_end_that_makes_no_sense_is_refused(text):
    with pytest.raises(BadRequest) as caught:
        expiry_ms(text, "UTC")

    assert caught.value.param == "expires"


@pytest.mark.parametrize("name", ["ci", " laptop ", "模型", "x" * 100, "a/b"])
def test_a_name_is_printable_text(name):
    assert bearer_name(name) == name.strip()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "\x1b[1m"])
def test_another_name_is_refused(name):
    with pytest.raises(BadRequest, match="1 to 100 printable"):
        bearer_name(name)

"""`/api/database`: let go of what is old, when the admin says so."""

import pytest


@pytest.mark.parametrize("days", [0, -1, 1.5, True, "30", None, 36_501])
def test_a_purge_needs_a_number_of_days(house, days):
    answer = house.admin("POST", "/api/database/purge", {"older_than_days": days})

    assert answer.status_code == 400
    assert answer.json["error"]["param"] == "older_than_days"


def test_what_is_young_stays(house):
    house.chat("nobody/nothing")

    answer = house.admin("POST", "/api/database/purge", {"older_than_days": 1})

    assert answer.json == {"requests": 0, "responses": 0, "is_done": True}

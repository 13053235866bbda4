"""Alerts over our own API: whose they are, seen or not, and where they are sent."""

import pytest

from tests.receiver import Receiver, free_port

WEBHOOKS = "/api/alerts/webhooks"


@pytest.fixture
def alerted(house):
    """A budget of the project with two marks passed, and a blocked one of the machine."""
    for owner in ("default", "machine"):
        house.admin("POST", "/api/budgets", {"project": owner, "name": "Cap", "cap": "5"})
    house.services.run._writer.run(
        lambda connection: connection.executemany(
            "INSERT INTO alert (budget_id, start_ms, mark, spent, cap, created_ms) "
            "VALUES (?,0,?,1,2,3)",
            [(1, 50), (1, 80), (2, 0)],
        )
    )
    return house


def listed(house, query="", **options):
    return house.ask("GET", f"/api/alerts{query}", **options).json["data"]


def test_alerts_are_of_the_project_that_asks(alerted):
    other = alerted.admin("POST", "/api/projects", {"name": "site"}).json

    newest, oldest = listed(alerted)
    assert (newest["percent"], oldest["percent"]) == (80, 50)
    assert newest["type"] == "budget"
    assert (newest["project"], newest["budget"], newest["blocked"], newest["seen"]) == (
        "default", "Cap", False, False,
    )  # fmt: skip
    assert (newest["capNusd"], newest["spentNusd"]) == (2, 1)
    assert listed(alerted, bearer=other["bearer"]) == []
    assert listed(alerted, "?project=default", bearer=other["bearer"]) == []


def test_the_admin_sees_everybodys_or_one_projects(alerted):
    key = alerted.services.admin_key

    every = listed(alerted, bearer=key)

    assert [(row["project"], row["blocked"]) for row in every] == [
        ("machine", True), ("default", False), ("default", False),
    ]  # fmt: skip
    assert [row["id"] for row in listed(alerted, "?project=default", bearer=key)] == [2, 1]
    assert alerted.admin("GET", "/api/alerts?project=nobody").status_code == 404


def test_what_is_seen_is_new_no_more(alerted):
    assert alerted.admin("POST", "/api/alerts/seen", {"ids": [2]}).json == {"seen": 2}

    assert listed(alerted, "?unseen=1") == []
    assert [row["seen"] for row in listed(alerted)] == [True, True]
    assert alerted.admin("POST", "/api/alerts/seen", {"newest": 3}).json == {"seen": 1}
    assert alerted.admin("POST", "/api/alerts/seen", {"newest": 3}).json == {"seen": 0}


@pytest.mark.parametrize(
    "body", [{}, {"ids": 3}, {"ids": ["3"]}, {"ids": [True]}, {"newest": "3"},
             {"ids": [3], "newest": 3.5}],
)  # fmt: skip
def test_what_was_seen_is_said_in_one_of_two_ways(alerted, body):
    refused = alerted.admin("POST", "/api/alerts/seen", body)

    assert (refused.status_code, refused.json["error"]["param"]) == (400, "ids")


def test_unseen_is_yes_or_no(house):
    assert house.ask("GET", "/api/alerts?unseen=maybe").json["error"]["param"] == "unseen"


def test_an_hour_that_cost_more_than_usual_is_in_the_list(house):
    house.services.run._writer.run(
        lambda connection: connection.execute(
            "INSERT INTO alert (start_ms, mark, spent, cap, created_ms) VALUES (0,0,9,1,3)"
        )
    )

    (row,) = house.admin("GET", "/api/alerts").json["data"]

    assert (row["type"], row["project"], row["blocked"], row["budget"]) == (
        "unusual", "machine", False, None,
    )  # fmt: skip
    assert (row["spentNusd"], row["capNusd"]) == (9, 1)


# Webhooks.


def add(house, url="https://example.com/hook", **fields):
    return house.admin("POST", WEBHOOKS, {"url": url, **fields})


def test_a_webhooks_secret_is_shown_once(house):
    made = add(house, project="default")

    assert made.status_code == 201
    row = dict(made.json)
    secret = row.pop("secret")
    assert secret.startswith("whsec_")
    assert house.admin("GET", WEBHOOKS).json["data"] == [row]
    assert row == {
        "id": 1, "project": "default", "url": "https://example.com/hook", "stopped": False,
        "created_ms": row["created_ms"], "waiting": 0, "sent": 0, "failed": 0,
        "error": None, "tried_ms": None, "next_ms": None,
    }  # fmt: skip
    assert secret not in house.admin("GET", WEBHOOKS).text


def test_webhooks_of_a_project_and_of_everything(house):
    house.admin("POST", "/api/projects", {"name": "site"})
    add(house, project="site")
    add(house)

    assert [row["project"] for row in house.admin("GET", WEBHOOKS).json["data"]] == [
        "site", "machine",
    ]  # fmt: skip
    assert [row["id"] for row in house.admin("GET", f"{WEBHOOKS}?project=site").json["data"]] == [1]
    assert house.admin("DELETE", f"{WEBHOOKS}/1").json["deleted"] is True
    gone = house.admin("DELETE", f"{WEBHOOKS}/1")
    assert (gone.status_code, gone.json["error"]["code"]) == (404, "webhook_not_found")


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "url"), ({"url": 7}, "url"), ({"url": "http://example.com"}, "url"),
     ({"url": "https://x.de/", "secret": "mine"}, "secret")],
)  # fmt: skip
def test_a_slip_is_told_by_its_field(house, body, param):
    refused = house.admin("POST", WEBHOOKS, body)

    assert (refused.status_code, refused.json["error"]["param"]) == (400, param)


def test_a_webhook_of_nobody(house):
    assert add(house, project="nobody").status_code == 404


def test_a_test_goes_out_at_once_and_is_signed(house):
    with Receiver() as receiver:
        secret = add(house, receiver.url).json["secret"]

        done = house.admin("POST", f"{WEBHOOKS}/1/test")

        assert (done.status_code, done.json["status"], done.json["host"]) == (200, 204, "127.0.0.1")
        assert receiver.verified(secret)["data"] == {"webhook_id": 1}
        assert receiver.got[0][1]["type"] == "webhook.test"


def test_a_test_that_fails_says_why(house):
    add(house, f"http://127.0.0.1:{free_port()}/")

    refused = house.admin("POST", f"{WEBHOOKS}/1/test")

    assert refused.status_code == 502
    assert refused.json["error"]["message"] == (
        "The webhook was not taken: 127.0.0.1 cannot be reached."
    )
    assert house.admin("POST", f"{WEBHOOKS}/2/test").status_code == 404


def test_a_test_that_is_taken_lets_a_stopped_webhook_go_on(house):
    with Receiver() as receiver:
        add(house, receiver.url)
        house.services.run._writer.run(
            lambda connection: connection.execute("UPDATE webhook SET stopped_ms = 1")
        )
        assert house.admin("GET", WEBHOOKS).json["data"][0]["stopped"] is True

        house.admin("POST", f"{WEBHOOKS}/1/test")

        assert house.admin("GET", WEBHOOKS).json["data"][0]["stopped"] is False

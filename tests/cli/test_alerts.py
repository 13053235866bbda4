"""`larouter alerts`, with and without a server."""

import json
import sqlite3

import click
import pytest

from larouter.cli.alerts import _words
from larouter.core.errors import LARouterError
from tests.receiver import Receiver

URL = "https://example.com/hook"


@pytest.fixture
def webhook(cli):
    """Make webhooks; the shared server is left without them."""
    made = []

    def webhook(url=URL, *options):
        row = json.loads(cli.run("alerts", "webhook", "add", url, *options, "--json").stdout)
        made.append(str(row["id"]))
        return row

    yield webhook
    for id in made:
        if f"\n{id}  " in "\n" + cli.run("alerts", "webhook", "list").stdout:
            cli.run("alerts", "webhook", "remove", id, "--yes")


def test_no_alerts_is_said(cli):
    cli.run("projects", "create", "calm")

    assert cli.run("alerts", "list", "--project", "calm").stdout == "No alerts.\n"
    options = ("--unseen", "--project", "calm", "--json")
    assert cli.run("alerts", "list", *options).stdout == "[]\n"
    with pytest.raises(LARouterError, match="nobody"):
        cli.run("alerts", "list", "--project", "nobody")


def test_seen_needs_numbers_or_all(cli):
    for arguments in ((), ("3", "--all")):
        with pytest.raises(click.UsageError):
            cli.run("alerts", "seen", *arguments)
    assert cli.run("alerts", "seen", "999999").stdout == "0 alerts seen.\n"
    assert cli.run("alerts", "seen", "--all").stdout.endswith(" seen.\n")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "bakery: daily has passed 80 %, $4.00 of $5.00"),
        ({"metric": "requests", "spent": 1200, "cap": 1500},
         "bakery: daily has passed 80 %, 1,200 of 1,500 requests"),
        ({"blocked": True, "spent": 0.5},
         "bakery: daily is blocked: a call cost more than it could, $0.5000 of $5.00"),
        ({"type": "unusual", "spent": 12}, "bakery: $12.00 within an hour; above $5.00 is unusual"),
    ],
)  # fmt: skip
def test_an_alert_is_one_line(changes, words):
    row = {
        "type": "budget", "project": "bakery", "budget": "daily", "percent": 80, "blocked": False,
        "metric": "cost", "spent": 4, "cap": 5,
    }  # fmt: skip
    assert _words(row | changes) == words


def test_alerts_are_listed_and_seen(alone):
    """What raises them is tested with the store; here they are read."""
    alone.run("budgets", "add", "machine", "5")
    import_alert(alone.home)

    (line,) = alone.lines("alerts", "list")
    assert line.endswith("machine: monthly budget has passed 50 %, $2.50 of $5.00  new")
    assert alone.run("alerts", "seen", "--all").stdout == "1 alert seen.\n"
    assert not alone.lines("alerts", "list")[0].endswith("new")
    assert alone.lines("alerts", "list", "--unseen") == ["No alerts."]


def import_alert(home):
    with sqlite3.connect(home / "larouter.db") as connection:
        connection.execute(
            "INSERT INTO alert (budget_id, start_ms, mark, spent, cap, created_ms) "
            "VALUES (1, 0, 50, 2500000000, 5000000000, 1790000000000)"
        )


def test_a_webhook_is_made_listed_and_removed(cli, webhook):
    cli.run("projects", "create", "hooked")
    lines = cli.lines("alerts", "webhook", "add", URL, "--project", "hooked")
    id = lines[0].split()[1]

    assert lines[0] == f"Webhook {id} is told of hooked."
    assert lines[1].startswith("Secret  whsec_")
    assert cli.lines("alerts", "webhook", "list", "--project", "hooked") == [
        f"{id}  {URL}  is told of hooked", "   0 sent, 0 waiting, 0 given up",
    ]  # fmt: skip
    (row,) = json.loads(
        cli.run("alerts", "webhook", "list", "--json", "--project", "hooked").stdout
    )
    assert (str(row["id"]), row["project"]) == (id, "hooked")
    with pytest.raises(click.Abort):
        cli.run("alerts", "webhook", "remove", id, stdin="n\n")
    assert cli.run("alerts", "webhook", "remove", id, "--yes").stdout == f"Removed {URL}.\n"
    assert cli.run("alerts", "webhook", "list", "--project", "hooked").stdout.startswith(
        "No webhooks. Make one"
    )


def test_a_webhook_is_tried(cli, webhook):
    with Receiver() as receiver:
        id = str(webhook(receiver.url)["id"])
        said = cli.run("alerts", "webhook", "test", id).stdout

        assert said.startswith("127.0.0.1 answered 204 in ")
        assert len(receiver.got) == 1
    with pytest.raises(LARouterError, match="cannot be reached"):
        cli.run("alerts", "webhook", "test", id)


def test_a_webhook_goes_nowhere_without_https(cli):
    with pytest.raises(LARouterError, match="begins with https"):
        cli.run("alerts", "webhook", "add", "http://example.com/")


@pytest.mark.parametrize(
    ("changes", "line"),
    [("error = 'example.com answered 500', tried_ms = 1", "   example.com answered 500"),
     ("tries = 0", None)],
)  # fmt: skip
def test_what_failed_is_said(alone, changes, line):
    alone.run("alerts", "webhook", "add", URL)
    with sqlite3.connect(alone.home / "larouter.db") as connection:
        connection.execute(
            "INSERT INTO webhook_delivery (webhook_id, event, body, created_ms, state) "
            "VALUES (1, 'evt_1', '{}', 1, 'waiting')"
        )
        connection.execute(f"UPDATE webhook_delivery SET {changes}")  # noqa: S608 - of ours

    lines = alone.lines("alerts", "webhook", "list")
    assert lines[1] == "   0 sent, 1 waiting, 0 given up"
    assert lines[2:] == ([line] if line else [])
    with sqlite3.connect(alone.home / "larouter.db") as connection:
        connection.execute("UPDATE webhook SET stopped_ms = 1, next_ms = 1790000000000")
    assert "larouter alerts webhook test 1" in alone.lines("alerts", "webhook", "list")[2]

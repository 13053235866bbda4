"""An alert reaches who is to hear of it whatever becomes of the server, and once."""

import sys

import pytest

from tests.receiver import Receiver, free_port, hang
from tests.serving import eventually

pytestmark = pytest.mark.slow

OUTBOX = "SELECT event, state, tries FROM webhook_delivery ORDER BY id"


@pytest.fixture
def alerted(serve):
    """A server whose next request passes marks of a budget that a webhook hears of."""

    def alerted(url, cap=1):
        server = serve()
        secret = server.admin("POST", "/api/alerts/webhooks", {"url": url}).json()["secret"]
        budget = {"project": "default", "name": "Few", "cap": cap, "metric": "requests"}
        assert server.admin("POST", "/api/budgets", budget).status_code == 201
        return server, secret

    return alerted


def test_a_passed_mark_is_told_within_seconds(alerted):
    with Receiver() as receiver:
        server, secret = alerted(receiver.url, cap=2)

        assert server.chat("custom/plain").status_code == 200

        eventually(lambda: receiver.got)
        letter = receiver.verified(secret)
        assert letter["type"] == "budget.threshold"
        assert letter["data"]["project"] == "default"
        assert (letter["data"]["percent"], letter["data"]["spent"]) == (50, 1)
        eventually(lambda: [row["state"] for row in server.query(OUTBOX)] == ["sent"])


def test_killed_before_the_letter_went_it_goes_after_the_restart(alerted, serve):
    """kill -9 right after the answer; the receiver is down until later."""
    port = free_port()
    server, secret = alerted(f"http://127.0.0.1:{port}/hook")
    assert server.chat("custom/plain").status_code == 200
    server.kill()
    written = [row["event"] for row in server.query(OUTBOX)]
    assert len(written) == 3

    with Receiver(port=port) as receiver:
        again = serve(bearer=server.bearer)
        eventually(lambda: len(receiver.got) >= 3, timeout_s=30)
        eventually(lambda: {row["state"] for row in again.query(OUTBOX)} == {"sent"})

        assert receiver.ids == written
        assert [body["data"]["percent"] for _, body in receiver.got] == [50, 80, 100]
        receiver.verified(secret)


def test_killed_while_a_letter_is_on_its_way_it_comes_again_under_its_id(alerted, serve):
    with Receiver(hang(3)) as receiver:
        server, _ = alerted(receiver.url)
        assert server.chat("custom/plain").status_code == 200
        eventually(lambda: receiver.got)
        server.kill()
        assert {row["state"] for row in server.query(OUTBOX)} == {"waiting"}

        again = serve(bearer=server.bearer)
        eventually(lambda: {row["state"] for row in again.query(OUTBOX)} == {"sent"})

        assert receiver.ids == [receiver.ids[0], *(row["event"] for row in again.query(OUTBOX))]
        assert len(set(receiver.ids)) == 3


def test_a_receiver_that_hangs_holds_up_no_request(alerted):
    with Receiver(hang(4)) as receiver:
        server, _ = alerted(receiver.url, cap=2)
        server.chat("custom/plain")
        eventually(lambda: receiver.got)

        assert server.chat("custom/plain").elapsed.total_seconds() < 2


@pytest.mark.skipif(sys.platform != "linux", reason="its notify-send is Linux's")
def test_the_desktop_is_told_once_of_a_mark(serve, tmp_path):
    said = tmp_path / "said"
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$4" >> {said}\n')
    program.chmod(0o755)
    desktop = {
        "LAROUTER_NOTIFY": "auto",
        "DISPLAY": ":99",
        "PATH": f"{program.parent}:/usr/bin:/bin",
    }
    server = serve(**desktop)
    budget = {"project": "default", "name": "Few", "cap": 2, "metric": "requests"}
    server.admin("POST", "/api/budgets", budget)

    server.chat("custom/plain")

    eventually(said.exists)
    server.kill()
    serve(bearer=server.bearer, **desktop)
    assert said.read_text() == "default: Few has passed 50 %\n"

"""Letters on their way: to real receivers that fail, hang, and come back."""

import time

import gevent
import pytest

from larouter.store.alerts import write_letters
from larouter.store.postman import Postman
from larouter.store.sender import send
from larouter.store.webhooks import Webhooks, wait_ms
from tests.receiver import Receiver, hang
from tests.store.limits import OUTBOX, now, webhooks

__all__ = ["now", "webhooks"]


def carry(letter):
    return send(
        letter.url, letter.secret, letter.event, letter.body, int(time.time()), {}, within_s=0.3
    )


@pytest.fixture
def postman(webhooks):
    return Postman(webhooks, carry, "run_a")


@pytest.fixture
def post(writer, now):
    def post(*kinds):
        for kind in kinds:
            writer.run(
                lambda connection, kind=kind: write_letters(connection, None, kind, {}, now[0])
            )

    return post


def rounds(postman):
    gevent.joinall(postman.start_round(), raise_error=True)


def kinds(receiver):
    return [body["type"] for _, body in receiver.got]


def test_every_letter_arrives_once_in_order_and_signed(webhooks, postman, post):
    with Receiver() as receiver:
        _, secret = webhooks.add(None, receiver.url)
        post("a", "b", "c")

        rounds(postman)
        rounds(postman)

        assert kinds(receiver) == ["a", "b", "c"]
        assert len(set(receiver.ids)) == 3
        for number in range(3):
            receiver.verified(secret, number)


@pytest.mark.parametrize(
    "bad", [500, (302, {"Location": "http://127.0.0.1:1/"}), 404, hang(1)],
    ids=["fails", "redirects", "is elsewhere", "hangs"],
)  # fmt: skip
def test_a_letter_that_failed_is_sent_again_under_its_id(webhooks, postman, post, now, bad):
    with Receiver(bad, bad) as receiver:
        webhooks.add(None, receiver.url)
        post("a", "b")

        rounds(postman)
        rounds(postman)
        assert len(receiver.got) <= 1
        for tries in range(2):
            now[0] += wait_ms(tries)
            rounds(postman)

    assert kinds(receiver)[-1] == "b"
    a = [id for id, body in receiver.got if body["type"] == "a"]
    assert len(a) == 3
    assert len(set(a)) == 1


def test_a_receiver_that_was_down_gets_all_of_it(webhooks, postman, post, now, ask):
    with Receiver() as closed:
        port = closed.port
    webhooks.add(None, f"http://127.0.0.1:{port}/hook")
    post("a", "b")
    rounds(postman)
    assert [state for _, state in ask(OUTBOX)] == ["waiting", "waiting"]

    with Receiver(port=port) as receiver:
        now[0] += wait_ms(0)
        rounds(postman)

        assert kinds(receiver) == ["a", "b"]


def test_one_that_hangs_holds_up_nobody_else(webhooks, postman, post):
    with Receiver(hang(2)) as slow, Receiver() as quick:
        webhooks.add(None, slow.url)
        webhooks.add(None, quick.url)
        post("a")

        rounds(postman)

        assert kinds(quick) == ["a"]


def test_gone_is_gone(webhooks, postman, post, now, ask):
    with Receiver(410) as receiver:
        webhooks.add(None, receiver.url)
        post("a", "b")
        rounds(postman)
        now[0] += 3_600_000
        rounds(postman)

        assert kinds(receiver) == ["a"]
    assert [state for _, state in ask(OUTBOX)] == ["failed", "waiting"]


def test_two_processes_never_send_side_by_side(webhooks, writer, now, post):
    postmen = [
        Postman(Webhooks(writer, clock=lambda connection: now[0]), carry, f"run_{n}") for n in "ab"
    ]
    with Receiver() as receiver:
        webhooks.add(None, receiver.url)
        post(*"abcdefgh")

        gevent.joinall([greenlet for p in postmen for greenlet in p.start_round()])

        assert kinds(receiver) == list("abcdefgh")
        assert receiver.most_at_once == 1


def test_what_cannot_be_written_down_is_sent_again(webhooks, writer, post, now, caplog):
    with Receiver() as receiver:
        webhooks.add(None, receiver.url)
        post("a")

        def carry_and_break(letter):
            answer = carry(letter)
            writer.run(lambda connection: connection.execute("ALTER TABLE webhook RENAME TO w"))
            return answer

        rounds(Postman(webhooks, carry_and_break, "run_a"))
        assert "could not be written down" in caplog.text
        writer.run(lambda connection: connection.execute("ALTER TABLE w RENAME TO webhook"))
        now[0] += 30_000
        rounds(Postman(webhooks, carry, "run_b"))

        assert len(receiver.got) == 2
        assert len(set(receiver.ids)) == 1


def test_a_secret_address_is_in_no_log(webhooks, postman, post, caplog):
    with Receiver(500) as receiver:
        webhooks.add(None, f"{receiver.url}/T0PS3CRET")
        post("a")
        rounds(postman)

    assert "127.0.0.1 answered 500" in caplog.text
    assert "T0PS3CRET" not in caplog.text


def test_the_postman_works_until_the_server_stops(webhooks, postman, post):
    with Receiver() as receiver:
        webhooks.add(None, receiver.url)
        post("a")
        working = gevent.spawn(postman.work)
        gevent.sleep(0.2)
        working.kill()

        assert kinds(receiver) == ["a"]


def test_an_outbox_that_cannot_be_read_is_said_once(webhooks, postman, post, writer, caplog):
    writer.run(lambda connection: connection.execute("ALTER TABLE webhook RENAME TO w"))
    working = gevent.spawn(postman.work)
    gevent.sleep(0.1)

    assert not working.dead
    assert caplog.text.count("could not be looked into") == 1
    working.kill()
    writer.run(lambda connection: connection.execute("ALTER TABLE w RENAME TO webhook"))

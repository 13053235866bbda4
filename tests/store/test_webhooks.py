"""Webhooks and their outbox as rows: who may send what, when, and for how long."""

import base64

import pytest

from larouter.core.errors import BadRequest, NotFound
from larouter.store.alerts import write_letters
from larouter.store.rollups import Rollups
from larouter.store.runs import Run
from larouter.store.webhooks import (
    GIVEN_UP_MS,
    GIVEN_UP_TRIES,
    LEASE_MS,
    LONGEST_MS,
    MOST_WEBHOOKS,
    Answer,
    wait_ms,
)
from tests.store.limits import OUTBOX, now, webhooks

__all__ = ["now", "webhooks"]

URL = "https://example.com/hook"
TAKEN = Answer(204, None)
DOWN = Answer(None, "example.com cannot be reached")
DAY = 86_400_000


@pytest.fixture
def post(writer, now):
    """Write letters, for the machine's webhooks unless a project is named."""

    def post(*kinds, project=None):
        for kind in kinds:
            writer.run(
                lambda connection, kind=kind: write_letters(connection, project, kind, {}, now[0])
            )

    return post


@pytest.fixture
def webhook(webhooks):
    return webhooks.add(None, URL)[0]


@pytest.fixture
def send(webhooks):
    """One try in the name of a run; return the letter's kind and what became of it."""

    def send(id, answer=TAKEN, run_id="run_a"):
        letter = webhooks.claim(id, run_id)
        if letter is None:
            return None
        return letter.body.split('"')[3], webhooks.tried(letter, run_id, answer)

    return send


def test_a_secret_is_shown_once_and_is_long(webhooks, ask):
    id, secret = webhooks.add(None, f" {URL} ")

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert webhooks.target(id) == (URL, secret)
    assert webhooks.add(None, URL)[1] != secret
    assert secret not in repr(webhooks.every())


@pytest.mark.parametrize(
    "url",
    ["", "http://example.com/", "https://me:it@example.com/", "https://169.254.169.254/",
     "https://example.com/a b", "https://example.com/ü", "https://example.com/" + "x" * 2000],
)  # fmt: skip
def test_a_letter_goes_by_https_to_a_declared_place(webhooks, url):
    with pytest.raises(BadRequest) as caught:
        webhooks.add(None, url)

    assert caught.value.param == "url"
    assert webhooks.every() == []


def test_there_are_so_many_at_most(webhooks, book):
    for _ in range(MOST_WEBHOOKS):
        webhooks.add(book.project.id, URL)

    with pytest.raises(BadRequest, match="at most 20"):
        webhooks.add(book.project.id, URL)
    webhooks.add(None, URL)
    assert len(webhooks.every(book.project.id)) == MOST_WEBHOOKS
    assert len(webhooks.every()) == MOST_WEBHOOKS + 1


def test_one_that_is_removed_is_gone_and_so_is_what_waits(webhooks, webhook, post, ask):
    post("a")

    assert webhooks.remove(webhook) == URL

    assert webhooks.every() == webhooks.due() == []
    assert webhooks.claim(webhook, "run_a") is None
    assert ask("SELECT state, error FROM webhook_delivery") == [
        ("failed", "the webhook was removed")
    ]
    for act in (webhooks.remove, webhooks.get, webhooks.target):
        with pytest.raises(NotFound, match="larouter alerts webhook list"):
            act(webhook)


def test_letters_go_in_order_and_none_overtakes_one_that_waits(webhook, webhooks, post, send, now):
    post("a", "b", "c")

    assert send(webhook) == ("a", "sent")
    assert send(webhook, DOWN) == ("b", "waiting")
    assert webhooks.due() == []
    assert send(webhook) is None
    now[0] += wait_ms(0)
    assert webhooks.due() == [webhook]
    assert send(webhook) == ("b", "sent")
    assert send(webhook) == ("c", "sent")
    assert send(webhook) is None


def test_at_most_one_process_has_a_webhook(webhook, webhooks, post):
    post("a", "b")

    first = webhooks.claim(webhook, "run_a")

    assert first is not None
    assert webhooks.claim(webhook, "run_b") is None
    assert webhooks.claim(webhook, "run_a") is None
    assert webhooks.due() == []


def test_a_lease_that_ran_out_is_another_s_and_the_letter_keeps_its_id(
    webhook, webhooks, post, now, ask
):
    post("a")
    first = webhooks.claim(webhook, "run_a")

    now[0] += LEASE_MS
    second = webhooks.claim(webhook, "run_b")
    assert second == first
    # The one that was slow comes back: its letter is taken, and the other's lease stays.
    webhooks.tried(first, "run_a", TAKEN)
    assert ask("SELECT lease_by FROM webhook") == [("run_b",)]
    webhooks.tried(second, "run_b", DOWN)
    assert ask(OUTBOX) == [(webhook, "sent")]
    assert ask("SELECT tries FROM webhook_delivery") == [(1,)]


def test_a_process_that_is_known_to_be_dead_holds_no_lease(webhook, webhooks, post, writer):
    post("a")
    run = Run(writer, Rollups(lambda project_id: "UTC"))
    webhooks.claim(webhook, run.id)
    assert webhooks.due() == []

    run.end()

    assert webhooks.due() == [webhook]
    assert webhooks.claim(webhook, "run_b") is not None


def test_a_clock_that_is_set_back_keeps_nothing_waiting(webhook, webhooks, post, send, now):
    post("a")
    send(webhook, DOWN)
    now[0] -= DAY
    assert webhooks.due() == [webhook]
    webhooks.claim(webhook, "run_a")
    now[0] -= DAY
    assert webhooks.due() == [webhook]


def test_it_is_tried_ever_more_seldom():
    assert [wait_ms(tries) // 1000 for tries in range(12)] == [
        5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600,
    ]  # fmt: skip
    assert wait_ms(10**6) == LONGEST_MS


@pytest.mark.parametrize(("retry_s", "waits_s"), [(3, 5), (90, 90), (10**6, 3600)])
def test_a_receiver_may_say_when(webhook, webhooks, post, now, ask, retry_s, waits_s):
    post("a")

    webhooks.tried(webhooks.claim(webhook, "r"), "r", Answer(503, "busy", retry_s))

    assert ask("SELECT next_ms FROM webhook") == [(now[0] + waits_s * 1000,)]


def test_after_three_days_it_is_given_up_and_the_next_one_has_its_turn(
    webhook, webhooks, post, send, now
):
    post("a")
    began, tries = now[0], 0
    while True:
        tries += 1
        said = send(webhook, DOWN)
        if said == ("a", "failed"):
            break
        assert said == ("a", "waiting")
        now[0] += wait_ms(tries - 1)

    assert GIVEN_UP_MS <= now[0] - began < GIVEN_UP_MS + LONGEST_MS
    (row,) = webhooks.every()
    assert (row.waiting, row.failed, row.error) == (0, 1, DOWN.error)
    post("b")
    assert send(webhook) == ("b", "sent")
    assert webhooks.get(webhook).error is None


def test_a_machine_that_slept_for_days_has_not_tried(webhook, post, send, now):
    post("a")
    now[0] += 4 * DAY

    for _ in range(GIVEN_UP_TRIES - 1):
        assert send(webhook, DOWN) == ("a", "waiting")
        now[0] += LONGEST_MS
    assert send(webhook, DOWN) == ("a", "failed")


def test_a_receiver_that_is_gone_is_left_alone_until_somebody_says_so(
    webhook, webhooks, post, send, ask
):
    post("a", "b")

    assert send(webhook, Answer(410, "example.com answered 410")) == ("a", "failed")

    post("c")
    assert webhooks.due() == []
    assert send(webhook) is None
    assert webhooks.get(webhook).stopped_ms is not None
    webhooks.resume(webhook)
    assert send(webhook) == ("b", "sent")
    assert send(webhook) is None
    assert [state for _, state in ask(OUTBOX)] == ["failed", "sent"]


def test_what_became_of_letters_is_counted_for_a_month(webhook, webhooks, post, send, now):
    post("a", "b")
    send(webhook)
    now[0] += 31 * DAY
    post("c")
    send(webhook, DOWN)

    webhooks.forget_old()

    row = webhooks.get(webhook)
    assert (row.sent, row.waiting, row.failed) == (0, 2, 0)
    assert (row.error, row.tried_ms) == (DOWN.error, now[0])

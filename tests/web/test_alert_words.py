"""Alerts in words."""

import time

import pytest

from larouter.core.report import AlertLine
from larouter.web.alert_words import command, headline, standing
from larouter.web.words import clock

DOLLAR = 10**9
NOW = int(time.time() * 1000)
DAY = 86_400_000


def an_alert(**changes):
    facts = {
        "id": 3, "project": "bakery", "budget_id": 7, "budget": "daily budget", "mark": 80,
        "spent": 4 * DOLLAR, "cap": 5 * DOLLAR, "start_ms": NOW - DAY, "created_ms": NOW,
        "renews_ms": NOW + 3 * DAY, "spent_now": 4_020_000_000, "cap_now": 5 * DOLLAR,
    }  # fmt: skip
    return AlertLine(**(facts | changes))  # type: ignore[arg-type]


UNUSUAL = {"budget_id": None, "budget": "", "mark": 0, "spent": 12_400_000_000, "cap": 2 * DOLLAR,
           "renews_ms": None}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "bakery: daily budget has passed 80 %"),
        ({"project": None}, "This machine: daily budget has passed 80 %"),
        ({"mark": 0}, "bakery: daily budget is blocked"),
        (UNUSUAL, "bakery: $12.40 within an hour, more than usual"),
        ({"project": "a\u202eb", "budget": "x" * 90}, f"ab: {'x' * 59}… has passed 80 %"),
    ],
)
def test_what_happened(changes, words):
    assert headline(an_alert(**changes)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, f"$4.02 of $5.00 spent; renews {clock(NOW + 3 * DAY)}."),
        ({"renews_ms": None}, "$4.02 of $5.00 spent; it does not renew by itself."),
        ({"renews_ms": NOW}, "That period is over."),
        ({"metric": "requests", "spent_now": 1200, "cap_now": 1500, "renews_ms": None},
         "1,200 of 1,500 requests used; it does not renew by itself."),
        ({"mark": 0, "is_blocked": True},
         "A call cost more than it could, so nothing more is sent; $4.02 of $5.00 spent."),
        ({"mark": 0}, "$4.02 of $5.00 spent; calls pass again."),
        (UNUSUAL, "Above $2.00 an hour is unusual for it at this time."),
    ],
)  # fmt: skip
def test_how_it_stands(changes, words):
    assert standing(an_alert(**changes), NOW) == words


def test_what_renews_within_the_day_is_told_by_the_hour():
    soon = standing(an_alert(renews_ms=NOW + 1), NOW)

    assert " renews today " in soon


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "larouter budgets change 7 --amount …"),
        ({"mark": 0, "is_blocked": True}, "larouter budgets resume 7"),
        ({"mark": 0}, ""),
        (UNUSUAL, "larouter usage --period daily"),
    ],
)
def test_what_to_type_next(changes, words):
    assert command(an_alert(**changes)) == words

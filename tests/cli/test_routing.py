"""`larouter route`, with and without a server."""

import json

import pytest

from larouter.core.errors import LARouterError


def test_route_says_where_and_why(cli):
    first, *reasons = cli.lines("route", "Hi!")

    assert first == "HEARTBEAT → local/smollm2-135m"
    assert reasons
    assert all(line.startswith("  ") for line in reasons)


def test_route_as_json_is_the_decision(cli):
    decision = json.loads(
        cli.run("route", "Prove that there are infinitely many primes.", "--json").stdout
    )

    assert {"tier", "score", "model", "provider", "stage", "reasons"} <= set(decision)


def test_route_says_what_a_budget_refuses(alone):
    alone.run("route", "Hi!")
    alone.run("budgets", "add", "default", "0", "--metric", "requests")

    first, reason, *_ = alone.lines("route", "Hi!")

    assert first == "HEARTBEAT → insufficient_quota"
    assert "is used up" in reason


def test_route_uses_a_bearer_that_it_is_given(cli):
    with pytest.raises(LARouterError, match="bearer is not valid"):
        cli.run("route", "Hi!", LAROUTER_BEARER="lr_wrong")

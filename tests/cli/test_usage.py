"""`larouter usage`, with and without a server; the export is the database, line by line."""

import json

import click
import pytest


def test_nothing_asked_is_nothing_spent(alone):
    assert alone.lines("usage") == ["0 requests, 0 answered", "0 tokens in, 0 out", "$0"]


def test_usage_as_json_is_what_the_api_says(cli):
    usage = json.loads(cli.run("usage", "--period", "daily", "--json").stdout)

    assert usage["period"] == "daily"
    assert {"totalCost", "totalCalls", "byModel", "byTier", "dailyCosts"} <= set(usage)


def test_an_export_needs_to_be_told_of_what(alone):
    with pytest.raises(click.UsageError):
        alone.run("usage", "export")


def test_nothing_asked_exports_nothing(alone):
    assert alone.run("usage", "export", "--attempts").stdout == ""

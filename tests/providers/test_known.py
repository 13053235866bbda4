"""The providers that need no address: each row is whole, dated and can be added."""

import datetime
from pathlib import Path

import pytest

from larouter.config import folder, parse_url
from larouter.providers.known import read_known

SHIPPED = (folder("data") / "providers.toml").read_text("utf-8")
ROW = """
[[provider]]
name = "a"
title = "A"
wire = "openai"
url = "https://a.example/v1"
source = "https://docs.a.example"
checked = 2026-11-23
"""


def test_the_shipped_rows_can_be_read():
    known = read_known(SHIPPED)

    assert {"groq", "mistral", "openrouter"} <= set(known)
    for name, row in known.items():
        assert (row.name, parse_url("url", row.url)) == (name, row.url)
        assert row.checked <= datetime.datetime.now(datetime.UTC).date()


def test_the_shipped_names_are_documented():
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")

    assert [name for name in read_known(SHIPPED) if f"`{name}`" not in text] == []


def test_a_row_is_read():
    row = read_known(ROW)["a"]

    assert (row.title, row.wire, row.url) == ("A", "openai", "https://a.example/v1")
    assert (row.source, row.checked) == ("https://docs.a.example", datetime.date(2026, 11, 23))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"openai"', '"telepathy"', "unknown wire"),
        ("https://a.example/v1", "http://a.example/v1", "no https"),
        ("https://a.example/v1", "https://a.example/v1/", "slash"),
        ("https://docs.a.example", "hearsay", "no source"),
        ("2026-11-23", '"today"', "no day"),
        ("2026-11-23", "2026-11-23T10:00:00Z", "no day"),
    ],
)
def test_a_row_that_is_not_whole_is_refused(old, new, why):
    with pytest.raises(ValueError, match=why):
        read_known(ROW.replace(old, new))


@pytest.mark.parametrize("text", [ROW.replace("title", "titl"), "[[provider]]\nname = 'a'"])
def test_a_row_has_these_keys_and_no_others(text):
    with pytest.raises(TypeError):
        read_known(text)


def test_a_name_is_there_once():
    with pytest.raises(ValueError, match="same name"):
        read_known(ROW + ROW)

import re
from datetime import date
from decimal import Decimal

import pytest

from larouter.core.toml_row import Row, exact_decimal, whole_number

KEYS = frozenset({"name", "day", "tokens", "words", "rows"})


def row(**data):
    return Row(data, "a row", KEYS)


def test_a_row_gives_what_it_has():
    full = row(name="x", day=date(2026, 11, 23), tokens=5, words=["a", "b"], rows=[{}, {}])

    assert (full.text("name"), full.maybe_text("name"), full.any("name")) == ("x", "x", "x")
    assert (full.day("day"), full.maybe_day("day")) == (date(2026, 11, 23), date(2026, 11, 23))
    assert (full.number("tokens"), full.words("words")) == (5, ("a", "b"))
    assert full.tables("rows") == [{}, {}]
    assert "name" in full


def test_what_may_be_missing_is_none_or_empty():
    empty = row()

    assert (empty.maybe_text("name"), empty.maybe_day("day"), empty.number("tokens")) == (None,) * 3
    assert (empty.words("words"), empty.tables("rows"), empty.any("rows", 1)) == ((), [], 1)
    assert empty.text("name", "else") == "else"
    assert "name" not in empty


def test_a_single_table_may_stand_alone():
    assert row(rows={"a": 1}).tables("rows") == [{"a": 1}]


@pytest.mark.parametrize("data", [None, 1, "x", []])
def test_what_is_no_table_is_refused(data):
    with pytest.raises(ValueError, match="a row is not a table"):
        Row(data, "a row", KEYS)


def test_an_unknown_key_is_refused():
    with pytest.raises(ValueError, match="a row has an unknown key: alias"):
        row(alias="x")


@pytest.mark.parametrize("value", ["", " ", " x", "a\nb", "a\x00", "x" * 1_001, 1, None, []])
def test_an_odd_text_is_refused(value):
    with pytest.raises(ValueError, match="a row has no name"):
        row(name=value).text("name")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "5", 10**30])
def test_an_odd_number_is_refused(value):
    with pytest.raises(ValueError, match="tokens of a row is not a whole number above 0"):
        row(tokens=value).number("tokens")


def test_a_number_has_a_limit_of_its_own():
    assert whole_number(5, "it", most=5) == 5
    with pytest.raises(ValueError, match="it is not"):
        whole_number(6, "it", most=5)


@pytest.mark.parametrize(
    ("words", "fault"),
    [("a", "not a list of words"), (["a", 1], "not a list of words"), (["a", "a"], "twice")],
)
def test_odd_words_are_refused(words, fault):
    with pytest.raises(ValueError, match=fault):
        row(words=words).words("words")


def test_rows_that_are_none_are_refused():
    with pytest.raises(ValueError, match="rows of a row is not a list of tables"):
        row(rows="x").tables("rows")


@pytest.mark.parametrize("text", ["0", "0.10", "1.250", "1000000"])
def test_a_figure_is_kept_as_it_was_printed(text):
    assert str(exact_decimal(text, "it", 1_000_000)) == text


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (1, "not a string in quotes"),
        (1.5, "not a string in quotes"),
        (Decimal(1), "not a string in quotes"),
        ("one", "no number: one"),
        ("1,5", "no number"),
        ("", "no number"),
        ("-1", "out of range"),
        ("NaN", "out of range"),
        ("Infinity", "out of range"),
        ("11", "out of range"),
        ("1e-9", "out of range"),
        ("0." + "1" * 30, "out of range"),
    ],
)
def test_an_odd_figure_is_refused(value, fault):
    with pytest.raises(ValueError, match=re.escape(fault)):
        exact_decimal(value, "it", 10)

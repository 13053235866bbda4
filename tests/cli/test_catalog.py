"""`larouter catalog`: look, agree, use, go back."""

import click
import pytest

from larouter.core.errors import BadRequest, LARouterError
from tests.catalogs import TEXT


@pytest.fixture
def newer(alone, tmp_path):
    """A file in which one price is another one."""
    text = alone.run("catalog", "show", "--toml").stdout
    path = tmp_path / "newer.toml"
    path.write_text(text.replace('input = "1.32"', 'input = "9.99"'), encoding="utf-8")
    return path


def test_the_models_and_their_prices_are_listed(cli):
    first, *rows = cli.lines("catalog", "show")

    assert "shipped with LARouter" in first
    shown = {row.split()[0]: row.split()[1:] for row in rows}
    assert shown["gpt-6-luna"][:3] == ["openai", "0.1", "0.5"]
    assert shown["gemini-2.5-flash"][-2:] == ["closes", "2026-12-01"]
    assert shown["smollm2-135m"][:3] == ["local", "0", "0"]


@pytest.mark.parametrize("name", ["deepseek-flash", "deepseek/deepseek-flash"])
def test_one_model_is_told_with_its_sources(alone, name):
    lines = alone.lines("catalog", "show", name)

    assert lines[0] == "DeepSeek V4.1 Flash (deepseek/deepseek-flash)"
    assert any(line.startswith("  read on 2026-11-23: https://api-docs.deepseek") for line in lines)
    assert any("peak 01:00-04:00; 06:00-10:00, days 1; 2; 3; 4; 5" in line for line in lines)
    assert any("abilities: images; thinking; tools" in line for line in lines)


def test_a_price_to_come_is_told_with_its_day(alone):
    assert "  price from 2026-12-01" in alone.lines("catalog", "show", "gemini-4-argon")


def test_a_model_that_is_not_there(alone):
    with pytest.raises(LARouterError, match="no model 'gpt-1'"):
        alone.run("catalog", "show", "gpt-1")


def test_an_update_shows_its_changes_and_asks(alone, newer):
    shown = alone.run("catalog", "update", str(newer), stdin="y\n").stdout

    assert "  model deepseek-v4-pro: price: input: 1.32 → 9.99" in shown
    assert "Use this catalogue? [y/N]" in shown
    assert "is in force" in shown
    assert "yours" in alone.lines("catalog", "show")[0]


def test_who_says_no_keeps_what_there_is(alone, newer):
    with pytest.raises(click.Abort):
        alone.run("catalog", "update", str(newer), stdin="n\n")

    assert "shipped" in alone.lines("catalog", "show")[0]


def test_an_update_that_changes_nothing_asks_nothing(alone, newer):
    alone.run("catalog", "update", str(newer), "--yes")

    assert alone.lines("catalog", "update", str(newer)) == ["Nothing would change."]


def test_new_and_removed_models_are_told(alone, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(TEXT, encoding="utf-8")

    shown = alone.lines("catalog", "update", str(other), "--yes")

    assert "new: model big" in shown
    assert "  model big: context: - → 1000" in shown
    assert "removed: model gpt-6-luna" in shown


def test_a_reset_goes_back(alone, newer):
    alone.run("catalog", "update", str(newer), "--yes")

    shown = alone.lines("catalog", "reset")

    assert shown[0] == "  model deepseek-v4-pro: price: input: 9.99 → 1.32"
    assert shown[-1].startswith("The shipped catalogue of ")
    assert "shipped" in alone.lines("catalog", "show")[0]


def test_a_damaged_file_is_told(alone):
    (alone.home / "catalog.toml").write_text("date = ")

    result = alone.run("catalog", "show")

    assert "catalog.toml in the data folder is not used" in result.stderr


@pytest.mark.parametrize(
    ("source", "fault"),
    [("nowhere.toml", "cannot be read"), ("http://example.com/catalog.toml", "begins with https")],
)
def test_what_cannot_be_read_is_told(alone, source, fault):
    with pytest.raises(LARouterError, match=fault):
        alone.run("catalog", "update", source)


def test_a_file_that_is_no_text_is_told(alone, tmp_path):
    other = tmp_path / "other.toml"
    other.write_bytes(b"\xff\xfe")

    with pytest.raises(BadRequest, match="cannot be read"):
        alone.run("catalog", "update", str(other))

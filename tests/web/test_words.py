"""What people read instead of nano-dollars, milliseconds and codes."""

import time

import pytest

from larouter.web import words


@pytest.mark.parametrize(
    ("nusd", "expected"),
    [
        (0, "$0.00"),
        (1, "< $0.0001"),
        (99_999, "< $0.0001"),
        (100_000, "$0.0001"),
        (9_100_000, "$0.0091"),
        (999_999_999, "$1.0000"),
        (1_000_000_000, "$1.00"),
        (1_234_567_890_000, "$1,234.57"),
    ],
)
def test_money(nusd, expected):
    assert words.money(nusd) == expected


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (0, "< 1 ms"),
        (999, "999 ms"),
        (1_730, "1.73 s"),
        (12_340, "12.3 s"),
        (125_000, "2 min 5 s"),
    ],
)
def test_took(ms, expected):
    assert words.took(ms) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "less than a minute"),
        (60, "1 min"),
        (3_600 * 3 + 12 * 60, "3 h 12 min"),
        (86_400 * 2 + 3_600 * 5, "2 d 5 h"),
    ],
)
def test_span(seconds, expected):
    assert words.span(seconds) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain – ünïcode 你好 ✓", "plain – ünïcode 你好 ✓"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("\x1b[31mred\x00", "[31mred"),
        ("evil\u202egnp.exe\u200b", "evilgnp.exe"),
        ("half \ud800 letter", "half  letter"),
        (None, "None"),
    ],
)
def test_plain_strips_what_acts_on_a_screen(text, expected):
    assert words.plain(text) == expected


def test_a_moment_of_today_is_a_time():
    moment = words.clock(int(time.time() * 1000))

    assert len(moment) == 8
    assert moment.count(":") == 2


def test_a_moment_of_another_day_carries_its_day():
    assert words.clock(1_700_000_000_000).endswith(words.iso(1_700_000_000_000)[11:16])
    assert "Nov" in words.clock(1_700_000_000_000)


@pytest.mark.parametrize(
    ("reason", "provider", "expected"),
    [
        ("no-key", "anthropic", "no Anthropic key"),
        ("no-key", "", "no provider key"),
        ("provider-down", "mine", "mine is not available"),
        ("never heard of", "", "never heard of"),
    ],
)
def test_degraded(reason, provider, expected):
    assert words.degraded(reason, provider) == expected


def test_an_unknown_stage_is_shown_as_it_is():
    assert words.stage("rules") == "by rule"
    assert words.stage("oracle") == "oracle"


def test_an_unknown_problem_is_read_out():
    assert words.problem("model_not_found") == "no model has that name"
    assert words.problem("sun_spots") == "sun spots"


def test_thousands():
    assert words.thousands(1_234_567) == "1,234,567"

"""A project's own words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.privacy.patterns import Patterns, check_pattern


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ACME-####", "See acme-1234."),
        ("Project Falcon", "the PROJECT\nfalcon"),
        ("*@acme.example", "jane@ACME.example"),
        ("PROJ-*", "PROJ-x9"),
        ("a*b-*c9", "a1b-2c9"),
        ("a*b-*c9", "axb-xxc8c9"),
        ("a**b9", "axxb9"),
        ("***abc***", "xabcx"),
        ("机密项目", "这是机密项目的文件"),
        ("프로젝트", "프로젝트는"),
        ("STRAẞE", "Straße"),
        ("Cafe\u0301 1", "Café 1"),
        ("Café 1", "cafe\u0301 1"),
        ("(x)!", "f(x)!y"),
        ("## ##", "am 12 34"),
        ("[a-z]", "the set [a-z]"),
    ],
)
def test_a_pattern_finds(pattern, text):
    check_pattern(pattern)

    assert Patterns([pattern]).match(text)
    assert Patterns(["something else", pattern]).match(f"Before, {text}, after")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ACME-####", "ACME-123"),
        ("ACME-####", "ACME-12345"),
        ("ACME-####", "XACME-1234"),
        ("ACME-####", "ACME-١٢٣٤"),
        ("Falcon", "Falconry"),
        ("Falcon", "PeregrineFalcon"),
        ("a*b9", "a b9"),
        ("a*b9", "a" + "x" * 101 + "b9"),
        ("[a-z]", "abc"),
        ("abc", ""),
    ],
)
def test_a_pattern_finds_nothing_else(pattern, text):
    assert not Patterns([pattern]).match(text)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("ab", "3 to 100"),
        ("a" * 101, "3 to 100"),
        ("ab\0", "3 to 100"),
        ("a*b", "everything"),
        ("* * *", "everything"),
        ("a*b*c*d*e*f*g", "5 stars"),
    ],
)
def test_a_pattern_that_cannot_be_looked_for_is_refused(pattern, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        check_pattern(pattern)


@given(st.text(st.sampled_from("ab#1 -"), min_size=3, max_size=12))
def test_without_stars_a_pattern_finds_itself(pattern):
    pattern = " ".join(pattern.split())
    text = pattern.replace("#", "7")

    try:
        check_pattern(pattern)
    except ValueError:
        return
    assert Patterns([pattern]).match(f"{text}")

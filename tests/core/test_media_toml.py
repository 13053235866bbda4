from fractions import Fraction

import pytest

from larouter.config import folder
from larouter.core.media import Facts
from larouter.core.media_toml import read_media

ROW = """
[[medium]]
provider = "cloud"
models = ["a", "b"]
image = 1000
patch = 32
per_patch = "1.2"
source = "a page"
checked = 2026-11-23
"""


def test_a_row_is_read():
    assert read_media(ROW) == (
        Facts(
            provider="cloud", models=("a", "b"), image=1000, patch=32, per_patch=Fraction(6, 5)
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('source = "a page"', "", "no source"),
        ("checked = 2026-11-23", "", "no date in checked"),
        ('"a page"', '"unknown"', "its source is unknown"),
        ("image = 1000", "image = 0", "whole number"),
        ('"1.2"', "1.2", "in quotes"),
        ("patch = 32", "pitch = 32", "unknown key"),
    ],
)
def test_what_is_not_as_it_should_be_is_refused(old, new, why):
    with pytest.raises(ValueError, match=why):
        read_media(ROW.replace(old, new))


def test_the_shipped_facts_are_for_every_provider_with_pictures():
    shipped = read_media((folder("data") / "media.toml").read_text("utf-8"))

    assert {facts.provider for facts in shipped} == {"anthropic", "openai", "google", "deepseek"}

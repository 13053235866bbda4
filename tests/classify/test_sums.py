"""One operation on two numbers."""

import tomllib

import pytest

from larouter.classify.sums import Sums
from larouter.config import folder

SUMS = Sums(tomllib.loads((folder("data") / "rules.toml").read_text("utf-8"))["arithmetic"])


@pytest.mark.parametrize(
    "text",
    ["2+2", "what is 2 + 2?", "What's 17*23", "1,000 / 8", "7 × 8", "combien font 3 - -4", "12*9?",
     "сколько будет 2+2?", "2^10", "7 mal 8", "what's 17 times 23", "15% of 80", "15 % von 80",
     "seven times eight", "7乘以8等于多少", "7かける8は", "square root of 144", "10/2=",
     "what is 10/2"],
)  # fmt: skip
def test_one_sum_is_simple(text):
    assert SUMS.is_one(text)


@pytest.mark.parametrize(
    "text",
    ["2024", "what is 5", "1. 2.", "x + y", "1-800-HELP", "12.5 % of", "24/7", "9/11", "2024-11",
     "1920x1080", "10/12/2024", "2+2*3", "calculate 5 * (2 + 3)", "(3 + 4) * 5 =",
     "123456789 * 987654321", "what is 5 times the price"],
)  # fmt: skip
def test_no_sum_or_several_pass_on(text):
    assert not SUMS.is_one(text)

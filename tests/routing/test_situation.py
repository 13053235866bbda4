"""One request as routing sees it."""

from __future__ import annotations

import pytest

from larouter.core.catalog import Tier
from larouter.core.chat import Message
from larouter.routing.situation import Situation, estimated_tokens
from tests.fakes import a_request, with_fields
from tests.routing.house import HOUSE, PROVIDERS, SMART, a_case, a_verdict


@pytest.mark.parametrize(
    ("rank", "max_output", "expected"),
    [(0, None, 30), (3, None, 1_000), (3, 10, 10), (3, 32_000, 1_000), (9, None, 2_000)],
)
def test_an_answer_of_typical_length_is_expected(rank, max_output, expected):
    tier = Tier(name="T", rank=rank, title="t", models=())

    assert a_case(with_fields(a_request(), max_output=max_output)).output_tokens(tier) == expected


def test_a_model_outside_the_tiers_answers_at_some_length():
    assert a_case().output_tokens(None) == 500
    assert a_case(with_fields(a_request(), max_output=7)).output_tokens(None) == 7


def test_a_prompt_is_estimated_by_its_bytes():
    assert estimated_tokens(with_fields(a_request(), size=4_003)) == 1_000


def test_a_picture_is_no_text():
    request = with_fields(
        a_request(), size=16_384 + 400, needs=frozenset({"images"}),
        messages=(Message("user", "x" * 400),),
    )  # fmt: skip

    assert estimated_tokens(request) == 100 + 1_024


def test_what_is_not_given_is_not_known():
    world = Situation(
        catalog=lambda: HOUSE, providers=PROVIDERS, missing=lambda model: None,
        classify=lambda request: a_verdict(),
    )  # fmt: skip
    request = a_request()

    assert world.unknown_model == "reject"
    assert world.memory is None
    assert world.rests("x") == 0.0
    assert {
        world.caller(request), world.private(request), world.count(SMART, request),
        world.forecast(SMART, 1, 1),
    } == {None}  # fmt: skip

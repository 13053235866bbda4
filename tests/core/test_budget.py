"""The most that one call can take, and how long its answer may get within a budget."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from larouter.core.budget import (
    LEAST_OUTPUT,
    MOST_OUTPUT,
    MOST_PROMPT,
    TOOLS,
    Beyond,
    Bound,
    Budget,
    bound_of,
)
from larouter.core.price import UNKNOWN, Price
from tests.fakes import CLOUD, LOCAL, OTHER, a_request, with_fields

PRICE = Price(input=Decimal(1), output=Decimal(10))
A_TOKEN, AN_OUTPUT = 1_000, 10_000
"""Nano-dollars of one token of the prompt, and of the answer."""


@pytest.mark.parametrize(
    ("model", "max_output", "output"),
    [(CLOUD, None, 1_000), (CLOUD, 10, 10), (CLOUD, 5_000, 1_000), (OTHER, 10, 10),
     (OTHER, None, None), (CLOUD, 0, 0)],
)  # fmt: skip
def test_a_bound_knows_the_smaller_limit(model, max_output, output):
    request = with_fields(a_request(), max_output=max_output, n=2)

    bound = bound_of(model, request)

    assert (bound.output, bound.n, bound.prompt) == (output, 2, request.size)


def test_the_cost_of_a_bound_counts_every_answer():
    assert Bound(PRICE, 500, 3, 100).cost(100) == 500 * A_TOKEN + 3 * 100 * AN_OUTPUT
    assert Bound(PRICE, 500, 3, 100).tokens(100) == 800


def test_what_is_free_costs_nothing_and_what_is_unknown_is_not_known():
    assert Bound(LOCAL.price, 500, 1, None).cost(9_999) == 0
    assert Bound(UNKNOWN, 500, 1, 10).cost(10) is None


@pytest.mark.parametrize(
    ("cost", "tokens", "longest"),
    [
        (None, None, 1_000),
        (500 * A_TOKEN + 1_000 * AN_OUTPUT, None, 1_000),
        (500 * A_TOKEN + 1_000 * AN_OUTPUT - 1, None, 999),
        (500 * A_TOKEN + LEAST_OUTPUT * AN_OUTPUT, None, LEAST_OUTPUT),
        (500 * A_TOKEN + LEAST_OUTPUT * AN_OUTPUT - 1, None, None),
        (None, 1_499, 999),
        (None, 500 + LEAST_OUTPUT - 1, None),
        (500 * A_TOKEN + 700 * AN_OUTPUT, 1_100, 600),
    ],
)
def test_the_longest_answer_that_the_rest_pays_for(cost, tokens, longest):
    assert Bound(PRICE, 500, 1, 1_000).longest(cost, tokens) == longest


def test_a_short_answer_is_not_refused_for_the_least_length():
    bound = Bound(PRICE, 500, 1, 10)

    assert bound.longest(500 * A_TOKEN + 10 * AN_OUTPUT, None) == 10
    assert bound.longest(500 * A_TOKEN + 9 * AN_OUTPUT, None) is None


def test_without_a_limit_an_answer_is_given_one():
    assert Bound(PRICE, 500, 1, None).longest(10**15, None) == MOST_OUTPUT


def test_an_unknown_price_fits_into_no_budget():
    assert Bound(UNKNOWN, 500, 1, 10).longest(10**15, None) is None
    assert Bound(UNKNOWN, 500, 1, 10).longest(None, 10**6) == 10


@given(rest=st.integers(0, 10**9), prompt=st.integers(0, 50_000), n=st.integers(1, 4))
def test_no_longer_answer_would_fit(rest, prompt, n):
    bound = Bound(PRICE, prompt, n, 4_096)

    longest = bound.longest(rest, None)

    if longest is None:
        assert bound.cost(LEAST_OUTPUT) > rest
    else:
        assert bound.cost(longest) <= rest
        assert longest == 4_096 or bound.cost(longest + 1) > rest


@pytest.mark.parametrize(
    ("scope", "of", "covers"),
    [("all", "", True), ("tier", "COMPLEX", True), ("tier", "SIMPLE", False),
     ("provider", "cloud", True), ("provider", "openai", False),
     ("model", "cloud/smart", True), ("model", "smart", False)],
)  # fmt: skip
def test_a_budget_covers_what_it_names(scope, of, covers):
    budget = Budget(id=1, project_id=None, name="b", cap=1, scope=scope, of=of)

    assert budget.covers("COMPLEX", CLOUD) is covers
    assert replace(CLOUD).key == "cloud/smart"


def test_what_is_asked_beside_the_text_counts():
    plain, tools = a_request(), a_request(tools=[{"type": "function", "function": {"name": "f"}}])

    assert bound_of(CLOUD, plain).prompt == plain.size
    assert bound_of(CLOUD, tools).prompt == tools.size + TOOLS
    assert bound_of(CLOUD, a_request(service_tier="priority")).service == "priority"
    assert bound_of(CLOUD, a_request(service_tier=None)).service is None
    assert bound_of(CLOUD, a_request(serviceTier="FLEX")).service == "flex"
    assert bound_of(CLOUD, a_request(speed="fast", service_tier="auto")).service == "fast"


def test_a_provider_of_another_format_is_asked_for_no_service():
    asked = a_request(service_tier="priority")

    assert bound_of(CLOUD, asked, 0, Beyond(translated=True)).service is None


@pytest.mark.parametrize(
    ("context", "media", "restored", "prompt"),
    [
        (None, 5_000, 0, 6_000),
        (10_000, 5_000, 300, 6_300),
        (4_000, 5_000, 0, 4_000),
        (500, 5_000, 0, 1_000),
        (4_000, None, 0, 4_000),
        (500, None, 0, 1_000),
        (None, None, 0, MOST_PROMPT),
    ],
)
def test_media_take_no_more_than_the_model_can(context, media, restored, prompt):
    request = with_fields(a_request(), size=1_000)

    bound = bound_of(replace(CLOUD, context=context), request, media, Beyond(restored))

    assert bound.prompt == prompt


def test_a_tool_that_the_provider_bills_is_said():
    assert bound_of(CLOUD, a_request(), 0, Beyond(tool="web_search")).tool == "web_search"


def test_a_completion_of_no_tokens_may_become_one_elsewhere():
    request = with_fields(a_request(), max_output=0, dialect="completions")

    assert bound_of(CLOUD, request).output == 1

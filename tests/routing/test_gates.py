"""Who cannot answer, one question at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec.structs import replace as with_

from larouter.routing import gates
from larouter.routing.policies import limits_of
from tests.fakes import a_request, with_fields
from tests.routing.house import SMALL, SMART, a_case, asking

KNOWN = replace(SMALL, abilities=frozenset({"tools"}), context=1_000)


def test_a_model_that_nothing_is_against():
    assert gates.shut(SMALL, a_case(), 100) is None


@pytest.mark.parametrize(("why", "words"), [("no-key", "has no key"), ("on strike", "on strike")])
def test_a_missing_model(why, words):
    case = a_case(without={"small": why})

    assert gates.is_missing(SMALL, case, 0) == (why, words)
    gate = gates.shut(SMALL, case, 0)
    assert gate is not None
    assert gate.by == "missing"


def test_what_is_missing_is_asked_once():
    asked: list[object] = []
    world = replace(a_case().situation, missing=asked.append)
    case = with_(a_case(), situation=world)

    for _ in range(2):
        assert gates.is_missing(SMALL, case, 0) is None

    assert asked == [SMALL]
    assert a_case().known == {}


def test_a_resting_model():
    case = a_case(rests=lambda key: 3.0)

    assert gates.is_resting(SMALL, case, 0) is None  # an engine has its own backoff
    assert gates.is_resting(SMART, case, 0) == (
        "provider-down", "failed several times in a row and rests for 3 s",
    )  # fmt: skip
    assert gates.is_resting(SMART, a_case(), 0) is None


@pytest.mark.parametrize(
    ("needs", "lacking"),
    [((), None), (("tools",), None), (("tools", "images", "audio"), "audio")],
)
def test_an_ability(needs, lacking):
    case = a_case(with_fields(a_request(), needs=frozenset(needs)))

    assert gates.lacking_ability(KNOWN, case) == lacking
    assert gates.lacks_ability(KNOWN, case, 0) == (
        None if lacking is None else ("policy", f"cannot do {lacking}")
    )
    assert gates.lacks_ability(SMALL, case, 0) is None  # nobody knows what it can do


@pytest.mark.parametrize(
    ("size", "output", "fits"),
    [(900, 100, True), (1_001, 100, True), (12 * 900, 100, True), (12 * 900 + 1, 100, False),
     (10, 1_001, False)],
)  # fmt: skip
def test_a_prompt_and_its_answer_fit_together(size, output, fits):
    refusal = gates.is_too_small(KNOWN, a_case(with_fields(a_request(), size=size)), output)

    assert (refusal is None) == fits
    assert fits or refusal == ("context", "holds 1000 tokens, too few for a prompt this long")


def test_texts_to_embed_may_be_as_many_as_they_like():
    request = with_fields(a_request(), size=10**6, needs=frozenset({"embeddings"}))

    assert gates.is_too_small(KNOWN, a_case(request), 0) is None


@pytest.mark.parametrize(
    ("size", "counted", "fits", "asked"),
    [
        (1_200, 950, True, False),  # 300 tokens, and hardly more than 600: nobody counts
        (2_000, 950, False, True),
        (2_000, 900, True, True),
        (2_000, None, True, True),
    ],
)
def test_where_it_matters_the_tokens_are_counted(size, counted, fits, asked):
    counts = []

    def count(model, request):
        counts.append(model)
        return counted

    case = a_case(with_fields(a_request(), size=size), count=count)

    assert (gates.is_too_small(KNOWN, case, 100) is None) == fits
    assert counts == [KNOWN] * asked


def test_nobody_counts_for_a_cloud():
    case = a_case(with_fields(a_request(), size=2_000), count=lambda model, request: 10**6)

    assert gates.is_too_small(replace(SMART, context=1_000), case, 100) is None


def test_the_policy_is_asked_before_everything_else():
    request = asking({"mode": "local-only"})
    case = a_case(request, without={"smart": "no-key"})
    case = a_case(request, without={"smart": "no-key"}, limits=limits_of(case))

    gate = gates.shut(SMART, case, 0)

    assert gate is not None
    assert (gate.by, gate.why, gate.model) == ("local-only", "local-only", "google/smart-2026")
    assert gates.shut(SMALL, case, 0) is None

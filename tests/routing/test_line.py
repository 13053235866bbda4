"""The declared order."""

from __future__ import annotations

from larouter.routing.line import Candidate, Lines, line_of
from tests.fakes import a_catalog
from tests.routing.house import GENIUS, HOUSE, LARGE, LESSER, SMALL, SMART, TINY, changed


def _own(tier):
    return [HOUSE.models[name] for name in tier.models]


def test_a_tiers_own_then_cheaper_ones_then_free_ones_then_the_starter():
    moderate = line_of(HOUSE.tiers[2], HOUSE, _own)
    catalog = a_catalog(TINY, SMALL, LARGE, starter="tiny", SIMPLE=("small",), MODERATE=("large",))

    simple = Lines().of(catalog.tiers[0], catalog)

    assert moderate.candidates == (
        Candidate(LARGE, 2, True), Candidate(LESSER, 2, True), Candidate(SMALL, 1, False),
        Candidate(TINY, 0, False),
    )  # fmt: skip
    assert moderate.dearer == (Candidate(SMART, 3, False), Candidate(GENIUS, 4, False))
    assert simple.candidates == (
        Candidate(SMALL, 0, True), Candidate(LARGE, 1, False), Candidate(TINY, -1, False),
    )  # fmt: skip


def test_a_model_stands_in_a_line_once():
    catalog = a_catalog(SMALL, LOW=("small",), HIGH=("small",))

    line = Lines().of(catalog.tiers[1], catalog)

    assert line.candidates == (Candidate(SMALL, 1, True),)


def test_a_line_is_worked_out_once_for_each_catalogue():
    lines = Lines()
    tier = HOUSE.tiers[2]
    line = lines.of(tier, HOUSE)

    assert lines.of(tier, HOUSE) is line
    assert lines.of(tier, changed(LARGE, context=5)).candidates[0].model.context == 5

"""One set for the local tiers, from a large machine down to one where nothing fits."""

from dataclasses import replace

import pytest

from larouter.core.machine import GIB
from larouter.core.recommend import recommend
from tests.machines import a_machine
from tests.web.pages.fakes import shipped_catalog

E2B, E4B, M12, M26 = "gemma-4-e2b", "gemma-4-e4b", "gemma-4-12b", "gemma-4-26b-a4b"


def nothing_here(_model):
    return False


def advice_for(memory_gib, is_here=nothing_here, **facts):
    return recommend(shipped_catalog(), a_machine(memory_gib, **facts), is_here)


def tiers_of(advice):
    return {pick.model.id: pick.tiers for pick in advice.picks}


def test_a_large_machine_keeps_a_model_for_each_tier():
    advice = advice_for(64)

    assert tiers_of(advice) == {E2B: ("HEARTBEAT",), E4B: ("SIMPLE",), M26: ("MODERATE",)}
    assert advice.download_bytes == 3_349_516_256 + 5_154_941_280 + 14_439_363_584
    assert advice.memory_bytes == sum(pick.needs for pick in advice.picks)
    assert not advice.take_turns


@pytest.mark.parametrize(
    ("memory_gib", "small", "large"), [(32, E2B, M26), (24, E4B, M12), (23, E2B, M12)]
)
def test_where_memory_is_short_the_lower_tiers_share_a_model(memory_gib, small, large):
    advice = advice_for(memory_gib)

    assert tiers_of(advice) == {small: ("HEARTBEAT", "SIMPLE"), large: ("MODERATE",)}
    assert advice.memory_bytes <= a_machine(memory_gib).budget_bytes


def test_models_that_only_fit_one_by_one_take_turns():
    advice = advice_for(16)

    assert tiers_of(advice) == {E4B: ("HEARTBEAT", "SIMPLE"), M12: ("MODERATE",)}
    assert advice.take_turns
    assert advice.memory_bytes == max(pick.needs for pick in advice.picks)


@pytest.mark.parametrize(("memory_gib", "only"), [(12, E4B), (8, E2B)])
def test_on_a_small_machine_one_model_serves_all_local_tiers(memory_gib, only):
    assert tiers_of(advice_for(memory_gib)) == {only: ("HEARTBEAT", "SIMPLE", "MODERATE")}


def test_where_nothing_fits_it_says_what_is_left_to_what():
    advice = advice_for(4)

    assert (advice.picks, advice.download_bytes, advice.memory_bytes) == ((), 0, 0)
    assert advice.why == (
        "no downloadable model fits: models may use 2.58 GB here, so that 1.72 GB are left to "
        "everything else"
    )


def test_what_is_here_need_not_be_downloaded():
    advice = advice_for(16, lambda model: model.id == M12)

    assert advice.download_bytes == 5_154_941_280
    assert [pick.is_here for pick in advice.picks] == [False, True]


def test_a_short_disk_takes_a_smaller_set():
    advice = advice_for(64, disk_free_bytes=15 * GIB)

    assert tiers_of(advice) == {E4B: ("HEARTBEAT", "SIMPLE"), M12: ("MODERATE",)}


def test_a_full_disk_is_named_as_what_stands_against_it():
    advice = advice_for(64, disk_free_bytes=GIB)

    assert not advice.picks
    assert advice.why == (
        "the disk is short: 1.07 GB are free, and the set for this memory is 22.9 GB to download"
    )


def test_a_full_disk_takes_nothing_away_from_what_is_here():
    assert advice_for(8, lambda _model: True, disk_free_bytes=GIB).picks


def test_a_disk_that_nobody_can_measure_is_not_held_against_it():
    assert advice_for(64, disk_free_bytes=None).picks


def test_without_avx2_nothing_is_recommended():
    assert "AVX2" in advice_for(64, has_avx2=False).why


def test_without_a_local_tier_there_is_nothing_to_recommend():
    catalog = shipped_catalog()
    cloud = replace(catalog, tiers=tuple(row for row in catalog.tiers if row.rank > 2))

    assert "no tier" in recommend(cloud, a_machine(64), nothing_here).why


def test_a_single_local_tier_takes_the_best_that_fits():
    catalog = shipped_catalog()
    one = replace(catalog, tiers=tuple(row for row in catalog.tiers if row.name == "MODERATE"))

    assert tiers_of(recommend(one, a_machine(64), nothing_here)) == {M26: ("MODERATE",)}
    assert tiers_of(recommend(one, a_machine(20), nothing_here)) == {M12: ("MODERATE",)}

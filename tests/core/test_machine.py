"""What of a machine models may use."""

import pytest

from larouter.core.machine import GIB
from tests.machines import a_machine


def test_models_may_use_three_fifths_of_the_memory():
    machine = a_machine(20)

    assert machine.budget_bytes == 12 * GIB
    assert machine.left_bytes == 8 * GIB


def test_what_somebody_has_set_goes_first():
    machine = a_machine(20, models_bytes=19 * GIB)

    assert (machine.budget_bytes, machine.left_bytes) == (19 * GIB, GIB)


@pytest.mark.parametrize(
    ("facts", "runs"),
    [
        ({}, True),
        ({"has_avx2": False}, False),
        ({"has_avx2": None}, True),
        ({"has_avx2": False, "system": "darwin"}, True),
        ({"has_avx2": False, "architecture": "arm64"}, True),
    ],
)
def test_the_packaged_engine_needs_avx2_where_its_packages_do(facts, runs):
    assert a_machine(**facts).runs_engine is runs


def test_apple_silicon_is_a_mac_with_an_arm_processor():
    assert a_machine(system="darwin", architecture="arm64").is_apple_silicon
    assert not a_machine(system="darwin").is_apple_silicon
    assert not a_machine(architecture="arm64").is_apple_silicon

"""This machine, and others that are laid out as files."""

import logging
import os
import stat
import sys
from pathlib import Path

import pytest

from larouter.engines.hardware import Hardware

CPUINFO = "processor : 0\nmodel name\t: A processor\nflags\t\t: fpu avx avx2 avx512f\n"


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def other(tmp_path):
    """A machine of files, and a look at it."""

    class Other:
        root = tmp_path / "root"
        programs = tmp_path / "bin"

        def look(self, *, system="linux", python=("/nowhere/python",), architecture="x86_64"):
            hardware = Hardware(
                tmp_path / "home" / "not" / "yet",
                {"PATH": str(self.programs)},
                root=self.root,
                system=system,
                python=python,
                architecture=architecture,
            )
            hardware.learn()
            return hardware.machine()

        def program(self, name, script):
            self.programs.mkdir(exist_ok=True)
            path = self.programs / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return Other()


def test_this_machine_is_found():
    hardware = Hardware(Path.cwd(), {"PATH": os.defpath})
    hardware.learn()

    machine = hardware.machine()

    assert machine.system == sys.platform
    assert 1 <= machine.cores <= machine.threads
    assert 2**28 < machine.available_bytes <= machine.memory_bytes
    assert machine.disk_free_bytes
    # Too busy to be measured in time, it says nothing.
    assert machine.bytes_per_s is None or machine.bytes_per_s > 10**8


def test_before_it_has_learnt_it_asks_nobody(tmp_path):
    machine = Hardware(tmp_path, {}, root=tmp_path).machine()

    assert (machine.processor, machine.cards, machine.bytes_per_s) == ("", (), None)
    assert machine.memory_bytes > 0


def test_the_processor_says_what_it_can(other):
    write(other.root, "proc/cpuinfo", CPUINFO)

    machine = other.look()

    assert (machine.processor, machine.has_avx2, machine.has_avx512) == ("A processor", True, True)


def test_a_processor_without_avx2_is_told_from_one_that_says_nothing(other):
    assert other.look().has_avx2 is None

    write(other.root, "proc/cpuinfo", CPUINFO.replace("avx2", "avx"))

    assert other.look().has_avx2 is False


def test_where_avx_does_not_matter_it_is_not_looked_for(other):
    write(other.root, "proc/cpuinfo", CPUINFO)

    assert other.look(architecture="aarch64").has_avx2 is None


def test_a_container_may_use_less(other):
    write(other.root, "sys/fs/cgroup/memory.max", str(3 * 2**28))
    write(other.root, "sys/fs/cgroup/memory.current", str(2**28))
    write(other.root, "sys/fs/cgroup/cpu.max", "100000 100000")

    machine = other.look()

    assert machine.is_limited
    assert (machine.memory_bytes, machine.available_bytes) == (3 * 2**28, 2 * 2**28)
    assert (machine.cores, machine.threads) == (1, 1)


def test_a_folder_that_is_not_there_yet_lies_on_the_disk_of_those_above(other):
    assert other.look().disk_free_bytes


def test_nvidia_cards_are_named_with_their_memory_and_not_used(other):
    other.program("nvidia-smi", 'echo "NVIDIA GeForce RTX 4070, 12282"; echo "Another, [N/A]"')

    first, second = other.look().cards

    assert (first.name, first.memory_bytes) == ("NVIDIA GeForce RTX 4070", 12282 * 2**20)
    assert (second.name, second.memory_bytes) == ("Another", None)
    assert not first.computes


def test_without_nvidias_program_its_driver_names_the_card(other):
    write(other.root, "proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t RTX 9\nIRQ: 1")

    assert [card.name for card in other.look().cards] == ["RTX 9"]


def test_amd_cards_are_found_by_their_driver(other):
    write(other.root, "sys/class/drm/card1/device/mem_info_vram_total", "17163091968\n")

    (card,) = other.look().cards

    assert (card.memory_bytes, card.computes) == (17163091968, False)


def test_a_program_that_hangs_is_not_waited_for(other, caplog):
    other.program("nvidia-smi", "exec /bin/sleep 60")

    with caplog.at_level(logging.INFO):
        assert other.look().cards == ()

    assert "nvidia-smi did not say: TimeoutExpired" in caplog.text


def test_the_engine_computes_on_apples_own_card_only(other):
    (card,) = other.look(system="darwin", architecture="arm64").cards

    assert card.computes
    assert other.look(system="darwin", architecture="x86_64").cards == ()


def test_memory_that_could_not_be_measured_has_no_speed(other):
    assert other.look().bytes_per_s is None
    assert other.look(python=("/bin/echo",)).bytes_per_s is None


def test_memory_is_measured_again_but_not_for_ever(tmp_path):
    program, calls = tmp_path / "python", tmp_path / "calls"
    program.write_text(f"#!/bin/sh\necho >> {calls}\nexit 1\n")
    program.chmod(0o700)
    hardware = Hardware(tmp_path, {"PATH": ""}, root=tmp_path, python=(str(program),))

    for _ in range(5):
        hardware.learn()

    assert len(calls.read_text()) == 3


def test_what_was_measured_is_kept(tmp_path):
    program, calls = tmp_path / "python", tmp_path / "calls"
    program.write_text(f"#!/bin/sh\necho >> {calls}\necho 123456789\n")
    program.chmod(0o700)
    hardware = Hardware(tmp_path, {"PATH": ""}, root=tmp_path, python=(str(program),))

    for _ in range(3):
        hardware.learn()

    assert hardware.machine().bytes_per_s == 123_456_789
    assert len(calls.read_text()) == 1

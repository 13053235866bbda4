"""How much memory models may take together."""

import os

import psutil

from larouter.engines.memory import MachineMemory, rss


def test_it_is_a_share_of_the_machine_s():
    memory = MachineMemory(percent=50)

    assert abs(memory.most() - psutil.virtual_memory().total // 2) < 2**30


def test_it_may_be_a_size_but_no_more_than_there_is():
    assert MachineMemory(size=1_000).most() == 1_000
    assert MachineMemory(size=2**60).most() < 2**50


def test_now_it_is_no_more_than_is_free():
    memory = MachineMemory(percent=95)

    assert 0 <= memory.room(0) <= psutil.virtual_memory().available
    assert memory.room(2**60) == memory.most()


def test_a_container_has_what_it_may_use(tmp_path):
    folder = tmp_path / "sys/fs/cgroup"
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text("1000000")
    (folder / "memory.current").write_text("900000")
    memory = MachineMemory(percent=50, root=tmp_path)

    assert memory.most() == 500_000
    assert memory.room(0) == 50_000


def test_a_process_holds_something_while_it_is_there():
    assert (rss(os.getpid()) or 0) > 1_000_000
    assert rss(2**22 + 1) is None

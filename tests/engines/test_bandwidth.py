"""Memory is measured by copying, in a process of its own."""

import subprocess
import sys

from larouter.engines.bandwidth import measure


def test_it_prints_bytes_a_second():
    done = subprocess.run(
        [sys.executable, "-m", "larouter.engines.bandwidth", "1"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip

    assert int(done.stdout) > 10**8


def test_any_number_of_threads_copies_something():
    assert measure(0, block=4096) > 0
    assert measure(99, block=4096) > 0

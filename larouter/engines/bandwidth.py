"""A child that measures this machine's memory: `python -m larouter.engines.bandwidth 4`.

It copies blocks too large for any cache with so many threads at once, and prints bytes a second:
read and written together, the best of a few rounds, as other programs only ever make it slower.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time

_BLOCK = 32 * 2**20
_ROUND_S = 0.04
_ROUNDS = 5
_READ_AND_WRITTEN = 2
_MOST_THREADS = 4
"""So many usually fill the way to memory, and each takes two blocks."""


def main(arguments: list[str]) -> None:
    sys.stdout.write(f"{measure(int(arguments[0]))}\n")


def measure(threads: int, block: int = _BLOCK) -> int:
    """`memmove` is called without Python's lock, so that the threads copy side by side."""
    count = max(1, min(threads, _MOST_THREADS))
    # Written to before it is timed: untouched memory is not there yet.
    pairs = [
        (ctypes.create_string_buffer(b"\1" * block, block),
         ctypes.create_string_buffer(b"\2" * block, block))
        for _ in range(count)
    ]  # fmt: skip
    return max(_round(pairs, block) for _ in range(_ROUNDS))


def _round(pairs: list[tuple[ctypes.Array[ctypes.c_char], ctypes.Array[ctypes.c_char]]],
           block: int) -> int:  # fmt: skip
    copied = [0] * len(pairs)
    began = time.perf_counter()

    def copy(index: int) -> None:
        source, target = pairs[index]
        while time.perf_counter() - began < _ROUND_S:
            ctypes.memmove(target, source, block)
            copied[index] += block

    threads = [threading.Thread(target=copy, args=(index,)) for index in range(len(pairs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return int(_READ_AND_WRITTEN * sum(copied) / (time.perf_counter() - began))


if __name__ == "__main__":
    main(sys.argv[1:])

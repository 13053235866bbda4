"""Machines for the tests."""

from larouter.core.machine import GIB, Machine


def a_machine(memory_gib=16, **changes):
    known = {
        "system": "linux",
        "architecture": "x86_64",
        "processor": "A processor",
        "cores": 4,
        "threads": 8,
        "has_avx2": True,
        "has_avx512": False,
        "memory_bytes": memory_gib * GIB,
        "available_bytes": memory_gib * GIB * 3 // 4,
        "disk_free_bytes": 200 * GIB,
        "bytes_per_s": 20_000_000_000,
    }
    return Machine(**(known | changes))

"""Control groups as files: the narrowest limit counts."""

import pytest

from larouter.engines.cgroup import Limits, limits

GIB = 2**30


@pytest.fixture
def lay(tmp_path):
    def write(**files):
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return limits(tmp_path)

    return write


V2, V1 = "sys/fs/cgroup/", "sys/fs/cgroup/memory/"


def test_without_groups_nothing_is_limited(lay):
    assert lay() == Limits()


def test_max_is_no_limit(lay):
    found = lay(**{V2 + "memory.max": "max\n", V2 + "cpu.max": "max 100000\n"})

    assert found == Limits()


def test_the_limit_and_what_is_left_of_it(lay):
    found = lay(**{V2 + "memory.max": str(4 * GIB), V2 + "memory.current": str(GIB)})

    assert (found.memory_bytes, found.available_bytes) == (4 * GIB, 3 * GIB)


def test_pages_of_files_that_nobody_uses_are_free(lay):
    found = lay(
        **{
            V2 + "memory.max": str(4 * GIB),
            V2 + "memory.current": str(3 * GIB),
            V2 + "memory.stat": f"anon 5\ninactive_file {2 * GIB}\n",
        }
    )

    assert found.available_bytes == 3 * GIB


def test_a_group_inside_a_narrower_one_has_the_limit_of_that(lay):
    found = lay(
        **{
            "proc/self/cgroup": "0::/outer/inner\n",
            V2 + "outer/memory.max": str(2 * GIB),
            V2 + "outer/memory.current": "0",
            V2 + "outer/inner/memory.max": str(3 * GIB),
            V2 + "outer/inner/cpu.max": "150000 100000",
        }
    )

    assert (found.memory_bytes, found.processors) == (2 * GIB, 1.5)


def test_the_first_version_is_read_as_well(lay):
    found = lay(
        **{
            "proc/self/cgroup": "5:memory:/box\n0::/\n",
            V1 + "box/memory.limit_in_bytes": str(GIB),
            V1 + "box/memory.usage_in_bytes": str(GIB // 4),
            V1 + "memory.limit_in_bytes": "9223372036854771712",
        }
    )

    assert (found.memory_bytes, found.available_bytes) == (GIB, GIB * 3 // 4)


def test_a_path_that_climbs_is_not_followed(lay):
    found = lay(
        **{"proc/self/cgroup": "0::/../../secret\n", V2 + "memory.max": str(GIB)},
    )

    assert found.memory_bytes == GIB

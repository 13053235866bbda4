"""The tables agree with each other and with what `struct` knows."""

import struct

from larouter.engines import gguf_types as kinds


def test_a_whole_number_is_as_wide_as_its_kind_says():
    for kind, form in kinds.INTEGERS.items():
        assert struct.calcsize(form) == kinds.SIZES[kind]


def test_a_block_is_smaller_than_plain_numbers():
    for name, weights, size in kinds.BLOCKS.values():
        assert 0 < size <= 8 * weights + 40, name


def test_no_two_kinds_have_one_name():
    names = [name for name, _, _ in kinds.BLOCKS.values()]

    assert len(set(names)) == len(names)

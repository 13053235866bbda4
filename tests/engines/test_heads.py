"""Heads are read in a child, kept while the file stays the same, and never waited for too long."""

import os
import struct
import sys

import pytest

from larouter.core.errors import Unavailable
from larouter.engines.gguf import NotGGUF
from larouter.engines.heads import Heads
from tests.engines.starter import ENVIRONMENT
from tests.engines.test_gguf import ARCHITECTURE, CONTEXT, numbers


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.gguf"
    facts = (ARCHITECTURE, CONTEXT, numbers("attention.head_count_kv", 1, 2))
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(facts)) + b"".join(facts))
    return path


def child(tmp_path, code):
    """A Python that runs `code` in the child's place, and counts how often."""
    program = tmp_path / "child.py"
    program.write_text(code)
    return (sys.executable, str(program))


def test_a_head_comes_from_a_child_as_it_was_read(path):
    head = Heads(ENVIRONMENT).of(path)

    assert (head.architecture, head.context, head.kv_heads) == ("llama", 8192, (1, 2))


def test_a_file_that_stays_is_read_once(path, tmp_path):
    heads = Heads(ENVIRONMENT)
    first = heads.of(path)
    again = heads.of(path)
    os.utime(path, ns=(0, 1))
    path.write_bytes(b"something else")

    assert again is first
    with pytest.raises(NotGGUF, match="not a GGUF"):
        heads.of(path)


def test_a_child_that_takes_too_long_is_ended(path, tmp_path):
    python = child(tmp_path, "import time; time.sleep(60)")

    with pytest.raises(Unavailable, match="in time"):
        Heads(ENVIRONMENT, python=python, deadline_s=0.3).of(path)


@pytest.mark.parametrize("code", ["import os; os.abort()", "print('{')", "pass"])
def test_a_child_that_dies_says_nothing_of_the_file(path, tmp_path, code):
    with pytest.raises(Unavailable, match="Try again"):
        Heads(ENVIRONMENT, python=child(tmp_path, code)).of(path)


def test_a_missing_file_is_the_system_s_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Heads(ENVIRONMENT).of(tmp_path / "none.gguf")

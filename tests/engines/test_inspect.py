"""The child that reads heads: what it says, and that nothing in a file gets further than it."""

import json
import struct
import subprocess
import sys

import pytest

from larouter.engines.inspect import _limit
from tests.engines.starter import ENVIRONMENT, ROOT
from tests.engines.test_gguf import ARCHITECTURE, CONTEXT


def said_of(path):
    done = subprocess.run(
        [sys.executable, "-m", "larouter.engines.inspect", str(path)],
        cwd=ROOT, env=ENVIRONMENT, capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def test_a_head_is_one_object(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + ARCHITECTURE + CONTEXT)

    status, said = said_of(path)

    assert status == 0
    assert (said["architecture"], said["context"]) == ("llama", 8192)


@pytest.mark.parametrize(
    ("content", "words"), [(b"<html>", "not a GGUF"), (None, "cannot be read"), (b"", "not a GGUF")]
)
def test_a_file_that_is_none_is_a_sentence(tmp_path, content, words):
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)

    status, said = said_of(path)

    assert status == 1
    assert words in said["error"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_the_child_has_limits():
    code = (
        "import resource; from larouter.engines.inspect import _limit; _limit();"
        "print(resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=30, check=True
    )

    assert int(done.stdout) == 20
    assert callable(_limit)

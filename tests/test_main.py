"""The entry: who is patched, and that both ways in are the same."""

import subprocess
import sys

import pytest

from tests.serving import ROOT, command, environment


def is_patched(*arguments):
    """Run the entry with these arguments; say if gevent has replaced the sockets afterwards."""
    script = (
        "import sys\n"
        f"sys.argv = ['larouter', *{arguments!r}]\n"
        "from larouter.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "from gevent.monkey import is_module_patched\n"
        "print('patched' if is_module_patched('socket') else 'plain')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=environment("/nonexistent"), capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    return result.stdout.splitlines()[-1] == "patched"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "patched"),
    [(("serve", "--help"), True), (("usage", "--help"), False), (("--help",), False)],
)
def test_only_the_server_is_patched(arguments, patched):
    assert is_patched(*arguments) is patched


@pytest.mark.slow
def test_the_module_and_the_file_are_the_same_program(tmp_path):
    file = command(tmp_path, "--help")
    module = subprocess.run(
        [sys.executable, "-m", "larouter", "--help"],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip

    assert file.returncode == 0
    assert file.stdout.splitlines()[1:] == module.stdout.splitlines()[1:]


@pytest.mark.slow
def test_help_writes_nothing(tmp_path):
    command(tmp_path / "home", "--help")

    assert not (tmp_path / "home").exists()

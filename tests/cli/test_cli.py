"""The command line as a whole: what there is, and that a fault is one sentence."""

import pytest

from larouter import __version__
from tests.serving import command


def test_help_lists_every_command(alone):
    text = alone.run("--help").stdout

    for name in ("serve", "open", "projects", "providers", "models", "route", "usage"):
        assert f"  {name} " in text


def test_version_is_said(alone):
    assert alone.run("--version").stdout.strip().endswith(__version__)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("projects", "rotate", "nobody"), {}, "There is no project 'nobody'."),
        (("projects", "list"), {"LAROUTER_PORT": "many"}, "LAROUTER_PORT is 'many'"),
        (("projects", "list"), {"LAROUTER_PROT": "1"}, "LAROUTER_PROT is not a setting"),
        (("serve",), {"LAROUTER_HOME": "/dev/null/x"}, "The folder /dev/null/x cannot be used"),
    ],
)
def test_a_fault_is_one_sentence(tmp_path, arguments, settings, words):
    result = command(settings.pop("LAROUTER_HOME", tmp_path), *arguments, **settings)

    assert result.returncode == 1
    assert result.stderr.startswith(f"larouter: {words}")
    assert len(result.stderr.splitlines()) == 1

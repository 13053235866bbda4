"""What a person types to reach this program, wherever it is installed."""

import sys

import pytest

from larouter.config import shown_command


@pytest.fixture
def bin_(tmp_path, monkeypatch):
    """A virtual environment's folder of programs, which is not on the PATH."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return folder


def _install(folder):
    program = folder / "larouter"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


def test_a_command_on_the_path_goes_by_its_name(bin_, monkeypatch):
    _install(bin_)
    monkeypatch.setenv("PATH", str(bin_))

    assert shown_command() == "larouter"


def test_in_a_checkout_it_goes_by_its_path_from_there(bin_, tmp_path, monkeypatch):
    _install(bin_)
    monkeypatch.chdir(tmp_path)

    assert shown_command() == ".venv/bin/larouter"


def test_from_elsewhere_it_goes_by_its_whole_path(bin_, tmp_path, monkeypatch):
    program = _install(bin_)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert shown_command() == str(program)


def test_without_one_beside_python_it_goes_by_its_name(bin_):
    assert shown_command() == "larouter"

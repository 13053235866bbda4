"""`larouter models import` and `found`."""

import pytest

from larouter.core.errors import LARouterError
from tests.engines.ggufs import model_file


def test_a_file_is_taken_over_and_listed(cli, tmp_path):
    path = model_file(tmp_path / "own" / "brought.gguf", general__name="Brought Along", salt=7)

    done = cli.run("models", "import", str(path), "--name", "brought").stdout

    assert "It answers as local/brought from now on." in done
    assert "Brought Along: F32, llama" in done
    assert any(line.startswith("brought ") for line in cli.lines("models", "list"))
    with pytest.raises(LARouterError, match="here already"):
        cli.run("models", "import", str(path))


def test_a_file_that_is_no_model_says_so(alone, tmp_path):
    (tmp_path / "x.gguf").write_text("<html>")

    with pytest.raises(LARouterError, match="not a GGUF"):
        alone.run("models", "import", str(tmp_path / "x.gguf"))


def test_found_files_are_listed_with_what_to_do(alone, tmp_path):
    path = model_file(tmp_path / "cache" / "small.gguf")
    with path.open("ab") as file:
        file.truncate(2_000_000)
    elsewhere = {"HOME": str(tmp_path / "nobody"), "LLAMA_CACHE": str(path.parent)}

    listed = alone.run("models", "found", **elsewhere).stdout
    alone.run("models", "import", str(path), **elsewhere)
    again = alone.run("models", "found", **elsewhere).stdout

    assert "small.gguf" in listed
    assert "could be imported" in listed
    assert "models import FILE" in listed
    assert "here as" not in listed
    assert "here as local/my-model" in again
    assert "models import FILE" not in again


def test_nothing_found_is_said(alone, tmp_path):
    nobody = {"HOME": str(tmp_path / "nobody"), "LLAMA_CACHE": "", "HF_HOME": ""}

    assert "No other program" in alone.run("models", "found", **nobody).stdout

"""Settings of local models: where other programs keep their files."""

from pathlib import Path

from larouter.model_settings import read_model_settings


def test_folders_are_those_of_each_program_s_own_rule():
    folders = read_model_settings({"HOME": "/h"}).folders

    assert folders["ollama"][0] == Path("/h/.ollama/models")
    assert folders["hugging-face"] == (Path("/h/.cache/huggingface/hub"),)
    assert Path("/h/.lmstudio/models") in folders["lm-studio"]
    assert Path("/h/.cache/llama.cpp") in folders["llama.cpp"]


def test_folders_that_were_moved_are_looked_at_there():
    folders = read_model_settings(
        {"HOME": "/h", "OLLAMA_MODELS": "/o", "HF_HOME": "/f", "LLAMA_CACHE": "/l"}
    ).folders

    assert folders["ollama"] == (Path("/o"),)
    assert folders["hugging-face"] == (Path("/f/hub"),)
    assert folders["llama.cpp"][0] == Path("/l")


def test_a_machine_without_a_home_has_no_folders():
    assert read_model_settings({}).folders == {}

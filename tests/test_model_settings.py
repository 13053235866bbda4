"""Settings of local models: sizes, minutes, lists, and where other programs keep their files."""

from pathlib import Path

import pytest

from larouter.config import SettingsError, read_settings
from larouter.model_settings import read_model_settings


@pytest.mark.parametrize(
    ("text", "percent", "size"),
    [("50%", 50, None), ("8GB", 60, 8_000_000_000), ("512 mb", 60, 512_000_000), ("", 60, None)],
)
def test_memory_is_a_share_or_a_size(text, percent, size):
    found = read_model_settings({"LAROUTER_MODEL_MEMORY": text})

    assert (found.memory_percent, found.memory_bytes) == (percent, size)


@pytest.mark.parametrize("text", ["0%", "99%", "8", "GB", "-1GB", "0GB", "8 TB", "٣GB%"])
def test_another_memory_is_refused(text):
    with pytest.raises(SettingsError, match="LAROUTER_MODEL_MEMORY"):
        read_model_settings({"LAROUTER_MODEL_MEMORY": text})


@pytest.mark.parametrize(("text", "idle_s"), [("5", 300), ("", 900), ("never", None)])
def test_idle_time_is_in_minutes(text, idle_s):
    assert read_model_settings({"LAROUTER_MODEL_IDLE": text}).idle_s == idle_s


@pytest.mark.parametrize("text", ["0", "-1", "soon", "1.5", "9999999"])
def test_another_idle_time_is_refused(text):
    with pytest.raises(SettingsError, match="LAROUTER_MODEL_IDLE"):
        read_settings({"HOME": "/h", "LAROUTER_MODEL_IDLE": text})


def test_several_models_may_be_loaded_at_the_start():
    assert read_model_settings({"LAROUTER_PREWARM": " a, ,b"}).prewarm == ("a", "b")


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

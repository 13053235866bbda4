"""The downloads, as the settings want them."""

import pytest

from larouter.bootstrap.downloading import build_downloads, in_thread
from larouter.config import read_settings


def test_models_come_from_where_the_settings_say(tmp_path):
    settings = read_settings(
        {"LAROUTER_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9/", "HF_TOKEN": "hf_x"}
    )
    downloads = build_downloads(settings, lambda order: None)

    assert downloads._place.endpoint == "http://127.0.0.1:9"
    assert downloads._place.token == "hf_x"
    assert "HF_TOKEN" not in downloads._place.environment
    downloads.close()


def test_an_error_of_the_other_thread_is_raised_here():
    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        in_thread(fail)
    assert in_thread(lambda: 5) == 5

"""One real server in front of four clouds on loopback, with an ample hard budget over it all."""

from __future__ import annotations

from contextlib import closing

import pytest

from larouter.store.invariants import violations
from larouter.store.rollups import differences
from larouter.store.sqlite import connect
from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.deepseek import DeepSeekCloud
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud
from tests.money.paying import Till
from tests.serving import Serving


@pytest.fixture(scope="module")
def clouds():
    with (
        OpenAICloud() as openai,
        AnthropicCloud() as anthropic,
        GeminiCloud() as google,
        DeepSeekCloud() as deepseek,
    ):
        yield {"openai": openai, "anthropic": anthropic, "google": google, "deepseek": deepseek}


@pytest.fixture(scope="module")
def till(clouds, tmp_path_factory):
    """Whatever a test does: at its module's end nothing is open, and the books add up."""
    settings = {
        "OPENAI_API_KEY": clouds["openai"].key,
        "OPENAI_BASE_URL": f"{clouds['openai'].url}/v1",
        "ANTHROPIC_API_KEY": clouds["anthropic"].key,
        "ANTHROPIC_BASE_URL": clouds["anthropic"].url,
        "GOOGLE_API_KEY": clouds["google"].key,
        "GOOGLE_GEMINI_BASE_URL": clouds["google"].url,
        "DEEPSEEK_API_KEY": clouds["deepseek"].key,
        "DEEPSEEK_BASE_URL": clouds["deepseek"].url,
    }
    with Serving(tmp_path_factory.mktemp("till"), **settings) as server:
        budget = {"project": "machine", "name": "Ample", "cap": "10000", "period": "total"}
        assert server.admin("POST", "/api/budgets", budget).status_code == 201
        yield Till(server)
        assert server.pending() == []
        assert server.query("SELECT * FROM hold WHERE spent IS NULL") == []
        assert server.query("SELECT * FROM request WHERE status IS NULL") == []
        with closing(connect(server.home / "larouter.db", read_only=True)) as connection:
            assert violations(connection) == []
            assert differences(connection) == []

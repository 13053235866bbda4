"""All the clouds at once, and the settings of a LARouter that has a key of each."""

from __future__ import annotations

from contextlib import contextmanager

from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.deepseek import DeepSeekCloud
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud


@contextmanager
def four():
    """By the names of the providers."""
    with (
        OpenAICloud() as openai,
        AnthropicCloud() as anthropic,
        GeminiCloud() as google,
        DeepSeekCloud() as deepseek,
    ):
        yield {"openai": openai, "anthropic": anthropic, "google": google, "deepseek": deepseek}


def settings_of(clouds):
    return {
        "OPENAI_API_KEY": clouds["openai"].key,
        "OPENAI_BASE_URL": f"{clouds['openai'].url}/v1",
        "ANTHROPIC_API_KEY": clouds["anthropic"].key,
        "ANTHROPIC_BASE_URL": clouds["anthropic"].url,
        "GOOGLE_API_KEY": clouds["google"].key,
        "GOOGLE_GEMINI_BASE_URL": clouds["google"].url,
        "DEEPSEEK_API_KEY": clouds["deepseek"].key,
        "DEEPSEEK_BASE_URL": clouds["deepseek"].url,
    }

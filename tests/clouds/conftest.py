"""The four clouds, and their official clients."""

import anthropic
import openai
import pytest
from google import genai

from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.deepseek import DeepSeekCloud
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud


@pytest.fixture
def openai_cloud():
    with OpenAICloud() as cloud:
        yield cloud


@pytest.fixture
def anthropic_cloud():
    with AnthropicCloud() as cloud:
        yield cloud


@pytest.fixture
def gemini_cloud():
    with GeminiCloud() as cloud:
        yield cloud


@pytest.fixture
def deepseek_cloud():
    with DeepSeekCloud() as cloud:
        yield cloud


@pytest.fixture
def openai_sdk(openai_cloud):
    with _openai(f"{openai_cloud.url}/v1", openai_cloud.key) as sdk:
        yield sdk


@pytest.fixture
def deepseek_sdk(deepseek_cloud):
    with _openai(deepseek_cloud.url, deepseek_cloud.key) as sdk:
        yield sdk


@pytest.fixture
def anthropic_sdk(anthropic_cloud):
    http = anthropic.DefaultHttpxClient(trust_env=False)
    url, key = anthropic_cloud.url, anthropic_cloud.key
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, http_client=http) as sdk:
        yield sdk


@pytest.fixture
def gemini_sdk(gemini_cloud):
    options = genai.types.HttpOptions(
        base_url=gemini_cloud.url,
        client_args={"trust_env": False},
        async_client_args={"trust_env": False},
    )
    sdk = genai.Client(api_key=gemini_cloud.key, http_options=options)
    yield sdk
    sdk.close()


def _openai(url, key):
    http = openai.DefaultHttpxClient(trust_env=False)
    return openai.OpenAI(base_url=url, api_key=key, max_retries=0, http_client=http)

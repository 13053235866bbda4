"""A real LARouter in front of four clouds that are strict fakes, and the official clients."""

import contextlib
from types import SimpleNamespace

import anthropic
import openai
import pytest
from google import genai

from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.deepseek import DeepSeekCloud
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud
from tests.serving import Serving

MODELS = {
    "openai": "openai/gpt-6.2-sol",
    "anthropic": "anthropic/claude-opus-5-5",
    "google": "google/gemini-4-argon",
    "deepseek": "deepseek/deepseek-v4-pro",
}


@pytest.fixture(scope="session")
def clouds():
    with contextlib.ExitStack() as stack:
        yield SimpleNamespace(
            openai=stack.enter_context(OpenAICloud()),
            anthropic=stack.enter_context(AnthropicCloud()),
            google=stack.enter_context(GeminiCloud()),
            deepseek=stack.enter_context(DeepSeekCloud()),
        )


@pytest.fixture(scope="session")
def served(clouds, tmp_path_factory):
    """One server for all tests here; it knows the four clouds by their keys and addresses."""
    settings = {
        "OPENAI_API_KEY": clouds.openai.key,
        "OPENAI_BASE_URL": f"{clouds.openai.url}/v1",
        "ANTHROPIC_API_KEY": clouds.anthropic.key,
        "ANTHROPIC_BASE_URL": clouds.anthropic.url,
        "GOOGLE_API_KEY": clouds.google.key,
        "GOOGLE_GEMINI_BASE_URL": clouds.google.url,
        "DEEPSEEK_API_KEY": clouds.deepseek.key,
        "DEEPSEEK_BASE_URL": clouds.deepseek.url,
    }
    with Serving(tmp_path_factory.mktemp("served"), **settings) as server:
        yield server


@pytest.fixture(params=sorted(MODELS))
def model(request):
    """A model of each cloud in turn."""
    return MODELS[request.param]


@pytest.fixture(scope="session")
def openai_client(served):
    with (
        openai.DefaultHttpxClient(trust_env=False) as http,
        openai.OpenAI(
            base_url=f"{served.url}/v1", api_key=served.bearer, max_retries=0, http_client=http
        ) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def anthropic_client(served):
    with (
        anthropic.DefaultHttpxClient(trust_env=False) as http,
        anthropic.Anthropic(
            base_url=served.url, api_key=served.bearer, max_retries=0, http_client=http
        ) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def gemini_client(served):
    options = genai.types.HttpOptions(base_url=served.url, client_args={"trust_env": False})
    with genai.Client(api_key=served.bearer, http_options=options) as client:
        yield client

"""Who may be called: addresses, keys and prices of providers."""

import pytest

from larouter.core.catalog import FREE
from larouter.core.errors import UpstreamError
from larouter.routing import explicit_model
from tests.bootstrap.calling import call
from tests.clouds.faults import status
from tests.clouds.openai import OpenAICloud


def test_a_key_is_for_its_own_provider(build):
    services = build(ANTHROPIC_API_KEY="sk-x")

    missing = {model.id: services.missing(model) for model in services.catalog.models.values()}
    assert missing["claude-opus-5-5"] is None
    assert missing["gemini-4-argon"] == "no-key"


def test_a_key_makes_a_provider_ready(build):
    services = build(DEEPSEEK_API_KEY="sk-x")

    model = explicit_model("deepseek/any", services.catalog, services.prices)
    assert model is not None
    assert services.missing(model) is None
    assert not model.price.is_known


def test_servers_of_ones_own_cost_nothing(build):
    services = build(LAROUTER_OLLAMA_URL="http://127.0.0.1:9")

    assert services.prices["ollama"] == services.prices["local"] == FREE
    assert not services.prices["custom"].is_known


@pytest.mark.parametrize(
    ("name", "path", "called"),
    [
        ("custom", "", "/v1/chat/completions"),
        ("ollama", "/", "/v1/chat/completions"),
        ("llamacpp", "/v1", "/v1/chat/completions"),
        ("custom", "/api/openai", "/api/openai/chat/completions"),
    ],
)
def test_an_address_without_a_path_is_served_under_v1(build, provider, name, path, called):
    root = provider.url.removesuffix("/v1")
    services = build(**{f"LAROUTER_{name.upper()}_URL": root + path})

    call(services, f"{name}/plain")

    assert provider.last["path"] == called


@pytest.mark.parametrize(
    ("variable", "name", "url", "called"),
    [
        ("ANTHROPIC_BASE_URL", "anthropic", "http://h:1", "http://h:1"),
        ("ANTHROPIC_BASE_URL", "anthropic", "http://h:1/v1", "http://h:1"),
        ("ANTHROPIC_BASE_URL", "anthropic", "http://h:1/v1/", "http://h:1"),
        ("ANTHROPIC_BASE_URL", "anthropic", "http://h:1/proxy", "http://h:1/proxy"),
        ("GOOGLE_GEMINI_BASE_URL", "google", "http://h:1/v1beta", "http://h:1"),
        ("GOOGLE_GEMINI_BASE_URL", "google", "http://h:1/v1", "http://h:1"),
        ("OPENAI_BASE_URL", "openai", "http://h:1/v1", "http://h:1/v1"),
        ("OPENAI_BASE_URL", "openai", "http://h:1", "http://h:1"),
    ],
)
def test_a_version_in_an_address_is_dropped_where_the_paths_have_it(
    build, variable, name, url, called
):
    assert build(**{variable: url}).endpoints[name].url == called


def test_a_refused_key_is_known_until_it_is_taken_again(build):
    with OpenAICloud() as cloud:
        services = build(OPENAI_API_KEY=cloud.key, OPENAI_BASE_URL=f"{cloud.url}/v1")
        marks = [services.key_refused("openai")]
        cloud.will(status(401))
        with pytest.raises(UpstreamError):
            call(services, "openai/gpt-6-luna")
        marks.append(services.key_refused("openai"))
        call(services, "openai/gpt-6-luna", "req_2")
        marks.append(services.key_refused("openai"))

    assert marks == [False, True, False]


@pytest.mark.parametrize("name", ["local", "nobody"])
def test_who_has_no_key_has_none_refused(build, name):
    assert not build().key_refused(name)

"""What settings become: providers, prices, addresses, tiers."""

import json
import time

import gevent
import pytest

from larouter.bootstrap import authority, bootstrap
from larouter.config import SettingsError, read_settings
from larouter.core.catalog import FREE
from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import (
    ModelNotFound,
    ProviderNotConfigured,
    StorageDown,
    UpstreamError,
)
from larouter.core.policy import Policy
from larouter.core.ports import Leaving
from larouter.routing import explicit_model
from larouter.store.providers import AddedProvider
from larouter.wire.gemini.request import read_request
from tests.clouds.faults import status
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud
from tests.fakes import with_fields


@pytest.fixture
def build(tmp_path):
    built = []

    def make(**settings):
        services = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path), **settings}))
        built.append(services)
        return services

    yield make
    for services in built:
        services.close()


def a_request(model):
    return ChatRequest(model=model, messages=(Message("user", "Hi"),), body={}, size=20)


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("127.0.0.1", 18790, "127.0.0.1:18790"),
        ("localhost", 1, "localhost:1"),
        ("::1", 18790, "[::1]:18790"),
        ("0.0.0.0", 80, "127.0.0.1:80"),
        ("::", 80, "[::1]:80"),
        ("192.0.2.1", 80, "192.0.2.1:80"),
    ],
)
def test_an_address_is_one_that_a_client_can_write(host, port, address):
    assert authority(host, port) == address


def test_the_services_know_their_address(build):
    assert build(LAROUTER_HOST="::1", LAROUTER_PORT="5").address == "[::1]:5"


def test_the_data_folder_is_private(build, tmp_path):
    build()

    assert tmp_path.stat().st_mode & 0o777 == 0o700
    for name in ("larouter.db", "admin.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_is_said_so():
    with pytest.raises(SettingsError, match="choose another"):
        bootstrap(read_settings({"LAROUTER_HOME": "/dev/null/x"}))


def test_a_database_that_is_none_is_left_alone(build, tmp_path):
    (tmp_path / "larouter.db").write_bytes(b"not a database, but somebody's" * 100)

    with pytest.raises(StorageDown, match="left as it is"):
        build()
    assert (tmp_path / "larouter.db").read_bytes().startswith(b"not a database")


def test_without_a_key_the_starter_answers_every_tier(build):
    lines = build().tiers()

    assert [line.name for line in lines] == [
        "HEARTBEAT", "SIMPLE", "MODERATE", "COMPLEX", "FRONTIER",
    ]  # fmt: skip
    assert {line.model_key for line in lines} == {"local/smollm2-135m"}
    assert all(line.is_local and line.degraded for line in lines)


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


def test_without_an_address_there_is_nobody_to_call(build):
    services = build()

    with pytest.raises(ProviderNotConfigured, match="LAROUTER_OLLAMA_URL"):
        services.decide(a_request("ollama/any"))


# How long a prompt is.


@pytest.mark.parametrize("name", ["custom/any", "auto"])
def test_where_nobody_counts_a_prompt_is_estimated_and_nothing_is_sent(build, provider, name):
    services = build(LAROUTER_CUSTOM_URL=provider.url)
    before = len(provider.seen)

    assert services.count_tokens(a_request(name)) == 5
    assert len(provider.seen) == before


def test_google_is_asked_how_long_a_prompt_is(build):
    with GeminiCloud() as cloud:
        services = build(GOOGLE_API_KEY=cloud.key, GOOGLE_GEMINI_BASE_URL=f"{cloud.url}/v1beta")
        request = read_request(
            b'{"contents": [{"parts": [{"text": "Hello"}]}]}', model="google/gemini-4-argon"
        )

        assert services.count_tokens(request) == 2
        assert cloud.last.path.endswith(":countTokens")


# A key that is refused, and what becomes of it.


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


# A pause.


def test_a_pause_lasts_as_long_as_it_should(build):
    leaving, pause = Leaving(), build().gateway.pause
    started = time.monotonic()

    pause(0.05, leaving)

    assert 0.04 <= time.monotonic() - started < 2
    assert not leaving.is_awaited


def test_a_pause_ends_when_the_client_leaves(build):
    leaving, pause = Leaving(), build().gateway.pause
    gevent.spawn_later(0.01, leaving.fire)
    started = time.monotonic()

    pause(30, leaving)

    assert time.monotonic() - started < 5
    assert leaving.fired
    assert not leaving.is_awaited


def test_for_who_has_left_there_is_no_pause(build):
    leaving, pause = Leaving(), build().gateway.pause
    leaving.fire()
    started = time.monotonic()

    pause(30, leaving)

    assert time.monotonic() - started < 5


def call(services, model, id="req_1"):
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    request = ChatRequest(
        model=model, messages=(Message("user", "Hi"),), body=body, size=len(json.dumps(body))
    )
    services.projects.ensure_default()
    project = services.projects.get("default")
    answer = services.gateway.answer(project, request, id, Leaving())
    try:
        return answer.finish()
    finally:
        answer.close()


def test_an_added_provider_comes_and_goes(build):
    services = build()
    services.added.add(AddedProvider(name="box", wire="openai", url="http://127.0.0.1:9/v1"))

    services.reload_providers()
    assert services.decide(a_request("box/any")).choices[0].model.provider == "box"

    services.added.remove("box")
    services.reload_providers()
    with pytest.raises(ModelNotFound):
        services.decide(a_request("box/any"))


def test_what_was_there_is_there_at_the_next_start(build, tmp_path):
    first = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path)}))
    bearer = first.projects.ensure_default()
    first.added.add(AddedProvider(name="box", wire="openai", url="http://127.0.0.1:9/v1"))
    first.close()

    second = build()

    assert second.projects.ensure_default() is None
    assert second.projects.of_bearer(bearer).name == "default"
    assert second.admin_key == first.admin_key
    assert second.decide(a_request("box/any")).choices[0].model.key == "box/any"


@pytest.mark.parametrize("setting", ["auto", "off"])
def test_without_a_model_that_can_judge_nothing_is_asked_or_started(build, setting):
    services = build(LAROUTER_JUDGE=setting)

    decision = services.decide(a_request("auto"))

    assert decision.stage == "rules"
    assert (services.judge.asked, services.judge.too_late) == (0, 0)
    assert {services.runner.state(model) for model in services.catalog.models.values()} <= {
        "absent", "stopped",
    }  # fmt: skip


def test_an_admin_key_that_is_given_is_not_written_down(build, tmp_path):
    assert build(LAROUTER_ADMIN_KEY="lra_given").admin_key == "lra_given"
    assert not (tmp_path / "admin.key").exists()


def test_private_text_is_looked_for_in_every_message(build):
    private = build().situation.private
    said = [
        {"role": "system", "content": "mail me at ann@example.com"},
        {"role": "user", "content": "hello"},
    ]
    request = ChatRequest(model="auto", messages=(), body={"messages": said}, size=50)

    assert private(request) is None
    assert private(with_fields(request, policy=Policy(privacy=frozenset({"email"})))) == "email"
    assert private(with_fields(request, policy=Policy(privacy=frozenset({"card"})))) is None

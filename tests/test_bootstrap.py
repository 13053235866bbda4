"""What settings become: providers, prices, addresses, tiers."""

import json

import pytest

from larouter.bootstrap import authority, bootstrap
from larouter.config import SettingsError, read_settings
from larouter.core.catalog import FREE
from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import ModelNotFound, StorageDown
from larouter.core.ports import Leaving
from larouter.routing import explicit_model
from larouter.store.providers import AddedProvider


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


def test_a_key_for_a_wire_that_is_not_spoken_yet_says_so(build):
    services = build(ANTHROPIC_API_KEY="sk-x")

    missing = {model.id: services.missing(model) for model in services.catalog.models.values()}
    assert missing["claude-opus-5-5"] == "unspoken"
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


def call(services, model):
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    request = ChatRequest(
        model=model, messages=(Message("user", "Hi"),), body=body, size=len(json.dumps(body))
    )
    services.projects.ensure_default()
    project = services.projects.get("default")
    answer = services.gateway.answer(project, request, f"req_{model}", Leaving())
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


def test_an_admin_key_that_is_given_is_not_written_down(build, tmp_path):
    assert build(LAROUTER_ADMIN_KEY="lra_given").admin_key == "lra_given"
    assert not (tmp_path / "admin.key").exists()

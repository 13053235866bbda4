"""What settings become: providers, prices, addresses, tiers."""

import time
from dataclasses import replace

import gevent
import pytest

from larouter.bootstrap import bootstrap
from larouter.config import SettingsError, read_settings
from larouter.core.chat import ChatRequest, Message
from larouter.core.errors import (
    ModelNotFound,
    ProviderNotConfigured,
    StorageDown,
)
from larouter.core.policy import Policy
from larouter.core.ports import Leaving
from larouter.store.budgets import checked
from larouter.store.providers import AddedProvider
from larouter.wire.gemini.request import read_request
from tests import postgres as postgresql
from tests.clouds.gemini import GeminiCloud
from tests.fakes import with_fields


def a_request(model):
    return ChatRequest(model=model, messages=(Message("user", "Hi"),), body={}, size=20)


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


class TestShared:
    """Two processes on one database: what one changes, the other follows."""

    @pytest.fixture
    def pair(self, build, postgres):
        postgresql.empty(postgres)
        one, two = (build(LAROUTER_DATABASE_URL=postgres.url) for _ in range(2))
        return one, two

    def test_a_project(self, pair):
        one, two = pair
        project, bearer = one.projects.create("notes")
        two.refresh()
        found = two.projects.of_bearer(bearer)
        one.bearers.rotate(project)
        two.refresh()

        assert found is not None
        assert found.id == project.id
        assert two.projects.of_bearer(bearer) is None

    def test_a_budget(self, pair):
        one, two = pair
        project, _ = one.projects.create("notes")
        one.budgets.add(checked(project_id=project.id, name="all", cap=5))

        two.refresh()

        assert [budget.cap for budget in two.budgets.of(project.id)] == [5]

    def test_a_provider(self, pair):
        one, two = pair
        one.added.add(AddedProvider(name="mine", wire="openai", url="http://127.0.0.1:9/v1"))
        before = "mine" in two.endpoints

        two.refresh()

        assert not before
        assert "mine" in two.endpoints

    def test_a_key(self, pair):
        one, two = pair
        model = replace(_model(two), provider="openai")
        before = two.missing(model)
        one.keys.set("openai", "sk-mine")

        two.refresh()

        assert before == "no-key"
        assert two.missing(model) is None

    def test_the_catalogue(self, pair):
        one, two = pair
        text = one.catalogs.text + "\n# mine\n"
        digest, _ = one.catalogs.preview(text)
        one.catalogs.replace(text, digest)

        two.refresh()
        kept = two.catalogs.text
        one.catalogs.reset()
        two.refresh()

        assert kept == text
        assert two.catalogs.is_shipped


def _model(services):
    return next(iter(services.catalog.models.values()))

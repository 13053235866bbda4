"""`/api/keys`: a key comes in, works at once, and never goes out again."""

import logging

import keyring
import pytest
from keyring.backends.null import Keyring

from larouter.providers.discovery import Found
from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.deepseek import DeepSeekCloud
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud
from tests.serving import Serving

CANARY = "sk-canary-0123456789-91d7"


@pytest.fixture(autouse=True)
def no_keyring():
    """A machine without a keyring, whatever this one has."""
    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    yield
    keyring.set_keyring(before)


def row(house, name):
    rows = house.admin("GET", "/api/keys").json["data"]
    return next(row for row in rows if row["name"] == name)


def test_at_first_there_is_none(house):
    rows = {row["name"]: row for row in house.admin("GET", "/api/keys").json["data"]}

    assert {row["key_in"] for row in rows.values()} == {"none"}
    assert rows["openai"]["variable"] == "OPENAI_API_KEY"
    assert (rows["openai"]["needs_key"], rows["openai"]["has_address"]) == (True, True)
    assert (rows["custom"]["needs_key"], rows["custom"]["has_address"]) == (False, False)


def test_a_key_works_at_once(house):
    before = _missing(house, "deepseek")

    kept = house.admin("PUT", "/api/keys/deepseek", {"key": f"  {CANARY}\n"})

    assert kept.json["kept_in"] == kept.json["key_in"] == "file"
    assert house.services.keys.get("deepseek") == CANARY
    assert row(house, "deepseek")["key_in"] == "file"
    assert (before, _missing(house, "deepseek")) == ("no-key", None)


def _missing(house, provider):
    model = next(m for m in house.services.catalog.models.values() if m.provider == provider)
    return house.services.missing(model)


def test_a_key_of_an_own_server_is_sent_to_it(open_house, provider):
    house = open_house(LAROUTER_CUSTOM_URL=provider.url)
    house.admin("PUT", "/api/keys/custom", {"key": CANARY})

    assert house.chat("custom/plain").status_code == 200
    assert provider.last["headers"]["Authorization"] == f"Bearer {CANARY}"


def test_the_environment_goes_first_and_says_so(open_house):
    house = open_house(OPENAI_API_KEY="sk-of-the-environment")

    kept = house.admin("PUT", "/api/keys/openai", {"key": CANARY}).json

    assert (kept["kept_in"], kept["key_in"], kept["is_kept"]) == ("file", "environment", True)
    assert house.services.keys.get("openai") == "sk-of-the-environment"


def test_a_forgotten_key_is_gone_at_once(house):
    house.admin("PUT", "/api/keys/deepseek", {"key": CANARY})

    forgotten = house.admin("DELETE", "/api/keys/deepseek")

    assert (forgotten.json["deleted"], forgotten.json["key_in"]) == (True, "none")
    assert _missing(house, "deepseek") == "no-key"
    assert house.admin("DELETE", "/api/keys/deepseek").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", ""), ("DELETE", ""), ("POST", "/check")],
)
@pytest.mark.parametrize("name", ["nobody", "local", "auto"])
def test_a_provider_that_is_not_there(house, method, path, name):
    answer = house.admin(method, f"/api/keys/{name}{path}", {"key": CANARY})

    assert answer.status_code == 404
    assert f"no provider {name!r}" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "key",
    [None, 7, "", "  ", "two words", "two\nlines", "tab\tkey", "schlüssel", "nul\0", "x" * 4097],
)
def test_what_is_no_key_is_refused_without_an_echo(house, key):
    answer = house.admin("PUT", "/api/keys/openai", {"key": key})

    assert (answer.status_code, answer.json["error"]["param"]) == (400, "key")
    assert not (isinstance(key, str) and key.strip() and key in answer.text)
    assert row(house, "openai")["key_in"] == "none"


def test_a_check_compares_with_the_catalogue(house, fake_cloud):
    models = [m for m in house.services.catalog.models.values() if m.provider == "deepseek"]
    fake_cloud.will(Found(ok=True, models=(models[0].name, "another")))
    house.admin("PUT", "/api/keys/deepseek", {"key": CANARY})

    checked = house.admin("POST", "/api/keys/deepseek/check").json

    assert (checked["ok"], checked["models"]) == (True, [models[0].name, "another"])
    assert {lost["model"] for lost in checked["lost"]} == {model.key for model in models[1:]}
    assert {lost["why"] for lost in checked["lost"]} <= {"unlisted", "retired"}
    assert fake_cloud.asked == [("openai", "https://api.deepseek.com", CANARY)]


def test_a_check_that_fails_compares_nothing(house, fake_cloud):
    fake_cloud.will(Found(ok=False, reason="The key was refused."))
    house.admin("PUT", "/api/keys/deepseek", {"key": CANARY})

    checked = house.admin("POST", "/api/keys/deepseek/check").json

    assert (checked["ok"], checked["reason"]) == (False, "The key was refused.")
    assert (checked["models"], checked["lost"]) == ([], [])


@pytest.mark.parametrize(
    ("name", "reason"),
    [("openai", "It has no key yet: larouter keys set openai"), ("custom", "It has no address")],
)
def test_what_cannot_be_asked_is_not_asked(house, fake_cloud, name, reason):
    checked = house.admin("POST", f"/api/keys/{name}/check").json

    assert not checked["ok"]
    assert checked["reason"].startswith(reason)
    assert fake_cloud.asked == []


@pytest.fixture
def fake_cloud(house):
    """Instead of the SDKs' process: what it was asked, and what it is to answer."""
    return FakeDiscovery(house)


class FakeDiscovery:
    def __init__(self, house):
        self.asked = []
        self._found = Found(ok=True)
        house.services.check_key.__self__._discovery = self

    def will(self, found):
        self._found = found

    def check(self, wire, url, key):
        self.asked.append((wire, url, key))
        return self._found


def test_a_key_is_in_no_answer_no_log_and_no_repr(house, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    answers = [
        house.admin("PUT", "/api/keys/openai", {"key": CANARY}),
        house.admin("PUT", "/api/keys/openai", {"key": f"{CANARY} {CANARY}"}),
        house.admin("PUT", "/api/keys/nobody", {"key": CANARY}),
        house.ask("PUT", "/api/keys/openai", {"key": CANARY}),
        house.admin("GET", "/api/keys"),
        house.admin("GET", "/api/providers"),
        house.admin("POST", "/api/providers", {"name": "box", "url": "x", "key": CANARY}),
        house.admin("DELETE", "/api/keys/openai"),
    ]

    services = house.services
    held = [services.keys, services.endpoints, services.settings, services.check_key]
    assert CANARY not in "".join(answer.text for answer in answers)
    assert CANARY not in caplog.text
    assert CANARY not in "".join(map(repr, held))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.slow
def test_a_key_leaves_no_trace_of_a_real_server(tmp_path, provider):
    with Serving(tmp_path, LAROUTER_CUSTOM_URL=provider.url, LAROUTER_LOG_LEVEL="debug") as server:
        answers = [
            server.admin("PUT", "/api/keys/custom", {"key": CANARY}),
            server.chat("custom/plain"),
            server.chat("custom/status-401"),
            server.admin("POST", "/api/keys/custom/check"),
            server.admin("GET", "/api/keys"),
        ]
        processes = [process.cmdline() for process in server.engines()]
        heard = provider.last["headers"]["Authorization"]

    texts = [answer.text + str(answer.headers) for answer in answers]
    assert heard == f"Bearer {CANARY}"
    assert answers[1].status_code == 200
    assert CANARY not in "".join([*texts, server.output(), server.log(), str(processes)])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.slow
def test_a_real_server_checks_the_keys_of_all_four_clouds(tmp_path):
    with (
        OpenAICloud() as openai,
        AnthropicCloud() as anthropic,
        GeminiCloud() as google,
        DeepSeekCloud() as deepseek,
        Serving(
            tmp_path,
            OPENAI_BASE_URL=f"{openai.url}/v1",
            ANTHROPIC_BASE_URL=anthropic.url,
            GOOGLE_GEMINI_BASE_URL=google.url,
            DEEPSEEK_BASE_URL=deepseek.url,
        ) as server,
    ):
        clouds = {
            "openai": openai,
            "anthropic": anthropic,
            "google": google,
            "deepseek": deepseek,
        }
        checked = {}
        for name, cloud in clouds.items():
            server.admin("PUT", f"/api/keys/{name}", {"key": cloud.key})
            good = server.admin("POST", f"/api/keys/{name}/check").json()
            server.admin("PUT", f"/api/keys/{name}", {"key": CANARY})
            wrong = server.admin("POST", f"/api/keys/{name}/check").json()
            checked[name] = (good["ok"], good["reason"], bool(good["models"]), wrong["reason"][:23])

    assert checked == dict.fromkeys(clouds, (True, "", True, "The key was refused. Co"))

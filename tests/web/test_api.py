"""Our own API: who may, what it says, and what it refuses."""

import json
from urllib.parse import quote

import pytest

from larouter.secrets import Keys, Vault
from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.faults import status
from tests.clouds.openai import OpenAICloud

ADMIN_ROUTES = [
    ("GET", "/api/projects"),
    ("POST", "/api/projects"),
    ("GET", "/api/projects/default"),
    ("PATCH", "/api/projects/default"),
    ("DELETE", "/api/projects/default"),
    ("DELETE", "/api/projects/default/responses"),
    ("POST", "/api/projects/default/rotate"),
    ("POST", "/api/projects/default/grant"),
    ("GET", "/api/projects/default/export"),
    ("POST", "/api/projects/default/archive"),
    ("POST", "/api/projects/default/restore"),
    ("GET", "/api/projects/default/bearers"),
    ("POST", "/api/projects/default/bearers"),
    ("PATCH", "/api/projects/default/bearers/main"),
    ("DELETE", "/api/projects/default/bearers/main"),
    ("GET", "/api/projects/default/learning"),
    ("DELETE", "/api/projects/default/learning"),
    ("GET", "/api/budgets"),
    ("POST", "/api/budgets"),
    ("PATCH", "/api/budgets/1"),
    ("DELETE", "/api/budgets/1"),
    ("POST", "/api/budgets/1/resume"),
    ("POST", "/api/alerts/seen"),
    ("GET", "/api/alerts/webhooks"),
    ("POST", "/api/alerts/webhooks"),
    ("DELETE", "/api/alerts/webhooks/1"),
    ("POST", "/api/alerts/webhooks/1/test"),
    ("POST", "/api/usage/rebuild"),
    ("POST", "/api/usage/attempts/att_1"),
    ("PUT", "/api/usage/baseline"),
    ("GET", "/api/policies"),
    ("GET", "/api/providers"),
    ("POST", "/api/providers"),
    ("DELETE", "/api/providers/custom"),
    ("GET", "/api/keys"),
    ("PUT", "/api/keys/openai"),
    ("DELETE", "/api/keys/openai"),
    ("POST", "/api/keys/openai/check"),
    ("POST", "/api/models/download"),
    ("GET", "/api/models/downloads"),
    ("POST", "/api/models/downloads/gemma-4-e2b/pause"),
    ("POST", "/api/models/downloads/gemma-4-e2b/resume"),
    ("DELETE", "/api/models/downloads/gemma-4-e2b"),
    ("DELETE", "/api/models/gemma-4-e2b"),
    ("GET", "/api/models/catalog"),
    ("GET", "/api/models/found"),
    ("POST", "/api/models/import"),
    ("GET", "/api/models/smollm2-135m/engine"),
    ("POST", "/api/models/smollm2-135m/load"),
    ("POST", "/api/models/smollm2-135m/unload"),
    ("POST", "/api/models/smollm2-135m/bench"),
    ("GET", "/api/catalog"),
    ("POST", "/api/catalog"),
    ("DELETE", "/api/catalog"),
    ("POST", "/api/sign-in-codes"),
    ("POST", "/api/database/purge"),
]


def test_the_list_of_admin_routes_is_whole(house):
    shared = ("/api/usage", "/api/replay", "/api/alerts", "/api/budget")
    routes = {
        (method, rule.rule)
        for rule in house.client.application.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        # Ollama's own paths lie there too; a project's bearer opens them.
        and not rule.endpoint.startswith("ollama.")
        for method in rule.methods - {"HEAD", "OPTIONS"}
        # A project reads its own; what changes something there is the admin's.
        if not (
            rule.rule.startswith(shared)
            and not rule.rule.startswith(("/api/budgets", "/api/alerts/"))
        )
        or (rule.rule.startswith("/api/usage") and method != "GET")
    }

    assert len(routes) == len(ADMIN_ROUTES)


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_a_bearer_reaches_no_admin_route(house, method, path):
    answer = house.ask(method, path, {})

    assert answer.status_code == 401
    assert "admin key" in answer.json["error"]["message"]


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_keyless_reaches_no_admin_route(open_house, method, path):
    house = open_house(LAROUTER_KEYLESS="1")

    assert house.ask(method, path, {}, bearer=False).status_code == 401


def test_a_new_project_has_a_bearer_of_its_own(house):
    made = house.admin("POST", "/api/projects", {"name": "site"})

    assert made.status_code == 201
    assert {"id", "name", "bearer"} <= set(made.json)
    assert house.ask("GET", "/v1/models", bearer=made.json["bearer"]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"name": 1}', b'{"name": " "}', b'{"name": "a\\u0000"}',
     json.dumps({"name": "x" * 101}).encode()],
)  # fmt: skip
def test_a_project_needs_a_name(house, body):
    answer = house.admin("POST", "/api/projects", data=body)

    assert answer.status_code == 400


def test_two_projects_of_one_name_are_refused(house):
    house.admin("POST", "/api/projects", {"name": "site"})

    answer = house.admin("POST", "/api/projects", {"name": "site"})

    assert (answer.status_code, answer.json["error"]["code"]) == (409, "project_exists")


@pytest.mark.parametrize("name", ["site", "a/b", "naïve 模型", "what?", "100%"])
def test_a_project_is_found_by_its_name(house, name):
    made = house.admin("POST", "/api/projects", {"name": name}).json

    rotated = house.admin("POST", f"/api/projects/{_quoted(name)}/rotate").json

    assert rotated["id"] == made["id"]
    assert rotated["bearer"] != made["bearer"]
    assert house.ask("GET", "/v1/models", bearer=made["bearer"]).status_code == 401
    assert house.ask("GET", "/v1/models", bearer=rotated["bearer"]).status_code == 200


def _quoted(name):
    return quote(name, safe="")


def test_a_list_of_projects_shows_no_bearer(house):
    listed = house.admin("GET", "/api/projects")

    assert [row["name"] for row in listed.json["data"]] == ["default"]
    assert "lr_" not in listed.text


def test_a_renamed_project_keeps_its_bearer(house):
    made = house.admin("POST", "/api/projects", {"name": "site"}).json

    renamed = house.admin("PATCH", f"/api/projects/{made['id']}", {"name": "shop"})

    assert renamed.json["name"] == "shop"
    assert house.ask("GET", "/v1/models", bearer=made["bearer"]).status_code == 200


def test_a_deleted_project_is_shut_out_and_its_name_is_free(house):
    made = house.admin("POST", "/api/projects", {"name": "site"}).json

    assert house.admin("DELETE", "/api/projects/site").json["deleted"] is True
    assert house.ask("GET", "/v1/models", bearer=made["bearer"]).status_code == 401
    assert house.admin("DELETE", "/api/projects/site").status_code == 404
    assert house.admin("POST", "/api/projects", {"name": "site"}).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("DELETE", "", None), ("PATCH", "", {"name": "other"}), ("POST", "/archive", None)],
    ids=["delete", "rename", "archive"],
)
def test_the_default_project_stays(house, method, path, body):
    answer = house.admin(method, f"/api/projects/default{path}", body)

    assert answer.status_code == 403
    assert house.admin("GET", "/api/projects").json["data"][0]["name"] == "default"


def test_a_grant_is_a_further_bearer(house):
    granted = house.admin("POST", "/api/projects/default/grant").json

    assert granted["expires_in"] == 600
    for bearer in (granted["bearer"], house.bearer):
        assert house.ask("GET", "/v1/models", bearer=bearer).status_code == 200


def test_the_providers_are_listed_without_keys(open_house):
    house = open_house(OPENAI_API_KEY="sk-canary", LAROUTER_CUSTOM_URL="http://127.0.0.1:9")

    answer = house.admin("GET", "/api/providers")

    rows = {row["name"]: row for row in answer.json["data"]}
    assert rows["openai"]["has_key"] is True
    assert rows["custom"]["url"] == "http://127.0.0.1:9"
    assert "canary" not in answer.text


def test_a_provider_whose_key_was_refused_is_marked_until_it_is_taken(open_house):
    def mark():
        rows = house.admin("GET", "/api/providers").json["data"]
        return {row["name"]: row["key_refused"] for row in rows if row["key_refused"]}

    with AnthropicCloud() as cloud:
        house = open_house(ANTHROPIC_API_KEY=cloud.key, ANTHROPIC_BASE_URL=cloud.url)
        cloud.will(status(401))

        marks = [mark()]
        refused = house.chat("anthropic/claude-haiku-5-5")
        marks.append(mark())
        house.chat("anthropic/claude-haiku-5-5")
        marks.append(mark())

    assert (refused.status_code, refused.json["error"]["code"]) == (401, "provider_key_refused")
    assert "larouter keys check" in refused.json["error"]["message"]
    assert marks == [{}, {"anthropic": True}, {}]


def test_an_added_providers_key_can_be_refused_too(house):
    with OpenAICloud() as cloud:
        body = {"name": "box", "url": f"{cloud.url}/v1", "key": "wrong"}
        house.admin("POST", "/api/providers", body)

        house.chat("box/gpt-6-luna")

    rows = house.admin("GET", "/api/providers").json["data"]
    assert [row["name"] for row in rows if row["key_refused"]] == ["box"]


def test_an_added_provider_can_be_asked_at_once(house):
    made = house.admin(
        "POST", "/api/providers", {"name": "box", "wire": "openai", "url": "http://127.0.0.1:9/v1/"}
    )

    assert made.status_code == 201
    assert made.json == {
        "name": "box", "wire": "openai", "url": "http://127.0.0.1:9/v1", "key_in": None,
    }  # fmt: skip
    assert house.chat("box/any").status_code == 502
    assert house.admin("DELETE", "/api/providers/box").status_code == 200
    assert house.chat("box/any").status_code == 404
    assert house.admin("DELETE", "/api/providers/box").status_code == 404


@pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini"])
def test_a_provider_speaks_one_of_three_formats(house, wire):
    body = {"name": "box", "wire": wire, "url": "http://127.0.0.1:9"}

    assert house.admin("POST", "/api/providers", body).json["wire"] == wire


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ({"name": "groq"}, ("openai", "https://api.groq.com/openai/v1")),
        ({"name": "zai-anthropic"}, ("anthropic", "https://api.z.ai/api/anthropic")),
        ({"name": "groq", "url": "http://127.0.0.1:9"}, ("openai", "http://127.0.0.1:9")),
        ({"name": "zai", "wire": "anthropic"}, ("anthropic", "https://api.z.ai/api/paas/v4")),
        ({"name": "zai-anthropic", "url": "http://h"}, ("openai", "http://h")),
    ],
)
def test_a_well_known_provider_needs_no_address(house, body, made):
    answer = house.admin("POST", "/api/providers", body).json

    assert (answer["wire"], answer["url"]) == made


def test_an_unknown_name_without_an_address_names_the_known_ones(house):
    answer = house.admin("POST", "/api/providers", {"name": "box"})

    assert answer.status_code == 400
    assert "groq, mistral" in answer.json["error"]["message"]


def test_a_provider_has_one_name(house):
    body = {"name": "box", "wire": "openai", "url": "http://127.0.0.1:9"}
    house.admin("POST", "/api/providers", body)

    assert house.admin("POST", "/api/providers", body).status_code == 409


def test_a_key_is_kept_and_never_shown(house, tmp_path):
    house.services.keys = Keys({}, Vault(tmp_path, use_keyring=False))
    body = {"name": "box", "wire": "openai", "url": "http://127.0.0.1:9", "key": "sk-canary"}

    made = house.admin("POST", "/api/providers", body)

    assert made.json["key_in"] == "file"
    assert house.services.keys.get("box") == "sk-canary"
    assert "canary" not in made.text + house.admin("GET", "/api/providers").text


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"name": "openai"}, "name"),
        ({"name": "local"}, "name"),
        ({"name": "auto"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": None}, "name"),
        ({"wire": "telepathy"}, "wire"),
        ({"wire": ["openai"]}, "wire"),
        ({"wire": ""}, "wire"),
        ({"url": "127.0.0.1:9"}, "url"),
        ({"url": "file:///etc"}, "url"),
        ({"url": "http://"}, "url"),
        ({"url": "http://[::1"}, "url"),
        ({"url": "http://127.0.0.1:99999"}, "url"),
        ({"url": "http://127.0.0.1/a b"}, "url"),
        ({"url": "http://127.0.0.1/\r\nX-Evil: 1"}, "url"),
        ({"url": "http://127.0.0.1/naïve–"}, "url"),
        ({"url": None}, "url"),
        ({"url": 7}, "url"),
        ({"key": "two\r\nlines"}, "key"),
        ({"key": "two words"}, "key"),
        ({"key": "schlüssel"}, "key"),
        ({"key": " "}, "key"),
        ({"key": "x" * 4097}, "key"),
        ({"key": 7}, "key"),
    ],
)
def test_a_provider_that_makes_no_sense_is_refused(house, changed, param):
    body = {"name": "box", "wire": "openai", "url": "http://127.0.0.1:9", **changed}

    answer = house.admin("POST", "/api/providers", body)

    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)


def test_the_catalogue_says_what_is_missing(house):
    models = {row["id"]: row for row in house.admin("GET", "/api/models/catalog").json["data"]}

    assert models["smollm2-135m"]["missing"] is None
    assert models["gemma-4-e4b"]["missing"] == "not-downloaded"
    assert models["claude-opus-5-5"]["missing"] == "no-key"


def test_the_catalogue_says_what_this_machine_is_and_what_fits_it(house):
    answer = house.admin("GET", "/api/models/catalog").json

    rows = {row["id"]: row for row in answer["data"]}
    starter = rows["smollm2-135m"]
    assert answer["machine"]["memory_bytes"] > 0
    assert starter["state"] == "stopped"
    assert starter["fit"]["fits"] is True
    assert sum(line["bytes"] for line in starter["fit"]["lines"]) == starter["fit"]["needs_bytes"]
    # On a machine too busy to be measured there is no prediction.
    assert not (starter["speed"] or {}).get("measured")
    assert "fit" not in rows["claude-opus-5-5"]
    assert {row["id"] for row in answer["recommended"]["models"]} == {
        row["id"] for row in answer["data"] if row.get("recommended")
    }


def test_a_sign_in_code_opens_the_page_once(house):
    code = house.admin("POST", "/api/sign-in-codes").json["code"]

    first = house.client.post("/sign-in", data={"code": code})
    second = house.client.post("/sign-in", data={"code": code})

    assert "larouter_session" in first.headers["Set-Cookie"]
    assert "Set-Cookie" not in second.headers

"""`/v1/models` over the whole app: the same models, in the shape of whoever asks."""

import pytest

ANTHROPIC = {"anthropic-version": "2023-06-01"}
GEMINI = {"x-goog-api-key": "unused: the bearer goes first"}
NAMES = ["auto", "heartbeat", "simple", "moderate", "complex", "frontier", "smollm2-135m"]


@pytest.fixture
def house(open_house, provider):
    return open_house(LAROUTER_CUSTOM_URL=provider.url)


def test_the_models_are_auto_the_tiers_and_what_is_ready(house):
    listed = house.ask("GET", "/v1/models").json

    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == [
        "auto", "heartbeat", "simple", "moderate", "complex", "frontier", "smollm2-135m",
    ]  # fmt: skip
    for model in listed["data"]:
        assert model["object"] == "model"
        assert isinstance(model["created"], int)
        assert model["owned_by"]


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("auto", "larouter"),
        ("Simple", "larouter"),
        ("smollm2-135m", "local"),
        ("custom/any/thing", "custom"),
        ("claude-opus-5-5", "anthropic"),
    ],
)
def test_a_model_can_be_retrieved(house, name, owner):
    model = house.ask("GET", f"/v1/models/{name}").json

    assert (model["id"], model["owned_by"]) == (name, owner)


def test_an_unknown_model_cannot_be_retrieved(house):
    answer = house.ask("GET", "/v1/models/nobody")

    assert (answer.status_code, answer.json["error"]["code"]) == (404, "model_not_found")


def test_a_model_that_is_ready_is_listed_when_its_provider_has_a_key(open_house):
    house = open_house(ANTHROPIC_API_KEY="sk-x")

    names = [model["id"] for model in house.ask("GET", "/v1/models").json["data"]]

    assert "claude-opus-5-5" in names
    assert "gemini-4-argon" not in names


def test_the_context_is_told_where_it_is_known(house):
    known = house.ask("GET", "/v1/models/claude-opus-5-5").json
    unknown = house.ask("GET", "/v1/models/custom/plain").json

    assert known["context_window"] >= 200_000
    assert "context_window" not in unknown


def test_anthropics_clients_see_the_same_models(house):
    listed = house.ask("GET", "/v1/models", headers=ANTHROPIC).json

    assert [model["id"] for model in listed["data"]] == NAMES
    assert (listed["first_id"], listed["last_id"]) == (NAMES[0], NAMES[-1])
    assert listed["has_more"] is False
    assert {model["type"] for model in listed["data"]} == {"model"}


def test_googles_clients_see_the_same_models(house):
    for path, headers in (("/v1beta/models", {}), ("/v1/models", GEMINI)):
        listed = house.ask("GET", path, headers=headers).json

        assert [model["name"] for model in listed["models"]] == [f"models/{name}" for name in NAMES]


@pytest.mark.parametrize("name", ["auto", "claude-opus-5-5", "custom/plain"])
def test_one_model_has_each_shape(house, name):
    anthropic = house.ask("GET", f"/v1/models/{name}", headers=ANTHROPIC).json
    gemini = house.ask("GET", f"/v1/models/{name}", headers=GEMINI).json

    assert (anthropic["id"], anthropic["type"]) == (name, "model")
    assert gemini["name"] == f"models/{name}"


@pytest.mark.parametrize(
    ("path", "headers", "shape"),
    [
        ("/v1/models/nobody", {}, {"message", "type", "param", "code"}),
        ("/v1/models/nobody", ANTHROPIC, {"message", "type"}),
        ("/v1/models/nobody", GEMINI, {"code", "message", "status", "details"}),
        ("/v1beta/models/nobody", {}, {"code", "message", "status", "details"}),
    ],
)
def test_a_stranger_is_a_404_in_the_callers_shape(house, path, headers, shape):
    answer = house.ask("GET", path, headers=headers)

    assert answer.status_code == 404
    assert set(answer.json["error"]) == shape


def test_a_tag_in_a_models_name_is_no_method_of_googles(house):
    model = house.ask("GET", "/v1/models/custom/llama4:latest").json

    assert (model["id"], model["owned_by"]) == ("custom/llama4:latest", "custom")


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/auto"])
@pytest.mark.parametrize("headers", [{}, ANTHROPIC])
def test_nobody_sees_them_without_a_bearer(house, path, headers):
    assert house.ask("GET", path, bearer=False, headers=headers).status_code == 401


def test_a_key_in_googles_header_opens_them(house):
    answer = house.ask("GET", "/v1/models", bearer=False, headers={"x-goog-api-key": house.bearer})

    assert answer.json["models"][0]["name"] == "models/auto"

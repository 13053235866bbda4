"""The catalogue over the API: look, agree, use, go back."""

import pytest

from tests.catalogs import TEXT

DEARER = TEXT.replace('input = "2"', 'input = "3"')


def shipped(house):
    return house.admin("GET", "/api/catalog").json["toml"]


def dearer(house):
    return shipped(house).replace('input = "1.32"', 'input = "9.99"')


def preview(house, **given):
    return house.admin("POST", "/api/catalog", given)


def test_what_is_in_force_is_told(house):
    state = house.admin("GET", "/api/catalog").json

    assert (state["from"], state["problem"]) == ("shipped", None)
    assert state["date"] == house.services.catalog.date
    assert state["models"] == len(house.services.catalog.models)
    assert "[[model]]" in state["toml"]


def test_a_preview_tells_each_change_and_changes_nothing(house):
    answer = preview(house, toml=dearer(house)).json

    assert answer["applied"] is False
    assert {
        "kind": "changed", "what": "model deepseek-v4-pro", "fact": "price: input",
        "before": "1.32", "after": "9.99",
    } in answer["changes"]  # fmt: skip
    assert str(house.services.catalog.models["deepseek-v4-pro"].price.input) == "1.32"


def test_what_was_agreed_to_is_in_force_at_once(house):
    text = dearer(house)
    digest = preview(house, toml=text).json["digest"]

    done = preview(house, toml=text, apply=True, digest=digest).json

    assert (done["applied"], done["from"], len(done["changes"])) == (True, "kept", 1)
    models = house.admin("GET", "/api/models/catalog").json["data"]
    price = next(row["price"] for row in models if row["id"] == "deepseek-v4-pro")
    assert price["input"] == "9.99"
    assert preview(house, toml=text).json["changes"] == []


def test_a_reset_goes_back(house):
    text = dearer(house)
    digest = preview(house, toml=text).json["digest"]
    preview(house, toml=text, apply=True, digest=digest)

    done = house.admin("DELETE", "/api/catalog").json

    assert (done["applied"], done["from"], done["changes"][0]["after"]) == (True, "shipped", "1.32")


@pytest.mark.parametrize("digest", [None, "", "0" * 64, 7])
def test_nothing_is_used_that_was_not_shown(house, digest):
    answer = preview(house, toml=DEARER, apply=True, digest=digest)

    assert (answer.status_code, answer.json["error"]["code"]) == (409, "conflict")
    assert house.admin("GET", "/api/catalog").json["from"] == "shipped"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "as 'toml', its text, or as 'url'"),
        ({"toml": 1}, "as 'toml'"),
        ({"toml": "", "url": "https://example.com/"}, "as 'toml'"),
        ({"url": 1}, "as 'toml'"),
        ({"url": "http://example.com/"}, "begins with https"),
        ({"toml": "date = "}, "cannot be used"),
        ({"toml": TEXT.replace('source = "a page"', "")}, "has no source"),
    ],
)
def test_what_is_no_catalogue_is_refused(house, given, words):
    answer = house.admin("POST", "/api/catalog", given)

    assert answer.status_code == 400
    assert words in answer.json["error"]["message"]


def test_a_row_tells_its_sources_and_what_nobody_has_read(house):
    rows = {row["id"]: row for row in house.admin("GET", "/api/models/catalog").json["data"]}
    local, closing = rows["gemma-4-e2b"], rows["gemini-2.5-pro"]

    assert local["max_output"] == "unknown"
    assert (closing["retires"], closing["successor"]) == ("2026-12-01", "gemini-3.8-flash")
    assert closing["checked"] == "2026-11-23"
    assert closing["source"].startswith("LiteLLM")
    assert closing["prices"][0]["steps"] == [
        {"above": 200_000, "input": "2.5", "output": "15", "cache_read": "0.25"}
    ]
    assert all(price["source"] and price["date"] for price in closing["prices"])
    assert rows["deepseek-flash"]["price"]["off_peak"]["peak"] == ["01:00-04:00", "06:00-10:00"]
    assert "forced_tools" in rows["claude-opus-5-5"]["refuses"]


def test_a_price_that_nobody_has_read_is_unknown(house):
    unpriced = TEXT.replace(TEXT[TEXT.index("[[model.price]]") :], "")
    digest = preview(house, toml=unpriced).json["digest"]
    preview(house, toml=unpriced, apply=True, digest=digest)

    rows = {row["id"]: row for row in house.admin("GET", "/api/models/catalog").json["data"]}

    assert rows["big"]["price"] == {"input": "unknown", "output": "unknown", "source": "unknown"}

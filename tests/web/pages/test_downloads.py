"""Downloads on the page of local models."""

import pytest

from larouter.core.errors import Conflict
from tests.web.pages.fakes import ADMIN_KEY, FakeServices, an_app

HERE = {"Sec-Fetch-Site": "same-origin"}
HTMX = {**HERE, "HX-Request": "true"}
SET = ("gemma-4-e4b", "gemma-4-12b")


@pytest.fixture
def services():
    return FakeServices()


@pytest.fixture
def client(services):
    client = an_app(services).test_client()
    client.post("/sign-in", data={"admin_key": ADMIN_KEY})
    return client


def act(client, do, *ids, headers=HTMX, token=None):
    with client.session_transaction() as session:
        token = token or session["csrf"]
    data = {"csrf": token, "do": do, "id": list(ids)}
    return client.post("/models/downloads", data=data, headers=headers)


def far(client, **arguments):
    return client.get("/models/downloads", headers=HTMX, query_string=arguments)


def test_one_button_downloads_what_is_recommended(client, services):
    page = client.get("/models").text
    button = page.split("Download 12.1 GB")[0].rsplit("<form", 1)[1]

    assert all(f'name="id" value="{id}"' in button for id in SET)
    assert "Downloads</h2>" not in page
    answer = act(client, "download", *SET)

    assert services.downloads.asked == [("download", id) for id in SET]
    assert answer.text.count("<progress") == 2
    assert "0 %  0 MB of 5.2 GB" in answer.text


def test_each_model_that_fits_has_a_button_of_its_own(client):
    page = client.get("/models").text
    tiles = {part.split('"')[0]: part for part in page.split('id="model-')[1:]}

    assert "Download 3.35 GB" in tiles["gemma-4-e2b"]
    assert "Download" not in tiles["smollm2-135m"]
    assert "Download" not in tiles["gemma-4-26b-a4b"]


def test_a_form_without_scripts_comes_back_to_the_page(client, services):
    answer = act(client, "download", *SET, headers=HERE)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/models")
    assert list(services.downloads.orders) == list(SET)


def test_a_download_is_paused_gone_on_with_and_cancelled(client, services):
    act(client, "download", "gemma-4-e2b")

    assert "Go on" in act(client, "pause", "gemma-4-e2b").text
    assert "Pause" in act(client, "resume", "gemma-4-e2b").text
    assert "<progress" not in act(client, "cancel", "gemma-4-e2b").text
    assert [what for what, _ in services.downloads.asked] == [
        "download", "pause", "resume", "cancel",
    ]  # fmt: skip


def test_what_changes_every_second_leaves_the_buttons_alone(client, services):
    act(client, "download", "gemma-4-e2b")
    services.downloads.arrived["gemma-4-e2b"] = 1_674_758_128

    answer = far(client, seen="gemma-4-e2b:queued")

    assert 'hx-swap-oob="true"' in answer.text
    assert 'value="50"' in answer.text
    assert "<button" not in answer.text
    assert "HX-Refresh" not in answer.headers


def test_when_one_has_come_the_page_is_asked_for_anew(client):
    assert far(client, seen="gemma-4-e2b:running").headers["HX-Refresh"] == "true"


def test_what_cannot_be_is_said(client, services):
    services.downloads.refusal = Conflict("There is <no> room.")

    assert "There is &lt;no&gt; room." in act(client, "download", "gemma-4-e2b").text
    services.downloads.refusal = None
    assert "There is no model" in act(client, "download", "nope").text
    assert "runs at openai" in act(client, "download", "gpt-6.2-sol").text
    assert act(client, "sell", "gemma-4-e2b").status_code == 400


def test_nobody_else_downloads_anything(client, services):
    foreign = {"Sec-Fetch-Site": "cross-site", "HX-Request": "true"}

    assert act(client, "download", *SET, headers=foreign).status_code == 403
    assert act(client, "download", *SET, token="wrong").status_code == 403
    client.post("/sign-out", headers=HERE)
    stranger = an_app(services).test_client()
    assert stranger.post("/models/downloads", headers=HTMX).headers["HX-Redirect"] == "/sign-in"
    assert far(stranger).headers["HX-Redirect"] == "/sign-in"
    assert services.downloads.asked == []


def test_without_scripts_there_is_only_the_page(client):
    assert client.get("/models/downloads").headers["Location"] == "/models"

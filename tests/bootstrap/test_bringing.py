"""Any GGUF of the hub: asked for by where it lies, downloaded, and called by a name of its own."""

import pytest

from larouter.bootstrap import bootstrap
from larouter.config import read_settings
from larouter.downloads.reference import read_reference
from tests.downloads.downloading import until
from tests.engines.ggufs import model_file
from tests.hub import COMMIT, Hub
from tests.models import REPO, offer


@pytest.fixture
def hub():
    with Hub() as running:
        yield running


@pytest.fixture
def data(tmp_path):
    return model_file(tmp_path / "made" / "m.gguf").read_bytes()


@pytest.fixture
def open_services(tmp_path, hub):
    opened = []

    def build():
        settings = {"LAROUTER_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url}
        opened.append(bootstrap(read_settings(settings)))
        return opened[-1]

    yield build
    for services in opened:
        services.close()


def order(services, text):
    return services.bringing.order(read_reference(text), services.downloads.orders)


def bring(services, text):
    begun = order(services, text)
    services.downloads.start(begun)
    return until(
        lambda: (row := services.downloads.row(begun.id)).state in {"done", "failed"} and row
    )


def test_a_model_of_the_hub_can_be_called_when_it_is_whole(open_services, hub, data, tmp_path):
    hub.put("o/r", "Some-Model-Q4.gguf", data)
    services = open_services()

    row = bring(services, "o/r")
    model = services.catalog.models["some-model-q4"]

    assert (row.state, row.pinned) == ("done", False)
    assert (model.context, model.file.repo, model.file.revision) == (4096, "o/r", COMMIT)
    assert (tmp_path / "home" / "models" / "some-model-q4.gguf").read_bytes() == data
    services.close()
    assert "some-model-q4" in open_services().catalog.models


def test_what_is_no_model_is_not_kept(open_services, hub, tmp_path):
    hub.put("o/r", "fake.gguf", b"no model" * 1000)
    services = open_services()

    row = bring(services, "o/r:fake.gguf")

    assert row.error["code"] == "not_a_model"
    assert not (tmp_path / "home" / "models" / "fake.gguf").exists()


def test_a_file_of_the_catalogue_becomes_that_model(open_services, hub, data, tmp_path):
    offer(hub, tmp_path / "home", data)
    services = open_services()

    found = order(services, REPO)

    assert (found.id, found.files[0].pinned) == ("some-model", True)


def test_a_file_that_is_here_is_not_fetched_again(open_services, hub, data):
    hub.put("o/r", "m.gguf", data)
    services = open_services()
    bring(services, "o/r")

    with pytest.raises(Exception, match="here already, as local/m"):
        order(services, "o/r")


def test_one_that_was_begun_keeps_its_name_and_another_gets_its_own(open_services, hub, data):
    hub.put("o/r", "m.gguf", data)
    hub.put("p/r", "m.gguf", data + b"0")
    hub.gate.clear()
    services = open_services()
    services.downloads.start(order(services, "o/r"))

    assert order(services, "o/r").id == "m"
    assert order(services, "p/r").id == "m-2"
    hub.gate.set()


def test_what_a_killed_server_did_not_tell_is_told_at_the_next_start(
    open_services, hub, data, tmp_path
):
    hub.put("o/r", "m.gguf", data)
    services = open_services()
    bring(services, "o/r")
    services.own_models.remove("m")
    order_file = tmp_path / "home" / "models" / "downloads" / "m.order.json"
    order_file.write_text(order_file.read_text().replace('"done"', '"queued"'))
    services.close()

    after = open_services()
    after.downloads.serve()

    until(lambda: "m" in after.catalog.models)

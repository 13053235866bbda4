"""The models of a repository, asked in a child."""

import pytest

from larouter.core.errors import Forbidden, NotFound, UpstreamError
from larouter.downloads.asking import Asking
from larouter.downloads.source import Hub
from tests.downloads.conftest import DATA, NAME, REPO
from tests.engines.starter import ENVIRONMENT
from tests.hub import COMMIT


@pytest.fixture
def asking(hub):
    return Asking(Hub(endpoint=hub.url, token="hf_secret"), ENVIRONMENT)


def test_models_come_with_size_hash_and_commit(asking, hub):
    for name in ("mmproj-F16.gguf", "m-00001-of-00002.gguf", "q/mmproj.gguf", "README.md"):
        hub.put(REPO, name, b"x")
    hub.put(REPO, "small.gguf", b"x", lfs=False)

    (piece,) = asking.models(REPO)

    assert (piece.path, piece.bytes, piece.revision) == (NAME, len(DATA), COMMIT)
    assert piece.pinned is False
    assert hub.asked[0].headers["authorization"] == "Bearer hf_secret"


@pytest.mark.parametrize(
    ("behaviour", "error", "code"),
    [
        ((404, {}), NotFound, "hub_not_found"),
        ((403, {"X_Error_Code": "GatedRepo"}), Forbidden, "hub_gated"),
        ((500, {}), UpstreamError, "hub_failing"),
    ],
)
def test_a_refusal_is_an_error_of_ours(asking, hub, behaviour, error, code):
    hub.always = behaviour

    with pytest.raises(error) as caught:
        asking.models(REPO)

    assert caught.value.code == code


def test_a_child_that_says_nothing_is_the_hub_s_silence(hub):
    asking = Asking(Hub(endpoint=hub.url), ENVIRONMENT, python=("false",))

    with pytest.raises(UpstreamError, match="did not answer"):
        asking.models(REPO)

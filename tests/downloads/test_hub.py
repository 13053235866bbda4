"""What the hub's library is asked, and what it must never do."""

import json
import subprocess
import sys

import pytest

from larouter.downloads.failed import Again, Failed
from larouter.downloads.hub import complete
from larouter.downloads.process import HUB_ENVIRONMENT
from larouter.downloads.source import Hub
from tests.downloads.conftest import DATA, NAME, REPO, piece_of
from tests.engines.starter import ENVIRONMENT, ROOT
from tests.hub import COMMIT


def unknown(**facts):
    nothing = {"bytes": None, "sha256": None, "pinned": False, "revision": "main"}
    return piece_of(**{**nothing, **facts})


def test_size_hash_and_commit_are_the_hub_s(hub):
    (piece,) = complete(Hub(endpoint=hub.url), [unknown()])

    assert piece == piece_of(pinned=False, revision=COMMIT)


def test_one_question_is_enough_for_one_repository(hub):
    hub.put(REPO, "other.gguf", b"x")

    complete(Hub(endpoint=hub.url), [unknown(), unknown(name="other.gguf"), piece_of()])

    assert len(hub.asked) == 1


def test_what_is_pinned_asks_nobody(hub):
    assert complete(Hub(endpoint=hub.url), [piece_of()]) == (piece_of(),)
    assert hub.asked == []


def test_the_token_goes_along_and_nothing_about_this_machine(hub):
    complete(Hub(endpoint=hub.url, token="hf_secret"), [unknown()])

    headers = hub.asked[0].headers
    assert headers["authorization"] == "Bearer hf_secret"
    assert headers["user-agent"].startswith("larouter/")


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ((401, {}), "hub_token"),
        ((403, {"X_Error_Code": "GatedRepo"}), "hub_gated"),
        ((404, {"X_Error_Code": "RepoNotFound"}), "hub_not_found"),
        ((302, {"Location": "https://127.0.0.1/x"}), "hub_redirects"),
        ((302, {"Location": "http://169.254.169.254/x"}), "hub_redirects"),
    ],
)
def test_a_refusal_is_explained(hub, behaviour, code):
    hub.always = behaviour

    with pytest.raises(Failed) as caught:
        complete(Hub(endpoint=hub.url), [unknown()])

    assert caught.value.code == code


def test_a_busy_hub_is_asked_again(hub):
    hub.always = (429, {"Retry_After": "9"})

    with pytest.raises(Again) as caught:
        complete(Hub(endpoint=hub.url), [unknown()])

    assert caught.value.wait_s == 9.0


def test_nobody_there_is_the_network():
    with pytest.raises(Again) as caught:
        complete(Hub(endpoint="http://127.0.0.1:9"), [unknown()])

    assert caught.value.is_network


def test_a_file_that_is_not_there_is_said(hub):
    with pytest.raises(Failed, match="has no file nothing"):
        complete(Hub(endpoint=hub.url), [unknown(name="nothing.gguf")])


def test_a_file_without_a_hash_is_not_downloaded(hub):
    hub.put(REPO, NAME, DATA, lfs=False)

    with pytest.raises(Failed, match="states no SHA-256"):
        complete(Hub(endpoint=hub.url), [unknown()])


def test_a_file_that_was_replaced_is_not_taken_for_the_catalogue_s(hub):
    with pytest.raises(Failed) as caught:
        complete(Hub(endpoint=hub.url), [unknown(bytes=5)])

    assert caught.value.code == "wrong_file"


def test_an_answer_of_something_else_is_no_hub_s(hub):
    hub.always = (200, {})

    with pytest.raises(Again, match="answers as no hub does"):
        complete(Hub(endpoint=hub.url), [unknown()])


def test_neither_xet_nor_telemetry_nor_a_login_of_its_own(hub, tmp_path):
    """In a process as the worker's, in which the library is really asked."""
    (tmp_path / "token").write_text("hf_lying_about")
    code = (
        "import json, sys\n"
        "from larouter.downloads.hub import complete\n"
        "from larouter.downloads.source import Hub\n"
        "from larouter.downloads.order import Piece\n"
        f"complete(Hub(endpoint={hub.url!r}), [Piece(name={NAME!r}, repo={REPO!r})])\n"
        "from huggingface_hub import constants\n"
        "print(json.dumps([constants.HF_HUB_DISABLE_XET, constants.HF_HUB_DISABLE_TELEMETRY,\n"
        "    [name for name in sys.modules if name.split('.')[0] in ('hf_xet', 'torch')]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**ENVIRONMENT, **HUB_ENVIRONMENT, "PYTHONPATH": str(ROOT), "HF_HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout) == [True, True, []]
    headers = hub.asked[0].headers
    assert "authorization" not in headers
    assert {part.split("/")[0].strip() for part in headers["user-agent"].split(";")} == {
        "larouter", "hf_hub", "python",
    }  # fmt: skip

"""Where requests go, with which login, and what refusals mean."""

import email.utils
import ssl
import time

import pytest

from larouter.downloads.failed import Again, Failed
from larouter.downloads.source import Hub, Source, no_answer, refusal
from tests.downloads.conftest import DATA, NAME, REPO, piece_of
from tests.hub import Hub as FakeHub

HERE = Hub(endpoint="https://hub.example")
WITH_TOKEN = Hub(endpoint="https://hub.example", token="hf_secret")


@pytest.fixture
def opened():
    sources = []

    def build(endpoint, **options):
        sources.append(Source(Hub(endpoint=endpoint, **options)))
        return sources[-1].open(piece_of(), 0, None)

    yield build
    for source in sources:
        source.close()


def test_the_token_goes_to_the_hub_and_to_nobody_that_it_redirects_to(hub, opened):
    with FakeHub(storage=hub) as front:
        front.put(REPO, NAME, DATA)
        with opened(front.url, token="hf_secret").response as response:
            assert response.raw.read(decode_content=False) == DATA

        assert front.asked[0].headers["Authorization"] == "Bearer hf_secret"
    assert "Authorization" not in hub.asked[0].headers


def test_the_hash_that_the_hub_states_before_it_redirects_is_heard(hub, opened):
    with FakeHub(storage=hub) as front:
        sha256 = front.put(REPO, NAME, DATA)
        answer = opened(front.url)
        answer.response.close()

    assert answer.sha256 == sha256


@pytest.mark.parametrize(
    "target",
    ["https://127.0.0.1/x", "ftp://127.0.0.1/x", "http://me:it@127.0.0.1/x", "http://169.254.169.254/x"],
)  # fmt: skip
def test_an_unsafe_redirect_is_not_followed(hub, opened, target):
    hub.will((302, {"Location": target}))

    with pytest.raises(Failed) as caught:
        opened(hub.url)

    assert caught.value.code == "hub_redirects"


def test_five_redirects_are_enough(hub, opened):
    hub.always = (302, {"Location": f"/{REPO}/resolve/main/{NAME}"})

    with pytest.raises(Failed, match="redirects too often"):
        opened(hub.url)

    assert len(hub.asked) == 6


@pytest.mark.parametrize(
    ("status", "headers", "hub", "code", "says"),
    [
        (401, {}, HERE, "hub_token", "set HF_TOKEN and start"),
        (401, {}, WITH_TOKEN, "hub_token", "refused the token in HF_TOKEN"),
        (403, {}, WITH_TOKEN, "hub_token", "refused the token"),
        (403, {"X-Error-Code": "GatedRepo"}, WITH_TOKEN, "hub_gated", "accept its terms"),
        (401, {"X-Error-Code": "GatedRepo"}, HERE, "hub_gated", "https://hub.example/o/r in a"),
        (404, {}, HERE, "hub_not_found", "has no repository o/r"),
        (404, {"X-Error-Code": "EntryNotFound"}, HERE, "hub_not_found", "that file no more"),
        (404, {"X-Error-Code": "RevisionNotFound"}, HERE, "hub_not_found", "that revision"),
        (400, {}, HERE, "hub_refused", "with status 400"),
    ],
)
def test_a_refusal_says_what_to_do(status, headers, hub, code, says):
    fault = refusal(status, headers, "o/r", hub)

    assert isinstance(fault, Failed)
    assert fault.code == code
    assert says in fault.message
    assert "hf_secret" not in fault.message


def test_a_link_to_the_storage_that_ran_out_is_asked_for_again():
    fault = refusal(403, {}, "o/r", HERE, from_hub=False)

    assert isinstance(fault, Again)


@pytest.mark.parametrize("text", ["soon", "-1", ""])
def test_a_retry_after_that_is_no_time_is_none(text):
    fault = refusal(503, {"Retry-After": text}, "o/r", HERE)

    assert isinstance(fault, Again)
    assert fault.wait_s is None


def test_a_retry_after_may_be_a_date():
    date = email.utils.formatdate(time.time() + 60, usegmt=True)

    fault = refusal(429, {"Retry-After": date}, "o/r", HERE)

    assert isinstance(fault, Again)
    assert 50 < (fault.wait_s or 0) <= 60


def test_a_certificate_that_nobody_trusts_is_not_tried_again():
    error = OSError("handshake")
    error.__cause__ = ssl.SSLCertVerificationError()

    fault = no_answer(error, HERE)

    assert isinstance(fault, Failed)
    assert fault.code == "hub_certificate"


def test_a_weak_etag_is_not_tied_to(hub, opened):
    hub.repos[REPO].files[NAME].etag = 'W/"weak"'

    answer = opened(hub.url)
    answer.response.close()

    assert answer.etag is None


def test_a_folder_of_the_repository_is_part_of_the_address():
    url = HERE.file_url(piece_of(path="Q4 K/model.gguf"))

    assert url == f"https://hub.example/owner/repo/resolve/{'a' * 40}/Q4%20K/model.gguf"


def test_no_token_shows_in_a_representation():
    assert "hf_secret" not in repr(WITH_TOKEN)

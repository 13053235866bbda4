"""Server and worker are killed in the middle of a large download: only the rest is fetched."""

import hashlib
import os
import signal

import psutil
import pytest

from tests.downloads.downloading import until
from tests.hub import Hub
from tests.models import offer
from tests.serving import Serving

pytestmark = pytest.mark.slow

DATA = os.urandom(1_000_000) * 300
RATE = 60_000_000
LOST = 8_000_000
"""What a killed worker had been sent but not written, at most: sockets' buffers and a piece."""


@pytest.fixture
def hub():
    with Hub() as running:
        yield running


def start(home, hub):
    return Serving(home, bearer="unused", HF_ENDPOINT=hub.url)


def row(server):
    (found,) = server.admin("GET", "/api/models/downloads").json()["data"]
    return found


def half_way(server):
    until(lambda: row(server)["bytes_done"] > len(DATA) // 3, 60)


def whole(server, home):
    until(lambda: row(server)["state"] == "done", 60)
    with (home / "models" / "some-model.gguf").open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(DATA).digest()


def worker(server):
    children = psutil.Process(server.process.pid).children(recursive=True)
    return next(one for one in children if "larouter.downloads.worker" in one.cmdline())


def test_a_killed_server_goes_on_at_its_next_start_and_its_worker_leaves(tmp_path, hub):
    offer(hub, tmp_path, DATA)
    hub.rate = RATE
    with start(tmp_path, hub) as server:
        server.admin("POST", "/api/models/download", {"id": "some-model"})
        half_way(server)
        orphan = worker(server)
        server.kill()
        until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)

    hub.rate = None
    with start(tmp_path, hub) as server:
        assert whole(server, tmp_path)

    _, second = hub.fetches()
    assert int(second.headers["Range"][6:-1]) > len(DATA) // 3
    assert hub.sent() - len(DATA) < LOST


def test_a_killed_worker_is_followed_by_one_that_fetches_the_rest(tmp_path, hub):
    offer(hub, tmp_path, DATA)
    hub.rate = RATE
    with start(tmp_path, hub) as server:
        server.admin("POST", "/api/models/download", {"id": "some-model"})
        half_way(server)
        worker(server).send_signal(signal.SIGKILL)

        assert whole(server, tmp_path)

    assert len(hub.fetches()) == 2
    assert hub.sent() - len(DATA) < LOST


def test_a_stopped_server_ends_its_downloads_and_its_watchers_at_once(tmp_path, hub):
    offer(hub, tmp_path, DATA)
    hub.rate = RATE
    with start(tmp_path, hub) as server:
        server.admin("POST", "/api/models/download", {"id": "some-model"})
        half_way(server)
        child = worker(server)
        watching = server.ask(
            "GET", "/api/models/downloads", bearer=server.admin_key, stream=True,
            headers={"Accept": "text/event-stream"},
        )  # fmt: skip
        lines = watching.iter_lines()
        assert next(lines) == b"event: downloads"
        server.signal(signal.SIGTERM)

        assert list(lines)[-3:-1] == [b"event: end", b"data: {}"]
        assert server.wait(10) == 0
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_the_token_of_the_hub_goes_there_and_nowhere_else(tmp_path, hub):
    """TRUST S6, S7: not into a command line, an environment, a file, an answer or the log."""
    token = "hf_canary_8264"
    offer(hub, tmp_path, DATA)
    hub.rate = RATE
    with Serving(tmp_path, bearer="unused", HF_ENDPOINT=hub.url, HF_TOKEN=token) as server:
        server.admin("POST", "/api/models/download", {"id": "some-model"})
        half_way(server)
        child = worker(server)
        seen = [*child.cmdline(), *child.environ().values(), server.log(), server.output()]
        seen.append(server.admin("GET", "/api/models/downloads").text)
        folder = tmp_path / "models" / "downloads"
        seen += [path.read_text() for path in folder.glob("*.json")]

        assert len(list(folder.glob("*.json"))) == 2
        assert [text for text in seen if token in text] == []
        assert hub.fetches()[0].headers["Authorization"] == f"Bearer {token}"


@pytest.mark.engine
def test_a_downloaded_model_answers(tmp_path, hub):
    """The starter model's real file, as if it were another's."""
    from larouter.engines.files import Files  # noqa: PLC0415
    from tests.engines.starter import STARTER  # noqa: PLC0415

    path = Files(tmp_path, tmp_path / "state").find(STARTER)
    assert path is not None
    offer(hub, tmp_path, path.read_bytes())
    with Serving(tmp_path, HF_ENDPOINT=hub.url) as server:
        before = server.chat("some-model")
        server.admin("POST", "/api/models/download", {"id": "some-model"})
        until(lambda: row(server)["state"] == "done", 60)
        answer = server.chat("some-model")

        assert before.status_code == 424
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-larouter-model"] == "local/some-model"
        removed = server.admin("DELETE", "/api/models/some-model").json()
        assert removed["freed_bytes"] == path.stat().st_size
        assert server.engines() == []

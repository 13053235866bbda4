"""The commands about downloads, alone and on a server."""

import json
import signal
import subprocess
import sys

import click
import pytest

from larouter.core.errors import LARouterError
from tests.downloads.downloading import until
from tests.engines.ggufs import model_file
from tests.hub import Hub
from tests.models import offer
from tests.serving import ROOT, Serving, environment

DATA = bytes(range(256)) * 8000


@pytest.fixture
def hub():
    with Hub() as running:
        yield running


@pytest.fixture
def here(alone, hub):
    """Commands on a folder without a server, that know the hub."""
    offer(hub, alone.home, DATA)
    alone._settings["HF_ENDPOINT"] = hub.url
    return alone


@pytest.fixture
def served(tmp_path, hub):
    offer(hub, tmp_path, DATA)
    with Serving(tmp_path, HF_ENDPOINT=hub.url) as server:
        yield server


def test_without_a_server_the_command_downloads_itself(here):
    lines = here.lines("models", "download", "some-model")

    assert lines[-2:] == [
        "some-model is here, 2 MB, and is what its catalogue says.",
        "Ask for it as local/some-model.",
    ]
    assert (here.home / "models" / "some-model.gguf").read_bytes() == DATA
    again = here.lines("models", "download", "some-model")
    assert again == ["some-model is on this machine already."]


def test_another_model_of_the_hub_is_named_by_where_it_lies(here, hub, tmp_path):
    hub.put("o/r", "tiny-Q4.gguf", model_file(tmp_path / "own" / "tiny.gguf").read_bytes())
    hub.put("o/r", "tiny-Q8.gguf", b"other")

    with pytest.raises(LARouterError, match=r"name one, as o/r:FILE. tiny-Q4\.gguf"):
        here.run("models", "download", "o/r")
    lines = here.lines("models", "download", "o/r:q4")

    assert lines[-2].endswith("and is what its hub says; no catalogue pins it.")
    assert lines[-1] == "Ask for it as local/tiny-q4."
    assert any(line.startswith("tiny-q4 ") for line in here.lines("models", "list"))


def test_a_failure_is_one_sentence_and_an_exit_status(here, hub):
    hub.always = 404

    with pytest.raises(LARouterError, match="has no repository"):
        here.run("models", "download", "some-model")
    listed = here.lines("models", "downloads")
    assert listed[0].split()[:2] == ["some-model", "failed"]
    assert "has no repository" in listed[1]


def test_nothing_goes_on_without_a_server(here):
    with pytest.raises(LARouterError, match="No server runs"):
        here.run("models", "download", "some-model", "--detach")


def test_an_empty_list_says_how_to_begin(here):
    assert here.lines("models", "downloads") == [
        "No downloads. Begin one with: larouter models download MODEL"
    ]


def test_a_list_as_json(here):
    here.run("models", "download", "some-model")

    (row,) = json.loads(here.run("models", "downloads", "--json").stdout)["data"]

    assert (row["id"], row["state"]) == ("some-model", "done")


def test_removing_shows_what_it_frees_and_asks(here):
    here.run("models", "download", "some-model")

    with pytest.raises(click.Abort):
        here.run("models", "remove", "some-model", stdin="n\n")
    assert (here.home / "models" / "some-model.gguf").exists()
    lines = here.lines("models", "remove", "some-model", stdin="y\n")

    assert "That frees 2 MB" in lines[0]
    assert lines[-1] == "Removed some-model; that frees 2 MB."
    assert not (here.home / "models" / "some-model.gguf").exists()


def test_removing_need_not_ask(here):
    here.run("models", "download", "some-model")

    assert here.lines("models", "remove", "some-model", "--yes") == [
        "Removed some-model; that frees 2 MB."
    ]


def interrupted(home, hub):
    """Press Ctrl-C while a command downloads; return its status and what it said."""
    hub.gate.clear()
    process = subprocess.Popen(
        [sys.executable, "app.py", "models", "download", "some-model"],
        cwd=ROOT,
        env=environment(home, HF_ENDPOINT=hub.url),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that run in the background of a shell inherit that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        until(lambda: hub.fetches(), 60)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    hub.gate.set()
    return process.returncode, out


@pytest.mark.slow
def test_ctrl_c_pauses_where_no_server_runs_and_says_so(here, hub):
    status, out = interrupted(here.home, hub)

    assert status == 130
    assert "Paused. Go on where it stopped with: larouter models download some-model" in out
    assert here.lines("models", "downloads")[0].split()[:2] == ["some-model", "paused"]
    here.run("models", "download", "some-model")
    assert (here.home / "models" / "some-model.gguf").read_bytes() == DATA


@pytest.mark.slow
def test_ctrl_c_leaves_it_to_the_server_and_says_so(served, hub, at):
    status, out = interrupted(served.home, hub)

    assert status == 130
    assert "The server goes on with it" in out
    until(lambda: at(served).lines("models", "downloads")[0].split()[1] == "done")


@pytest.mark.slow
def test_on_a_server_it_may_be_left_paused_resumed_and_cancelled(served, hub, at):
    hub.gate.clear()
    cli = at(served)

    assert (
        "The server downloads some-model"
        in cli.lines("models", "download", "some-model", "--detach")[0]
    )
    assert cli.lines("models", "downloads", "--pause", "some-model")[0].split()[1] == "paused"
    cli.run("models", "downloads", "--resume", "some-model")
    assert "Cancelled some-model" in cli.lines("models", "downloads", "--cancel", "some-model")[0]
    assert cli.lines("models", "downloads")[0].startswith("No downloads")

"""The child process: what goes in on stdin, what it says, and that it leaves."""

import io
import json
import subprocess
import sys

import msgspec
import pytest

from larouter.downloads.worker import Job, Teller
from tests.downloads.conftest import DATA, NAME, order_for, piece_of
from tests.engines.starter import ENVIRONMENT, ROOT


@pytest.fixture
def run(hub, tmp_path):
    """Start a worker; give it, and its first lines when it has ended."""
    started: list = []

    def start(order=None, **facts):
        child = subprocess.Popen(
            [sys.executable, "-m", "larouter.downloads.worker"],
            env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(child)
        job = Job(order=order or order_for(), models=str(tmp_path / "m"), endpoint=hub.url, **facts)
        assert child.stdin is not None
        child.stdin.write(msgspec.json.encode(job) + b"\n")
        child.stdin.flush()
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            pipe.close()


def said(child):
    return [json.loads(line) for line in child.stdout]


def test_it_tells_how_it_goes_and_how_it_ended(run, tmp_path):
    lines = said(run())

    assert lines[0]["files"][0]["name"] == NAME
    assert lines[1]["phase"] == "fetching"
    assert lines[-1]["end"] == "done"
    assert (tmp_path / "m" / NAME).read_bytes() == DATA


def test_a_failure_is_told_with_code_and_words(run, hub):
    hub.always = 404

    end = said(run())[-1]

    assert (end["end"], end["code"]) == ("failed", "hub_not_found")


def test_a_folder_that_cannot_be_written_is_said(run, tmp_path):
    (tmp_path / "m" / "downloads").mkdir(parents=True)
    (tmp_path / "m" / "downloads" / f"{NAME}.part.json").mkdir()

    end = said(run())[-1]

    assert (end["end"], end["code"]) == ("failed", "disk_unwritable")


def test_what_nobody_foresaw_is_told_by_its_place_and_not_by_its_words(run, hub):
    """The queue has no such order, and the worker takes none."""
    end = said(run(order_for(piece_of(name="../x.gguf"))))[-1]

    assert end["end"] == "crashed"
    assert end["what"].startswith("BadRequest in order.py:")
    assert hub.asked == []


def test_it_leaves_when_its_parent_does(run, hub):
    hub.gate.clear()
    child = run()
    child.stdout.readline()

    child.stdin.close()

    assert child.wait(10) == 0


def test_a_secret_is_not_on_its_command_line(run, hub):
    hub.gate.clear()
    child = run(token="hf_secret")
    child.stdout.readline()

    with open(f"/proc/{child.pid}/cmdline", "rb") as file:  # noqa: PTH123
        assert b"hf_secret" not in file.read()


def test_what_an_end_between_two_steps_left_is_put_in_order(run, tmp_path):
    """Linked into its place, but still in the folder of the downloads as well."""
    folder = tmp_path / "m" / "downloads"
    folder.mkdir(parents=True)
    (folder / f"{NAME}.part").write_bytes(DATA)
    (tmp_path / "m" / NAME).hardlink_to(folder / f"{NAME}.part")

    assert said(run())[-1]["end"] == "done"
    assert not (folder / f"{NAME}.part").exists()


def test_progress_is_told_now_and_then_and_counts_all_files():
    out = io.StringIO()
    teller = Teller(out, order_for(piece_of(b"1" * 100), piece_of(b"2" * 50, "b.gguf")))

    for size in range(100):
        teller.on_bytes("fetching", size)
    teller.count(100)
    teller.on_bytes("checking", 50)
    teller.on_wait("it is busy", 5)
    teller.on_wait("a short one", 0.1)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]

    assert [(line["phase"], line.get("done")) for line in lines] == [
        ("fetching", 0), ("checking", 150), ("waiting", None),
    ]  # fmt: skip
    assert lines[1]["total"] == 150

"""The wheel, installed far from the checkout, is a complete LARouter."""

import contextlib
import json
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

import larouter

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    return next(folder.glob("larouter-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return the installed `larouter` program.

    The wheel goes into an environment of its own; what it depends on is borrowed from this one by
    a .pth line, which does not run the .pth file that would lead back to the checkout.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    command = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    subprocess.run(
        [*command, "--quiet", "--no-deps", "--no-index", str(wheel)],
        cwd=folder,
        check=True,
        timeout=60,
    )
    scheme = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", vars=scheme))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return programs / "larouter"


def test_the_wheel_holds_pages_assets_and_data(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    for folder in ("templates", "static"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file():
                assert f"larouter/{path.relative_to(ROOT).as_posix()}" in names
    assert "larouter/data/catalog.toml" in names


def test_the_wheel_holds_nothing_else(wheel):
    folders = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert folders == {"larouter", f"larouter-{larouter.__version__}.dist-info"}


def test_the_installed_program_says_its_version(installed, tmp_path):
    answer = subprocess.run(
        [installed, "--version"],
        cwd=tmp_path,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert larouter.__version__ in answer.stdout


def test_the_installed_program_serves(installed, tmp_path):
    port = _free_port()
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(
        [installed, "serve", "--port", str(port)],
        cwd=tmp_path,
        env=_environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )

    try:
        health = _wait_for_health(port, process)
    finally:
        process.terminate()
        code = process.wait(timeout=30)
        log.close()

    assert health["status"] == "ok", (tmp_path / "log").read_text(encoding="utf-8")
    assert code == 0


def _environment(folder):
    return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LAROUTER_HOME": str(folder / "data")}


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _wait_for_health(port, process):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError),
            direct.open(f"http://127.0.0.1:{port}/health", timeout=5) as answer,
        ):
            return json.load(answer)
        time.sleep(0.1)
    return {"status": "never answered"}

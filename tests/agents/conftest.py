"""Agent programs as people install them, working through a real LARouter on four fake clouds.

They may reach this machine only: every proxy that they are told of is ours, and notes who asks.
All of them together get three minutes.
"""

import contextlib
import os
import socketserver
import subprocess
import threading
import time
from types import SimpleNamespace

import psutil
import pytest

from tests.agents.programs import MODELS, Place
from tests.clouds.anthropic import AnthropicCloud
from tests.clouds.deepseek import DeepSeekCloud
from tests.clouds.gemini import GeminiCloud
from tests.clouds.openai import OpenAICloud
from tests.serving import Serving

_ALL_S = 180
_ONE_S = 60


class Outside(socketserver.ThreadingTCPServer):
    """The proxy for everything beyond this machine: notes what is asked, and hangs up."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request, client_address):
        request.settimeout(5)
        self.asked.append(request.recv(1024).partition(b"\r\n")[0].decode("latin-1"))


class Desk:
    """One agent with a home, a folder and a project of its own."""

    def __init__(self, program, house, folder):
        self.house = house
        made = house.larouter.admin("POST", "/api/projects", {"name": folder.name}).json()
        self.project = made["id"]
        self.place = Place(house.larouter.url, made["bearer"], folder)
        self.program = program

    def means(self, **models):
        """Give the agent's own names for models a meaning."""
        changed = self.house.larouter.admin(
            "PATCH", f"/api/projects/{self.project}", {"aliases": models}
        )
        assert changed.status_code == 200, changed.text

    def file(self, name):
        return self.place.files / name

    def ask(self, prompt, model, *more, fails=False):
        """Run the agent to its end; return what it wrote."""
        command, variables = self.program(self.place, prompt, model, more)
        status, said = _run(command, self._environment(variables), self.place.files, self.house)
        assert bool(status) is fails, said
        return said

    @property
    def requests(self):
        """Who answered each of its requests, and how."""
        asked = "SELECT * FROM request WHERE project_id = ? ORDER BY started_ms, id"
        rows = self.house.larouter.query(asked, self.project)
        return [(row["model"].partition("/")[0], row["status"]) for row in rows]

    def _environment(self, variables):
        return {
            "PATH": os.environ["PATH"],  # noqa: TID251 - node is somewhere
            "HOME": str(self.place.home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), self.house.outside.url),
            **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), self.house.outside.url),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost,::1"),
            **variables,
        }


def _run(command, environment, folder, house):
    limit_s = min(_ONE_S, house.left_s)
    assert limit_s > 0, f"the agents' {_ALL_S} s are over"
    started = time.monotonic()
    with (folder.parent / "said").open("w+b") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
        try:
            status = process.wait(limit_s)
        finally:
            _end_all_of(environment["HOME"])
            process.wait(10)
            house.left_s -= time.monotonic() - started
        said.seek(0)
        return status, said.read().decode(errors="replace")


def _end_all_of(home):
    """What an agent has started knows its home, which is nobody else's."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("HOME") == home:
                process.kill()


@pytest.fixture(scope="session")
def clouds():
    with contextlib.ExitStack() as stack:
        yield {
            "anthropic": stack.enter_context(AnthropicCloud()),
            "openai": stack.enter_context(OpenAICloud()),
            "google": stack.enter_context(GeminiCloud()),
            "deepseek": stack.enter_context(DeepSeekCloud()),
        }


@pytest.fixture(scope="session")
def outside():
    with Outside() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.02,))
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def house(clouds, outside, tmp_path_factory):
    """One LARouter for all agents; it knows the four clouds by their keys and addresses."""
    settings = {
        "ANTHROPIC_BASE_URL": clouds["anthropic"].url,
        "ANTHROPIC_API_KEY": clouds["anthropic"].key,
        "OPENAI_BASE_URL": f"{clouds['openai'].url}/v1",
        "OPENAI_API_KEY": clouds["openai"].key,
        "GOOGLE_GEMINI_BASE_URL": clouds["google"].url,
        "GOOGLE_API_KEY": clouds["google"].key,
        "DEEPSEEK_BASE_URL": clouds["deepseek"].url,
        "DEEPSEEK_API_KEY": clouds["deepseek"].key,
    }
    with Serving(tmp_path_factory.mktemp("larouter"), **settings) as larouter:
        yield SimpleNamespace(
            larouter=larouter,
            clouds=clouds,
            outside=outside,
            left_s=_ALL_S,
        )


@pytest.fixture
def desk(request, house, tmp_path):
    """For the program that the test's module names as `PROGRAM`."""
    house.outside.asked.clear()
    yield Desk(request.module.PROGRAM, house, tmp_path)
    assert house.outside.asked == [] or hasattr(request.module, "ASKS_OUTSIDE")


@pytest.fixture(params=sorted(MODELS))
def cloud(request):
    """Each cloud in turn, by its provider's name."""
    return request.param

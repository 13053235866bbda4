"""`make run` from a bare checkout, with a Python that only pretends: nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = (
    *("awk", "cat", "chmod", "cksum", "df", "dirname", "grep", "head", "id", "make", "mkdir"),
    *("rm", "sed", "sh", "tail", "uname"),
)

# Enough of a Python for setup.sh. It notes what it was asked in `calls`, installs nothing, and
# fails to install with the words in `pip.says`, if that file exists.
PYTHON = """#!/bin/sh
echo "$*" >>calls
case "$*" in
    *version_info*) echo {version} ;;
    *ensurepip*) exit {no_venv} ;;
    "-m venv .venv")
        mkdir -p .venv/bin .venv/site
        cat "$0" >.venv/bin/python
        chmod +x .venv/bin/python ;;
    "-m pip install"*) [ ! -f pip.says ] || {{ cat pip.says; exit 1; }} ;;
    *purelib*) echo .venv/site ;;
    -V) echo Python {version}.0 ;;
    "app.py serve") echo serving ;;
    *) exit 1 ;;
esac
"""


NO_POSTGRESQL = "PostgreSQL could not be installed (.venv/postgresql.log): its tests are skipped."
NO_CHROMIUM = "Chromium could not be installed (.venv/chromium.log): the browser tests are skipped."


class Checkout:
    """A copy of the Makefile and its lists, and a PATH with nothing but what a test puts there."""

    def __init__(self, folder):
        self.folder = folder / "a folder with spaces"
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(ROOT / "requirements", self.folder / "requirements")
        shutil.copy(ROOT / "Makefile", self.folder)
        agents = self.folder / "tests/agents"
        agents.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / "tests/agents" / name, agents)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.program("sleep", "#!/bin/sh\n")

    def program(self, name, text):
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def python(self, name="python3", version="3.12", no_venv=0):
        self.program(name, PYTHON.format(version=version, no_venv=no_venv))

    def make(self, *arguments):
        return self.run("make", *arguments)

    def run(self, tool, *arguments):
        return subprocess.run(
            [self.bin / tool, *arguments],
            cwd=self.folder,
            env={"PATH": str(self.bin), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def installs(self):
        calls = (self.folder / "calls").read_text(encoding="utf-8").splitlines()
        return [call.split()[1] for call in calls if call.startswith("-m ")]


@pytest.fixture
def checkout(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    return Checkout(tmp_path)


def test_make_alone_lists_the_commands(checkout):
    answer = checkout.make()

    assert "make run - " in answer.stdout
    assert "make test - " in answer.stdout


def test_a_bare_checkout_is_set_up_and_served(checkout):
    checkout.python()

    answer = checkout.make("run")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "serving"
    assert checkout.installs() == ["venv", "pip"]


def test_a_second_start_installs_nothing(checkout):
    checkout.python()
    checkout.make("run")

    answer = checkout.make("run")

    assert answer.stdout == "serving\n"
    assert checkout.installs() == ["venv", "pip"]


def test_a_changed_list_is_installed_into_the_same_environment(checkout):
    checkout.python()
    checkout.make("run")
    with (checkout.folder / "requirements/run.txt").open("a", encoding="utf-8") as file:
        file.write("# another\n")

    answer = checkout.make("run")

    assert "has changed" in answer.stdout
    assert checkout.installs() == ["venv", "pip", "pip"]


def test_an_interrupted_install_starts_again(checkout):
    checkout.python()
    checkout.make("run")
    (checkout.folder / ".venv/run.done").unlink()
    (checkout.folder / ".venv/half").touch()

    answer = checkout.make("run")

    assert answer.stdout.endswith("serving\n")
    assert checkout.installs() == ["venv", "pip", "venv", "pip"]
    assert not (checkout.folder / ".venv/half").exists()


def test_a_moved_checkout_is_set_up_anew(checkout):
    checkout.python()
    checkout.make("run")
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("elsewhere"))

    checkout.make("run")

    assert checkout.installs() == ["venv", "pip", "venv", "pip"]


def test_the_lock_of_a_killed_make_does_not_stop_the_next(checkout):
    checkout.python()
    (checkout.folder / ".venv.lock").mkdir()
    (checkout.folder / ".venv.lock/pid").write_text("999999999", encoding="utf-8")

    answer = checkout.make("run")

    assert answer.stdout.endswith("serving\n")
    assert not (checkout.folder / ".venv.lock").exists()


def test_the_checkout_is_found_from_anywhere(checkout):
    checkout.python()
    checkout.make("run")

    path = (checkout.folder / ".venv/site/larouter.pth").read_text(encoding="utf-8")

    assert Path(path.strip()).samefile(checkout.folder)


@pytest.mark.parametrize(
    ("pythons", "sentence"),
    [
        ({}, "needs Python 3.11 or newer and found none"),
        ({"python3": "3.9"}, "needs Python 3.11 or newer and found Python 3.9"),
        ({"python": "2.7"}, "needs Python 3.11 or newer and found Python 2.7"),
    ],
)
def test_without_a_python_one_sentence_says_what_to_install(checkout, pythons, sentence):
    for name, version in pythons.items():
        checkout.python(name, version)

    answer = checkout.make("run")

    assert sentence in answer.stderr
    assert "apt install python3" in answer.stderr
    assert len(answer.stderr.splitlines()) == 2  # the second is make's own


def test_a_newer_python_is_found_beside_an_old_one(checkout):
    checkout.python("python3", "3.10")
    checkout.python("python3.13", "3.13")

    assert "Python 3.13.0" in checkout.make("run").stdout


def test_the_python_that_was_named_is_the_one_used(checkout, tmp_path):
    checkout.python("python3", "3.12")
    checkout.python("my python", "3.14")

    answer = checkout.make("run", f"PYTHON={tmp_path}/bin/my python")

    assert "Python 3.14.0" in answer.stdout


def test_a_missing_venv_module_is_named(checkout):
    checkout.python(version="3.11", no_venv=1)

    assert "apt install python3.11-venv" in checkout.make("run").stderr


def test_a_full_disk_is_found_out_before_the_install(checkout):
    checkout.python()
    checkout.program("df", "#!/bin/sh\necho head\necho '/dev/a b 9000000 8900000 102400 99% /x'\n")

    answer = checkout.make("run")

    assert "The disk has 100 MB free and LARouter needs 1 GB" in answer.stderr
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("WARNING: Retrying (Retry(total=4", "the first start needs the network once"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one that LARouter was tested"),
        ("OSError: [Errno 28] No space left on device", "The disk filled up"),
        ("ERROR: No matching distribution found for gevent==9", "ready-made package for Python 3"),
        ("something else", "The install failed; what pip said is in .venv/install.log"),
    ],
)
def test_a_failed_install_says_why_in_one_sentence(checkout, said, sentence):
    checkout.python()
    (checkout.folder / "pip.says").write_text(said, encoding="utf-8")

    answer = checkout.make("run")

    assert answer.returncode != 0
    assert sentence in answer.stderr
    assert said in (checkout.folder / ".venv/install.log").read_text(encoding="utf-8")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_that_cannot_be_written_is_named(checkout):
    checkout.python()
    checkout.folder.chmod(0o500)

    answer = checkout.make("run")
    checkout.folder.chmod(0o700)

    assert "LARouter cannot write to this folder" in answer.stderr


def test_without_chromium_the_browser_tests_are_said_to_be_skipped(checkout):
    checkout.program("id", "#!/bin/sh\necho 1000\n")

    answer = checkout.run("sh", "requirements/setup.sh", "browser")

    assert answer.returncode == 0
    assert answer.stdout.startswith("No Chromium here: the browser tests are skipped")


@pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="apt-get is Debian's")
@pytest.mark.parametrize(
    ("works", "said"),
    [("true", []), ("false", [NO_CHROMIUM])],
)
def test_root_on_debian_gets_chromium(checkout, works, said):
    checkout.program("id", "#!/bin/sh\necho 0\n")
    checkout.program("apt-get", f'#!/bin/sh\necho "$*"\n{works}\n')
    (checkout.folder / ".venv").mkdir()

    answer = checkout.run("sh", "requirements/setup.sh", "browser")

    assert answer.stdout.splitlines() == ["Installing Chromium for the browser tests", *said]
    assert answer.returncode == 0


def test_a_chromium_that_is_there_is_used(checkout):
    checkout.program("chromium", "#!/bin/sh\n")

    assert checkout.run("sh", "requirements/setup.sh", "browser").stdout == ""


def test_without_postgresql_its_tests_are_said_to_be_skipped(checkout):
    checkout.program("id", "#!/bin/sh\necho 1000\n")

    answer = checkout.run("sh", "requirements/setup.sh", "database")

    assert answer.returncode == 0
    assert answer.stdout.startswith("No PostgreSQL here: its tests are skipped")


@pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="apt-get is Debian's")
@pytest.mark.parametrize(("works", "said"), [("true", []), ("false", [NO_POSTGRESQL])])
def test_root_on_debian_gets_postgresql(checkout, works, said):
    checkout.program("id", "#!/bin/sh\necho 0\n")
    checkout.program("apt-get", f'#!/bin/sh\necho "$*"\n{works}\n')
    (checkout.folder / ".venv").mkdir()

    answer = checkout.run("sh", "requirements/setup.sh", "database")

    assert answer.stdout.splitlines() == ["Installing PostgreSQL for its tests", *said]
    assert answer.returncode == 0


@pytest.mark.parametrize("name", ["postgres", "pg_ctlcluster"])
def test_a_postgresql_that_is_there_is_used(name, checkout):
    checkout.program(name, "#!/bin/sh\n")

    assert checkout.run("sh", "requirements/setup.sh", "database").stdout == ""


class TestAgents:
    """`setup.sh agents` with a Node.js that only pretends."""

    @pytest.fixture
    def agents(self, checkout):
        checkout.program("npm", '#!/bin/sh\necho "$*" >>npm.asked\n[ ! -f ../npm.fails ]\n')

        def set_up(node="v20.19.2"):
            if node:
                checkout.program("node", f"#!/bin/sh\necho {node}\n")
            return checkout.run("sh", "requirements/setup.sh", "agents")

        return set_up

    @pytest.mark.parametrize("node", [None, "v18.20.4"])
    def test_without_a_new_enough_node_they_are_said_to_be_skipped(self, agents, checkout, node):
        answer = agents(node)

        assert answer.returncode == 0
        assert answer.stdout.startswith("No Node.js 20 with npm here: the tests of agent programs")
        assert not (checkout.folder / ".agents").exists()

    def test_they_are_installed_once(self, agents, checkout):
        first, second = agents(), agents()

        assert first.stdout.startswith("Installing the agent programs")
        assert second.stdout == ""
        asked = (checkout.folder / ".agents/npm.asked").read_text(encoding="utf-8").splitlines()
        assert len(asked) == 1
        assert asked[0].startswith("ci --ignore-scripts")

    def test_a_changed_list_is_installed_anew(self, agents, checkout):
        agents()
        (checkout.folder / "tests/agents/package-lock.json").write_text("{}", encoding="utf-8")

        assert agents().stdout.startswith("Installing the agent programs")

    def test_a_failed_install_only_skips_their_tests(self, agents, checkout):
        (checkout.folder / "npm.fails").touch()

        answer = agents()

        assert answer.returncode == 0
        assert "could not be installed (.agents/install.log): the tests of" in answer.stdout
        assert not (checkout.folder / ".agents/done").exists()

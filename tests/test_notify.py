"""The desktop is told by a program of the system's; here it is one that writes down what it got."""

import logging
import time

import pytest

from larouter.config import read_settings
from larouter.notify import Desktop

SESSION = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
TEXT = "$4.02 of $5.00 spent; renews today 00:00."


@pytest.fixture
def program(tmp_path):
    """Put a program of that name on a PATH of its own; return the PATH."""

    def program(name, script):
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return str(tmp_path)

    return program


@pytest.fixture
def said(tmp_path):
    """What the program wrote down, a line each."""
    return lambda: (tmp_path / "said").read_text().splitlines()


def writes(tmp_path, what='"$@"'):
    return f"printf '%s\\n' {what} > {tmp_path / 'said'}"


@pytest.mark.parametrize("title", ["bakery: daily has passed 80 %", "--help", "$(reboot); 'x\""])
def test_linux_is_told_by_notify_send(program, said, tmp_path, title):
    path = program("notify-send", writes(tmp_path))
    desktop = Desktop({"PATH": path, **SESSION}, platform="linux")

    assert desktop.is_there
    assert desktop.tell(title, TEXT) is True
    assert said()[0] == "--app-name=LARouter"
    assert said()[-3:] == ["--", title, TEXT]


def test_macos_is_told_by_a_script_that_gets_the_words_as_arguments(program, said, tmp_path):
    path = program("osascript", writes(tmp_path))

    assert Desktop({"PATH": path}, platform="darwin").tell('a "b"', TEXT) is True
    assert said()[-2:] == ['a "b"', TEXT]
    assert 'a "b"' not in "".join(said()[:-2])


def test_windows_is_told_by_a_script_that_gets_the_words_as_variables(program, said, tmp_path):
    words = '"$LAROUTER_NOTICE_TITLE" "$LAROUTER_NOTICE_TEXT" "$*"'
    path = program("powershell", writes(tmp_path, words))

    assert Desktop({"PATH": path}, platform="win32").tell("a'; b", TEXT) is True
    assert said()[:2] == ["a'; b", TEXT]
    assert "a'; b" not in "".join(said()[2:])


@pytest.mark.parametrize(
    ("environment", "platform"),
    [({}, "linux"), (SESSION, "linux"), ({"PATH": "/nowhere", **SESSION}, "linux"),
     ({}, "darwin"), ({"PATH": "/usr/bin:/bin"}, "plan9")],
)  # fmt: skip
def test_without_a_desktop_nothing_is_started(environment, platform):
    assert Desktop(environment, platform=platform).is_there is False


def test_without_a_session_nothing_is_started(program):
    path = program("notify-send", "exit 0")

    assert Desktop({"PATH": path}, platform="linux").is_there is False
    assert Desktop({"PATH": path, "DISPLAY": ":0"}, platform="linux").is_there is True


@pytest.mark.parametrize(
    ("script", "why"),
    [("echo no bus >&2; exit 1", "no bus"), ("sleep 20 >&- 2>&-", "took more than 0.3 seconds")],
)
def test_what_cannot_be_shown_harms_nobody_and_is_said_once(program, caplog, script, why):
    caplog.set_level(logging.WARNING)
    path = program("notify-send", script) + ":/usr/bin:/bin"
    desktop = Desktop({"PATH": path, **SESSION}, platform="linux", timeout_s=0.3)
    began = time.monotonic()

    assert [desktop.tell("a", "b") for _ in range(2)] == [False, False]

    assert time.monotonic() - began < 10
    assert caplog.text.count(why) == 1
    assert caplog.text.count("no notification could be shown") == 1


def test_a_program_that_is_gone_meanwhile_harms_nobody(program, tmp_path):
    path = program("notify-send", "exit 0")
    desktop = Desktop({"PATH": path, **SESSION}, platform="linux")
    (tmp_path / "notify-send").unlink()

    assert desktop.tell("a", "b") is False


def test_the_program_sees_the_session_and_no_key():
    variables = {"PATH": "/bin", "DISPLAY": ":0", "OPENAI_API_KEY": "sk-canary", "HF_TOKEN": "x"}

    kept = {"PATH": "/bin", "DISPLAY": ":0", "PYTHONSAFEPATH": "1"}
    assert read_settings(variables).desktop_environment == kept
    off = read_settings({**variables, "LAROUTER_NOTIFY": "off"})
    assert (off.notify, off.desktop_environment) == (False, {})
